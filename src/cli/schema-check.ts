import { existsSync, readFileSync } from 'node:fs';
import type { CliCommand } from './command.ts';
import { checkFixtures, checkLog, type HistoryCheck } from './schema/check-history.ts';
import { checkLock } from './schema/check-lock.ts';
import { parseLock } from './schema/lock-file.ts';
import { compareLocks, makeLock, untoldVersions } from './schema/make-lock.ts';
import { count, printProblem, printUntold } from './schema/report.ts';
import { optionsHelp, readOptions } from './schema/schema-options.ts';

const help = `varve schema check <module> [options]

Fails where the code would not read what is stored: a type that is gone, a version that takes less than it
did, an upcaster that throws on a fixture. Says what to write instead.

${optionsHelp}
  --exact          fail also where the code takes more than is locked: run it so before a release

With --log every event of the log is run through the upcasters and held to the newest schema.

  npx varve schema check src/bank.ts
  npx varve schema check src/bank.ts --log backup.ndjson

Exit code: 0 all is read, 1 something is not, 2 the command line is wrong.`;

/** `varve schema check`: holds the code to the lock file, and to a log if there is one. */
export const schemaCheck: CliCommand = {
  name: 'schema check',
  summary: 'fail where the code would not read what is stored',
  help,
  run: async (args, terminal) => {
    const { print, style } = terminal;
    const { app, module, file, path, log, isSwitched: isExact } = await readOptions(args, terminal, 'exact');
    const lockCommand = `npx varve schema lock ${module}${file === 'varve.schema.json' ? '' : ` --file ${file}`}`;
    if (!existsSync(path)) {
      print(
        `${style('red', '✗')} There is no ${file} yet. Write it, and commit it:\n\n    ${style('cyan', lockCommand)}`,
      );
      return 1;
    }
    const lock = parseLock(readFileSync(path, 'utf8'), file);
    const fixtures = checkFixtures(lock, app);
    const recorded: HistoryCheck | undefined = log === undefined ? undefined : await checkLog(log, app, terminal);
    const problems = [...checkLock(lock, app), ...fixtures.problems, ...(recorded?.problems ?? [])];
    const { unlocked, harmless } = compareLocks(lock, makeLock(app, lock));

    for (const problem of problems) printProblem(problem, terminal);
    if (problems.length > 0) {
      print(`\n${style('bold', `${count(problems.length, 'problem')}`)}: ${module} would not read all that is stored.`);
      return 1;
    }
    const isStale = unlocked.length > 0 || (isExact && harmless.length > 0);
    if (isStale) {
      print(`${style('red', '✗')} ${style('bold', file)} is behind the code. It would get:\n`);
      for (const change of [...unlocked, ...harmless]) print(`    ${style('green', '+')} ${change}`);
      print(`\n  Once this is how it shall be stored:\n\n    ${style('cyan', lockCommand)}`);
      return 1;
    }
    const tried = [`${count(fixtures.payloads, 'fixture')}${upcastText(fixtures)}`];
    if (recorded !== undefined) tried.push(`${count(recorded.payloads, 'event')} of the log${upcastText(recorded)}`);
    print(
      `${style('green', '✓')} ${style('bold', app.name)} reads all that is stored: ${count(app.events.size, 'event type')}, ${tried.join(', ')}`,
    );
    for (const change of harmless) print(`    ${style('green', '+')} ${change}`);
    if (harmless.length > 0)
      print(style('dim', `  Lock it before you release it, so that it is not taken back: ${lockCommand}`));
    printUntold(untoldVersions(app), terminal);
    return 0;
  },
};

function upcastText({ upcast }: HistoryCheck): string {
  return upcast === 0 ? '' : ` (${upcast.toLocaleString('en')} upcast)`;
}
