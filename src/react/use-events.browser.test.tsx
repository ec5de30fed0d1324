import { describe, expect, it } from 'vitest';
import type { Client } from '../client/client.ts';
import { createClient } from '../client/client.ts';
import { defineAggregate, defineApp, defineEvents, type EventQuery, shape } from '../core/index.ts';
import { Counter } from '../testing/fixtures/counter-app.ts';
import { createInProcessWorker } from '../testing/in-process-worker.ts';
import { openClient, openLater, openLog, renderPage, settle } from './fixtures/page.tsx';
import { useEvents } from './index.ts';

/** The same client, and what was read through it. */
function recordReads(client: Client): { readonly client: Client; readonly reads: EventQuery[] } {
  const reads: EventQuery[] = [];
  const read: Client['read'] = (query = {}) => {
    reads.push(query);
    return client.read(query);
  };
  return { client: { ...client, read }, reads };
}

const Feed = ({ stream, limit = 3 }: { readonly stream: string; readonly limit?: number }) =>
  useEvents({ stream, limit })
    ?.map(({ position }) => position)
    .join(',') ?? 'reading';

describe('useEvents', () => {
  it('gives the newest events first and follows new ones, from an empty log on', async () => {
    const client = openClient();
    const page = renderPage(client, <Feed stream="counter-a" />);
    await page.shows('');
    for (const id of ['a', 'b', 'a', 'a', 'a']) await client.execute(Counter, id, 'count', { by: 1 });
    await page.shows('5,4,3');
    await page.unmount();
  });

  it('gives all of them where there is to be no limit', async () => {
    const client = openClient();
    for (const id of ['a', 'b', 'a', 'a', 'a']) await client.execute(Counter, id, 'count', { by: 1 });
    const page = renderPage(client, <Feed stream="counter-a" limit={Number.POSITIVE_INFINITY} />);
    await page.shows('5,4,3,1');
    await page.unmount();
  });

  it('is undefined until the log is open: that nothing was read yet is not that there is nothing', async () => {
    const log = openLog();
    const earlier = openClient(log);
    await earlier.execute(Counter, 'a', 'count', { by: 1 });
    await earlier.close();
    const { client, open } = openLater(log);
    const page = renderPage(client, <Feed stream="counter-a" />);
    await settle();
    expect(page.text()).toBe('reading');
    open();
    await page.shows('1');
    await page.unmount();
  });

  it.each([false, true])(
    'reads once at first and once for each change, and nothing twice (strict: %s)',
    async (strict) => {
      const log = openLog();
      const earlier = openClient(log);
      for (const id of ['a', 'a', 'b']) await earlier.execute(Counter, id, 'count', { by: 1 });
      await earlier.close();
      const { client, reads } = recordReads(openClient(log));
      const page = renderPage(client, <Feed stream="counter-a" />, { strict });
      await page.shows('2,1');
      await client.execute(Counter, 'a', 'countTwice', { by: 1 });
      await page.shows('5,4,2');
      await client.execute(Counter, 'b', 'count', { by: 1 });
      await settle();
      expect(reads.map(({ from, to }) => [from, to])).toEqual([
        [1, 3],
        [4, 5],
        [6, 6],
      ]);
      await page.unmount();
    },
  );

  it('renders once for each change that has events of its query, and for no other', async () => {
    const client = openClient();
    let renders = 0;
    const Counting = () => {
      renders += 1;
      return `${useEvents({ types: ['Counted'] })?.length}`;
    };
    const page = renderPage(client, <Counting />);
    await page.shows('0');
    await settle();
    const before = renders;
    await client.execute(Counter, 'a', 'count', { by: 1 });
    await page.shows('1');
    await client.execute(Counter, 'a', 'close', {});
    await settle();
    expect(renders).toBe(before + 1);
    await page.unmount();
  });

  it('asks anew when the query says something else, and shows no events of the old one', async () => {
    const client = openClient();
    for (const id of ['a', 'b', 'b']) await client.execute(Counter, id, 'count', { by: 1 });
    const page = renderPage(client, <Feed stream="counter-a" />);
    await page.shows('1');
    const texts: string[] = [];
    const observer = new MutationObserver(() => texts.push(page.text()));
    observer.observe(page.container, { childList: true, subtree: true, characterData: true });
    page.render(<Feed stream="counter-b" />);
    await page.shows('3,2');
    expect(texts).toEqual(['reading', '3,2']);
    await page.unmount();
  });

  it('chooses by tags', async () => {
    const NoteEvents = defineEvents({ Noted: shape<{ text: string }>() });
    const Note = defineAggregate('note', {
      events: NoteEvents,
      initialState: () => ({}),
      evolve: { Noted: (state) => state },
      commands: {
        note: {
          input: shape<{ text: string; tag: string }>(),
          decide: ({ text, tag }) => ({ ...NoteEvents.Noted({ text }), tags: [tag] }),
        },
      },
    });
    const app = defineApp({ name: 'notes', aggregates: [Note], projections: [] });
    const log = openLog();
    const client = createClient(app, () => createInProcessWorker({ app, log }));
    const Tagged = ({ tag }: { readonly tag: string }) =>
      useEvents({ tags: [tag] })
        ?.map(({ data }) => (data as { readonly text: string }).text)
        .join(',') ?? 'reading';
    const page = renderPage(client, <Tagged tag="red" />);
    await page.shows('');
    for (const [text, tag] of [
      ['one', 'red'],
      ['two', 'blue'],
      ['three', 'red'],
    ] as const) {
      await client.execute(Note, 'a', 'note', { text, tag });
    }
    await page.shows('three,one');
    page.render(<Tagged tag="blue" />);
    await page.shows('two');
    await page.unmount();
  });

  it('shows the events of another log once that has taken the place of the one that was read', async () => {
    const client = openClient();
    for (let index = 0; index < 3; index += 1) await client.execute(Counter, 'a', 'count', { by: 1 });
    const page = renderPage(client, <Feed stream="counter-a" />);
    await page.shows('3,2,1');
    // What an import of another tab does to this page: another log, and a new worker on it.
    client.status.setState({ phase: 'booting', saved: 0 });
    client.status.setState({ phase: 'ready', saved: 1 });
    await page.shows('1');
    client.status.setState({ phase: 'booting', saved: 0 });
    client.status.setState({ phase: 'ready' });
    await page.shows('');
    await page.unmount();
  });

  it('does not take what it read of the old log for the new one’s', async () => {
    const log = openLog();
    let passOn = () => {};
    const gate = new Promise<void>((resolve) => {
      passOn = resolve;
    });
    const client = openClient({
      ...log,
      read: async function* (query) {
        yield* log.read(query);
        if (query.backwards && query.to === 2) await gate;
      },
    });
    for (let index = 0; index < 2; index += 1) await client.execute(Counter, 'a', 'count', { by: 1 });
    const page = renderPage(client, <Feed stream="counter-a" />);
    await settle();
    client.status.setState({ phase: 'booting', saved: 0 });
    const seen: string[] = [];
    const observer = new MutationObserver(() => seen.push(page.text()));
    observer.observe(page.container, { childList: true, subtree: true, characterData: true });
    passOn();
    await settle();
    client.status.setState({ phase: 'ready', saved: 1 });
    await page.shows('1');
    expect(seen).toEqual(['1']);
    await page.unmount();
  });

  it('keeps what it has read on screen where the log cannot be read any more, and goes on when it can', async () => {
    const log = openLog();
    let isBroken = false;
    const client = openClient({
      ...log,
      read: async function* (query) {
        if (isBroken && query.backwards) throw new Error('unreadable');
        yield* log.read(query);
      },
    });
    await client.execute(Counter, 'a', 'count', { by: 1 });
    const page = renderPage(client, <Feed stream="counter-a" />);
    await page.shows('1');
    isBroken = true;
    await client.execute(Counter, 'a', 'count', { by: 1 });
    await settle();
    expect(page.text()).toBe('1');
    isBroken = false;
    await client.execute(Counter, 'a', 'count', { by: 1 });
    await page.shows('3,2,1');
    await page.unmount();
  });
});
