import { Component, type ReactNode } from 'react';
import { describe, it } from 'vitest';
import type { Client } from '../client/client.ts';
import { FailureError, shape } from '../core/index.ts';
import { defineProjection } from '../core/projection.ts';
import { Counter, CounterEvents, Counts } from '../testing/fixtures/counter-app.ts';
import { openClient, openLog, renderPage, settle } from './fixtures/page.tsx';
import { useProjection, useQuery, useReady, useRow, useStatus } from './index.ts';

interface BoundaryProps {
  readonly children: ReactNode;
}

/** Shows what it caught, and tries again at a click. */
class Boundary extends Component<BoundaryProps, { readonly error?: unknown }> {
  override state: { readonly error?: unknown } = {};

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    const text = error instanceof FailureError ? `${error.failure.type}: ${error.failure.text}` : String(error);
    return (
      <button type="button" onClick={() => this.setState({ error: undefined })}>
        {text}
      </button>
    );
  }
}

const failure = { type: 'storage.unavailable', text: 'The database is blocked.' } as const;

/** A client whose log cannot be opened before `unblock` is called. */
function openBlocked(): { readonly client: Client; unblock(): void } {
  const log = openLog();
  let isBlocked = true;
  const client = openClient({
    ...log,
    head: async () => {
      if (isBlocked) throw new FailureError(failure);
      return log.head();
    },
  });
  return {
    client,
    unblock: () => {
      isBlocked = false;
    },
  };
}

const Size = () => `size: ${useProjection(Counts).size}`;
const Row = () => `row: ${useRow(Counts, 'a')?.count}`;
const failureText = `${failure.type}: ${failure.text}`;

describe('a log that cannot be opened', () => {
  it.each([
    ['useProjection', Size, 'size: 1'],
    ['useRow', Row, 'row: 2'],
  ])('reaches the boundary around %s, which can be reset after the client has started over', async (_, Hook, text) => {
    const { client, unblock } = openBlocked();
    const page = renderPage(
      client,
      <Boundary>
        <Hook />
      </Boundary>,
      { strict: true },
    );
    await page.shows(failureText);
    const reset = () => page.container.querySelector('button')?.click();
    // Nothing has changed: it fails again.
    reset();
    await settle();
    await page.shows(failureText);
    unblock();
    client.startOver();
    reset();
    await client.execute(Counter, 'a', 'count', { by: 2 });
    await page.shows(text);
    await page.unmount();
  });

  it('shows in the status, and throws nothing at those who do not suspend', async () => {
    const { client, unblock } = openBlocked();
    const Parts = () => {
      const size = useProjection(Counts, (rows) => rows.size, { suspend: false });
      const queried = useQuery(Counts, { limit: 5 }, { suspend: false })?.rows.length;
      const count = useRow(Counts, 'a', { suspend: false })?.count;
      return `${useStatus().phase} ${useReady(Counts)} ${size} ${count} ${queried}`;
    };
    const page = renderPage(client, <Parts />);
    await page.shows('failed false undefined undefined undefined');
    unblock();
    client.startOver();
    await page.shows('ready true 0 undefined 0');
    await page.unmount();
  });

  it('leaves the rows on screen that were there before', async () => {
    const log = openLog();
    let isBlocked = false;
    const client = openClient({
      ...log,
      write: async (work, options) => {
        if (isBlocked) throw new FailureError(failure);
        return log.write(work, options);
      },
    });
    const Status = () => ` ${useStatus().phase}`;
    const page = renderPage(client, [<Row key="row" />, <Status key="status" />]);
    await client.execute(Counter, 'a', 'count', { by: 2 });
    await page.shows('row: 2 ready');
    isBlocked = true;
    await client.execute(Counter, 'a', 'count', { by: 2 });
    await page.shows('row: 2 failed');
    isBlocked = false;
    client.startOver();
    await client.execute(Counter, 'a', 'count', { by: 5 });
    await page.shows('row: 7 ready');
    await page.unmount();
  });
});

describe('a defect', () => {
  it('of a selector reaches the boundary, at first and after a change of rows', async () => {
    const client = openClient();
    const Picky = () =>
      useProjection(Counts, (rows) => {
        if (rows.size === 1) throw new Error('one is not enough');
        return `rows: ${rows.size}`;
      });
    const page = renderPage(
      client,
      <Boundary>
        <Picky />
      </Boundary>,
    );
    await page.shows('rows: 0');
    await client.execute(Counter, 'a', 'count', { by: 1 });
    await page.shows('Error: one is not enough');
    await client.execute(Counter, 'b', 'count', { by: 1 });
    page.container.querySelector('button')?.click();
    await page.shows('rows: 2');
    await page.unmount();
  });

  it('such as a projection that the app does not declare reaches the boundary, also of who does not suspend', async () => {
    const client = openClient();
    const Stray = defineProjection('stray', { version: 1, from: [CounterEvents], row: shape<object>(), on: {} });
    const One = () => useProjection(Stray, ({ size }) => size);
    const Two = () => useProjection(Stray, ({ size }) => size, { suspend: false }) ?? 'nothing';
    const page = renderPage(
      client,
      [One, Two].map((Stranger) => (
        <Boundary key={Stranger.name}>
          <Stranger />
        </Boundary>
      )),
    );
    const text = 'Error: The app "counter" has no projection "stray". Add it to defineApp.';
    await page.shows(text + text);
    await page.unmount();
  });
});
