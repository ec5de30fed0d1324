import type { CliCommand, ExitCode } from './command.ts';
import { schemaCheck } from './schema-check.ts';
import { schemaLock } from './schema-lock.ts';
import { serve } from './serve.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** All that `varve` can do, in the order of the help. */
const commands: readonly CliCommand[] = [schemaLock, schemaCheck, serve];

/** Runs the command that the arguments name. Does not throw. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const isHelp = args.some((arg) => arg === '--help' || arg === '-h' || arg === 'help');
  const command = commands.find(({ name }) => args.slice(0, name.split(' ').length).join(' ') === name);
  if (command === undefined) {
    const words = args.filter((arg) => !arg.startsWith('-') && arg !== 'help');
    if (isHelp || args.length === 0) terminal.print(toOverview(terminal, words[0]));
    else
      terminal.printError(
        `${terminal.style('red', `varve has no command "${words.join(' ')}".`)}\n\n${toOverview(terminal, words[0])}`,
      );
    return isHelp ? 0 : 2;
  }
  if (isHelp) {
    terminal.print(command.help);
    return 0;
  }
  try {
    return await command.run(args.slice(command.name.split(' ').length), terminal);
  } catch (error) {
    const isUsage = error instanceof UsageError;
    terminal.printError(`${terminal.style('red', '✗')} ${error instanceof Error ? error.message : String(error)}`);
    if (isUsage) terminal.printError(terminal.style('dim', `\nvarve ${command.name} --help says more.`));
    return isUsage ? 2 : 1;
  }
}

function toOverview({ style }: Terminal, group: string | undefined): string {
  const inGroup = commands.filter(({ name }) => name.split(' ')[0] === group);
  const listed = inGroup.length > 0 ? inGroup : commands;
  const width = Math.max(...listed.map(({ name }) => name.length)) + 2;
  return [
    `${style('bold', 'varve')} ${style('dim', '<command> [--help]')}`,
    '',
    ...listed.map(({ name, summary }) => `  ${style('cyan', name.padEnd(width))}${summary}`),
  ].join('\n');
}
