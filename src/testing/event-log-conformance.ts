import type { EventLog } from '../log/event-log.ts';
import { checkpointCases } from './conformance/checkpoint-cases.ts';
import { closingCases } from './conformance/closing-cases.ts';
import { conditionCases } from './conformance/condition-cases.ts';
import type {
  ConformanceCase,
  ConformanceCases,
  ConformanceLog,
  EventLogFactory,
} from './conformance/conformance-case.ts';
import { growthCases } from './conformance/growth-cases.ts';
import { linkCases } from './conformance/link-cases.ts';
import { readingCases } from './conformance/reading-cases.ts';
import { refusalCases } from './conformance/refusal-cases.ts';
import { storingCases } from './conformance/storing-cases.ts';
import { visibilityCases } from './conformance/visibility-cases.ts';
import { writingCases } from './conformance/writing-cases.ts';

export type { ConformanceCase, ConformanceLog, EventLogFactory };

const concerns: readonly ConformanceCases[] = [
  storingCases,
  refusalCases,
  writingCases,
  visibilityCases,
  conditionCases,
  readingCases,
  linkCases,
  growthCases,
  checkpointCases,
  closingCases,
];

/**
 * The promises of `EventLog` as tests. Every implementation passes the same ones, in Node and in browsers.
 *
 * Each case asks the factory for a log of its own, and closes it and whatever it opened. Give a case ten seconds: some
 * store thousands of events.
 *
 * ### Example
 * ```ts
 * const factory = async () => {
 *   const log = createMemoryEventLog();
 *   return { log, open: async () => log.open() };
 * };
 * for (const { name, run } of eventLogConformance(factory)) it(name, run);
 * ```
 */
export function eventLogConformance(factory: EventLogFactory): readonly ConformanceCase[] {
  return concerns
    .flatMap((cases) => Object.entries(cases))
    .map(([name, run]) => ({ name, run: () => runCase(factory, run) }));
}

async function runCase(factory: EventLogFactory, run: ConformanceCases[string]): Promise<void> {
  const { log, open, sharesGrowth = true } = await factory();
  const opened = new Set<EventLog>([log]);
  const openAgain = async () => {
    const other = await open();
    opened.add(other);
    return other;
  };
  try {
    await run({ log, open: openAgain, sharesGrowth });
  } finally {
    for (const each of opened) each.close();
  }
}
