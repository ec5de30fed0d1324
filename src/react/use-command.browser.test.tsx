import { memo, StrictMode, useMemo } from 'react';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Receipt } from '../core/index.ts';
import type { EventLog } from '../log/event-log.ts';
import { Counter } from '../testing/fixtures/counter-app.ts';
import { openClient, openLog, renderPage, settle } from './fixtures/page.tsx';
import { useCommand } from './index.ts';

type Count = ReturnType<typeof useCount>;
const useCount = () => useCommand(Counter, 'count');

/** What the last render got, and how many renders and functions there were. */
function createProbe(useIt: (count: Count) => string) {
  const functions = new Set<Count>();
  const probe = { renders: 0, functions, seen: [] as string[], count: undefined as Count | undefined };
  const Component = () => {
    const count = useCount();
    probe.renders += 1;
    probe.count = count;
    functions.add(count);
    const text = useIt(count);
    probe.seen.push(text);
    return text;
  };
  const send = (by: number, id = 'a'): Promise<Receipt> =>
    probe.count?.(id, { by }) ?? Promise.reject(new Error('none'));
  return { probe, Component, send };
}

const describeCount = ({ pending, rejection, failure }: Count) =>
  `${pending ? 'pending' : 'idle'} ${rejection?.code ?? '-'} ${failure?.type ?? '-'}`;

/** A log whose writes wait, one gate each, until they are let through or failed. */
function openGated() {
  const log = openLog();
  const gates: (() => void)[] = [];
  const write: EventLog['write'] = async (work, options) => {
    await new Promise<void>((resolve) => gates.push(resolve));
    return log.write(work, options);
  };
  return { log: { ...log, write }, gates };
}

describe('useCommand', () => {
  it('answers with the receipt; who reads no more keeps the function, and is not rendered', async () => {
    const client = openClient();
    const { probe, Component, send } = createProbe(() => 'idle');
    const page = renderPage(client, <Component />);
    await page.shows('idle');
    expect(await send(3)).toMatchObject({ status: 'saved', revision: 0 });
    await client.execute(Counter, 'a', 'close', {});
    expect(await send(3)).toMatchObject({ status: 'rejected', rejection: { code: 'closed' } });
    await settle();
    expect(probe).toMatchObject({ renders: 1, functions: { size: 1 } });
    await page.unmount();
  });

  it('shows that a call is pending, and what it was rejected with until one is saved', async () => {
    const client = openClient();
    const { probe, Component, send } = createProbe(describeCount);
    const page = renderPage(client, <Component />);
    await page.shows('idle - -');
    await send(1);
    await settle();
    await client.execute(Counter, 'b', 'close', {});
    await send(1, 'b');
    await settle();
    await send(1, 'a');
    await settle();
    expect(probe.seen).toEqual([
      'idle - -',
      'pending - -',
      'idle - -',
      'pending - -',
      'idle closed -',
      'pending closed -',
      'idle - -',
    ]);
    // A function for each state, so that what is memoised by it is not stale.
    expect(probe).toMatchObject({ renders: 7, functions: { size: 7 } });
    await page.unmount();
  });

  it('shows the failure of a call', async () => {
    const client = openClient();
    const { Component, send } = createProbe(describeCount);
    const page = renderPage(client, <Component />);
    await page.shows('idle - -');
    await send(Number.NaN);
    await page.shows('idle - storage.event-refused');
    await send(1);
    await page.shows('idle - -');
    await page.unmount();
  });

  it('is idle again where the app’s own code threw, and throws it to the caller', async () => {
    const client = openClient();
    let crash: (() => Promise<unknown>) | undefined;
    const Crash = () => {
      const run = useCommand(Counter, 'crash');
      crash = () => run('a', { why: 'a bug' });
      return `${run.pending} ${run.rejection} ${run.failure}`;
    };
    const page = renderPage(client, <Crash />);
    await page.shows('false undefined undefined');
    await expect(crash?.()).rejects.toThrow('a bug');
    await page.shows('false undefined undefined');
    await page.unmount();
  });

  it('counts calls that overlap, and shows what became of the one that was started last', async () => {
    const { log, gates } = openGated();
    const client = openClient(log);
    const { probe, Component } = createProbe(describeCount);
    const page = renderPage(client, <Component />);
    await page.shows('idle - -');
    const { count } = probe;
    if (count === undefined) throw new Error('not rendered');
    // The first is stored first and the second is cancelled before its turn, so the second one is answered first.
    const controller = new AbortController();
    const first = count('a', { by: 1 });
    await expect.poll(() => gates.length).toBe(1);
    controller.abort();
    await count('a', { by: 1 }, { signal: controller.signal });
    await page.shows('pending - engine.cancelled');
    gates[0]?.();
    await first;
    // The earlier call was saved, and that is not what became of the last one.
    await page.shows('idle - engine.cancelled');
    expect(probe.seen).toEqual(['idle - -', 'pending - -', 'pending - engine.cancelled', 'idle - engine.cancelled']);
    await page.unmount();
  });

  it('is right where the fields are memoised by the function, as a compiler does', async () => {
    const client = openClient();
    const Child = memo(({ count }: { readonly count: Count }) => describeCount(count));
    const { probe, Component, send } = createProbe((count) => useMemo(() => describeCount(count), [count]));
    const Parent = () => {
      const count = useCount();
      probe.count = count;
      return <Child count={count} />;
    };
    await client.execute(Counter, 'a', 'close', {});
    const page = renderPage(client, <Component />);
    for (const Memoised of [Component, Parent]) {
      page.render(<Memoised />);
      await page.shows('idle - -');
      const answer = send(1);
      await page.shows('pending - -');
      await answer;
      await page.shows('idle closed -');
    }
    await page.unmount();
  });

  it('has the fields up to date for who reads them late', async () => {
    const client = openClient();
    await client.execute(Counter, 'a', 'close', {});
    let isReading = false;
    const { Component, send } = createProbe((count) => (isReading ? describeCount(count) : 'not reading'));
    const page = renderPage(client, <Component />);
    await page.shows('not reading');
    await send(1);
    isReading = true;
    page.render(<Component />);
    await page.shows('idle closed -');
    await page.unmount();
  });

  it('forgets what became of another command when it is given one', async () => {
    const client = openClient();
    await client.execute(Counter, 'a', 'close', {});
    let call: (() => Promise<unknown>) | undefined;
    const Any = ({ name }: { readonly name: 'count' | 'countTwice' }) => {
      const send = useCommand(Counter, name);
      call = () => send('a', { by: 1 });
      return `${name} ${send.rejection?.code}`;
    };
    const page = renderPage(client, <Any name="count" />);
    await page.shows('count undefined');
    await call?.();
    await page.shows('count closed');
    page.render(<Any name="countTwice" />);
    await page.shows('countTwice undefined');
    await page.unmount();
  });

  it('works under Strict Mode', async () => {
    const client = openClient();
    await client.execute(Counter, 'a', 'close', {});
    const { Component, send } = createProbe(describeCount);
    const page = renderPage(
      client,
      <StrictMode>
        <Component />
      </StrictMode>,
    );
    await page.shows('idle - -');
    await send(1);
    await page.shows('idle closed -');
    await page.unmount();
  });

  it('knows the rejections of its command by type', () => {
    expectTypeOf<Count['rejection']>().toEqualTypeOf<
      Extract<Awaited<ReturnType<Count>>, { status: 'rejected' }>['rejection'] | undefined
    >();
    expectTypeOf<NonNullable<Count['rejection']>['code']>().toEqualTypeOf<'closed' | 'invalid-input'>();
  });
});
