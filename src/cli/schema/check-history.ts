import type { App } from '../../core/app.ts';
import type { Terminal } from '../terminal.ts';
import type { Problem } from './check-lock.ts';
import type { LockFile } from './lock-file.ts';
import { createReader } from './read-as-newest.ts';
import { readLog } from './read-log.ts';
import { count } from './report.ts';

/** What came of running stored payloads through the code. */
export interface HistoryCheck {
  readonly payloads: number;
  readonly upcast: number;
  readonly problems: readonly Problem[];
}

/** Longest payload that is shown whole, in characters. */
const maxShown = 240;

/** Runs the fixtures of a lock file through the upcasters, and holds them to the newest schemas. */
export function checkFixtures({ fixtures }: LockFile, app: App): HistoryCheck {
  const history = createHistoryCheck(app, 'fixture');
  for (const [type, byVersion] of Object.entries(fixtures)) {
    for (const [version, payloads] of Object.entries(byVersion)) {
      for (const data of payloads) history.take({ type, version: Number(version), data });
    }
  }
  return history.result();
}

/** Runs every event of an exported log through the upcasters, and holds it to the newest schema. */
export async function checkLog(file: string, app: App, terminal: Terminal): Promise<HistoryCheck> {
  const history = createHistoryCheck(app, 'event');
  await readLog(file, { app: app.name, terminal, onPayload: history.take });
  return history.result();
}

function createHistoryCheck(app: App, noun: string) {
  const read = createReader(app);
  const found = new Map<string, { readonly problem: Problem; count: number }>();
  let payloads = 0;
  let upcast = 0;

  return {
    /** `position` where the payload has one. */
    take: (payload: { readonly type: string; readonly version: number; readonly data: unknown }, position?: number) => {
      payloads += 1;
      const reading = read(payload);
      if (reading.problem === undefined) {
        if (reading.wasUpcast) upcast += 1;
        return;
      }
      const { type, version, data } = payload;
      // One of a kind is shown; a log may have a million of them. Numbers and quoted texts differ from one to the next.
      const kind = `${type} ${version} ${reading.problem.replace(/"[^"]*"|[-\d.]+|\{.*\}/g, '#')}`;
      const known = found.get(kind);
      if (known !== undefined) {
        known.count += 1;
        return;
      }
      const text = JSON.stringify(data);
      const shown = text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
      const problem = {
        subject: type,
        title: `version ${version}: ${position === undefined ? `a ${noun}` : `the ${noun} at position ${position}`} is not read`,
        details: [shown, reading.problem],
        advice: reading.advice,
        code: [],
      };
      found.set(kind, { problem, count: 1 });
    },
    result: (): HistoryCheck => ({
      payloads,
      upcast,
      problems: [...found.values()].map(({ problem, count: number }) =>
        number === 1
          ? problem
          : { ...problem, details: [...problem.details, `and ${count(number - 1, noun)} more like it`] },
      ),
    }),
  };
}
