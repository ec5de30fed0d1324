import { Writable } from 'node:stream';
import type { ReactNode } from 'react';
import { renderToPipeableStream, renderToString } from 'react-dom/server';
import { afterEach, describe, expect, it } from 'vitest';
import type { Client } from '../client/client.ts';
import type { App } from '../core/app.ts';

// Nothing of the package is imported before a test does it: what an import touches is part of what is tested.

const browserGlobals = [
  ...['window', 'document', 'navigator', 'location', 'history', 'screen', 'self'],
  ...['indexedDB', 'IDBKeyRange', 'localStorage', 'sessionStorage', 'caches'],
  ...['Worker', 'SharedWorker', 'BroadcastChannel', 'MutationObserver', 'ResizeObserver'],
  ...['addEventListener', 'removeEventListener', 'requestAnimationFrame', 'requestIdleCallback', 'matchMedia'],
];

/**
 * Runs `work` where every global of a browser throws at who touches it, even to ask whether it is there. Dependencies get
 * what a server has, nothing: they do ask (Dexie for `indexedDB`, for one).
 *
 * @returns what was touched
 */
async function withoutBrowser(work: () => unknown): Promise<readonly string[]> {
  const touched: string[] = [];
  const before = browserGlobals.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);
  for (const name of browserGlobals) {
    Object.defineProperty(globalThis, name, {
      configurable: true,
      get: () => {
        const caller = new Error().stack?.split('\n')[2] ?? '';
        if (/node_modules|node:/.test(caller)) return undefined;
        touched.push(name);
        throw new ReferenceError(`${name} was touched${caller}`);
      },
    });
  }
  try {
    await work();
  } catch (error) {
    if (touched.length === 0) throw error;
  } finally {
    for (const [name, descriptor] of before) {
      Reflect.deleteProperty(globalThis, name);
      if (descriptor !== undefined) Object.defineProperty(globalThis, name, descriptor);
    }
  }
  return touched;
}

/** Stays empty: a server has no worker to start. */
const startedWorkers: string[] = [];

afterEach(() => expect(startedWorkers).toEqual([]));

async function openServerClient(app: App): Promise<Client> {
  const { createClient } = await import('varve/client');
  return createClient(app, () => {
    startedWorkers.push(app.name);
    throw new Error('A worker was started on a server.');
  });
}

async function createPage(): Promise<{ readonly page: ReactNode; readonly html: string }> {
  const hooks = await import('varve/react');
  const { useCommand, useEvents, useProjection, useQuery, useReady, useReceipt } = hooks;
  const { useRow, useStatus, useValue, VarveProvider } = hooks;
  const { Counter, Counts, counterApp, Sum, Total } = await import('../testing/fixtures/counter-app.ts');
  const client = await openServerClient(counterApp);
  const All = () => {
    const count = useCommand(Counter, 'count');
    const parts = {
      size: useProjection(Counts).size,
      selected: useProjection(Total, (rows) => rows.size),
      notYet: useProjection(Counts, undefined, { suspend: false }) === undefined,
      value: useValue(Sum).sum,
      noValue: useValue(Sum, { suspend: false }) === undefined,
      queried: useQuery(Counts, { limit: 5 }).rows.length,
      notAnswered: useQuery(Counts, { limit: 5 }, { suspend: false }) === undefined,
      row: useRow(Counts, 'a') === undefined,
      ready: useReady(Counts, Total),
      phase: useStatus().phase,
      events: useEvents() === undefined,
      receipt: useReceipt('c1') === undefined,
      pending: count.pending,
      rejection: count.rejection === undefined,
    };
    return Object.values(parts).join(' ');
  };
  const page = (
    <VarveProvider client={client} fallback="loading">
      <All />
    </VarveProvider>
  );
  return { page, html: '<!--$-->0 0 true 0 true 0 true true false booting true true false true<!--/$-->' };
}

function renderToEnd(page: ReactNode): Promise<string> {
  return new Promise((resolve, reject) => {
    let html = '';
    const sink = new Writable({
      write: (chunk, _encoding, done) => {
        html += String(chunk);
        done();
      },
      final: (done) => {
        resolve(html);
        done();
      },
    });
    const { pipe } = renderToPipeableStream(page, { onAllReady: () => void pipe(sink), onError: reject });
  });
}

describe('on a server', () => {
  it('a touch of a browser’s global is noticed', async () => {
    expect(await withoutBrowser(() => typeof document)).toEqual(['document']);
    expect(await withoutBrowser(() => undefined)).toEqual([]);
  });

  it.each([
    ['varve', () => import('varve')],
    ['varve/worker', () => import('varve/worker')],
    ['varve/client', () => import('varve/client')],
    ['varve/react', () => import('varve/react')],
    ['varve/testing', () => import('varve/testing')],
    ['the demo', () => import('../demo/app.tsx')],
  ])('%s can be imported', async (_, load) => {
    expect(await withoutBrowser(load)).toEqual([]);
  });

  it('a client only asks whether there is a document, and starts no worker', async () => {
    const { counterApp } = await import('../testing/fixtures/counter-app.ts');
    expect(await withoutBrowser(() => openServerClient(counterApp))).toEqual(['document']);
    const client = await openServerClient(counterApp);
    expect(client.status.getState().phase).toBe('booting');
  });

  it('every hook renders to a string: no rows yet, and the status is booting', async () => {
    const { page, html } = await createPage();
    let rendered = '';
    const touched = await withoutBrowser(() => {
      rendered = renderToString(page);
    });
    expect({ touched, rendered }).toEqual({ touched: [], rendered: html });
  });

  it('every hook renders to a stream that ends', async () => {
    const { page, html } = await createPage();
    let rendered = '';
    const touched = await withoutBrowser(async () => {
      rendered = await renderToEnd(page);
    });
    expect({ touched, rendered }).toEqual({ touched: [], rendered: html });
  });

  it('the demo renders, with an empty book that is being opened', async () => {
    const { VarveProvider } = await import('varve/react');
    const { App } = await import('../demo/app.tsx');
    const { ledger } = await import('../demo/ledger/ledger.ts');
    const client = await openServerClient(ledger);
    const page = (
      <VarveProvider client={client}>
        <App />
      </VarveProvider>
    );
    let [text, streamed] = ['', ''];
    const touched = await withoutBrowser(async () => {
      text = renderToString(page);
      streamed = await renderToEnd(page);
    });
    expect(touched).toEqual([]);
    for (const html of [text, streamed]) {
      expect(html).toContain('Opening…');
      expect(html).toContain('0 accounts');
      expect(html).not.toContain('Opening the book');
    }
  });
});
