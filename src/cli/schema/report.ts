import type { Terminal } from '../terminal.ts';
import type { Problem } from './check-lock.ts';
import type { UntoldVersion } from './make-lock.ts';

/** A problem as it is shown: what, why, and what to write instead. */
export function printProblem({ subject, title, details, advice, code }: Problem, { print, style }: Terminal): void {
  print(`\n${style('red', '✗')} ${style('bold', subject)} ${title}`);
  for (const detail of details) print(`    ${detail}`);
  print(`\n  ${advice}`);
  if (code.length > 0) print('');
  for (const line of code) print(line === '' ? '' : style('cyan', `    ${line}`));
}

export function printUntold(untold: readonly UntoldVersion[], { print, style }: Terminal): void {
  if (untold.length === 0) return;
  // Not Map.groupBy: Node 20 has none.
  const byWhy = new Map<string, UntoldVersion[]>();
  for (const one of untold) byWhy.set(one.why, [...(byWhy.get(one.why) ?? []), one]);
  print(`\n${style('yellow', '!')} Not compared, for nothing is known of their schemas:`);
  for (const [why, versions] of byWhy) {
    print(
      `    ${versions.map(({ type, version }) => `${type} version ${version}`).join(', ')} ${style('dim', `(${why})`)}`,
    );
  }
}

/** "1 event", "2 events", "1,000 events". */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}
