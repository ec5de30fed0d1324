import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { CliCommand } from './command.ts';
import { checkFixtures } from './schema/check-history.ts';
import { checkLock } from './schema/check-lock.ts';
import { createFixtureChooser } from './schema/choose-fixtures.ts';
import { type LockFile, parseLock, printLock } from './schema/lock-file.ts';
import { compareLocks, makeLock, untoldVersions } from './schema/make-lock.ts';
import { readLog } from './schema/read-log.ts';
import { count, printProblem, printUntold } from './schema/report.ts';
import { optionsHelp, readOptions } from './schema/schema-options.ts';

const help = `varve schema lock <module> [options]

Writes down what the app stores today: every event type with the JSON Schema of each of its versions.
Commit the file: "varve schema check" holds later code to it. With a log, a few recorded payloads of each
type and version are kept too, for the upcasters to be tried on.

What breaks the file that is there is not written over it: mend the code as the check says.

${optionsHelp}
  --force          write it all the same: for versions that were never released

  npx varve schema lock src/bank.ts
  npx varve schema lock src/bank.ts --log backup.ndjson`;

/** `varve schema lock`: writes the lock file. */
export const schemaLock: CliCommand = {
  name: 'schema lock',
  summary: 'write down what the app stores today',
  help,
  run: async (args, terminal) => {
    const { print, style } = terminal;
    const { app, file, path, log, isSwitched: isForced } = await readOptions(args, terminal, 'force');
    const previous = existsSync(path) ? parseLock(readFileSync(path, 'utf8'), file) : undefined;
    const lock = makeLock(app, previous);
    const chooser = createFixtureChooser(lock.fixtures);
    const events = log && (await readLog(log, { app: app.name, terminal, onPayload: chooser.take }));
    const next: LockFile = { ...lock, fixtures: chooser.fixtures() };
    const problems = [...(previous ? checkLock(previous, app) : []), ...checkFixtures(next, app).problems];

    for (const problem of problems) printProblem(problem, terminal);
    if (problems.length > 0 && !isForced) {
      print(`\n${style('bold', `${file} was left as it is`)}: ${count(problems.length, 'problem')} to mend first.`);
      print(style('dim', 'Where none of this was ever released, --force writes it all the same.'));
      return 1;
    }

    const text = printLock(next);
    const isSame = existsSync(path) && readFileSync(path, 'utf8') === text;
    if (!isSame) writeFileSync(path, text);
    const versions = Object.values(next.events).reduce((sum, event) => sum + event.versions.length, 0);
    const fixtures = countFixtures(next);
    const content = [
      count(Object.keys(next.events).length, 'event type'),
      count(versions, 'version'),
      count(fixtures, 'fixture'),
    ];
    print(
      `${style('green', '✓')} ${style('bold', file)} ${isSame ? 'is up to date' : 'written'}: ${content.join(', ')}`,
    );
    const { unlocked, harmless } = compareLocks(previous ?? { ...next, events: {} }, next);
    for (const change of [...unlocked, ...harmless]) print(`    ${style('green', '+')} ${change}`);
    const added = fixtures - (previous ? countFixtures(previous) : 0);
    if (events !== undefined && added > 0) {
      print(`    ${style('green', '+')} ${count(added, 'fixture')}, of a log of ${count(Number(events), 'event')}`);
      print(
        `\n${style('yellow', '!')} Fixtures are payloads as they were recorded. Look at them before you commit the file.`,
      );
    }
    printUntold(untoldVersions(app), terminal);
    return 0;
  },
};

function countFixtures({ fixtures }: LockFile): number {
  return Object.values(fixtures)
    .flatMap((byVersion) => Object.values(byVersion))
    .reduce((sum, payloads) => sum + payloads.length, 0);
}
