import { describe, expect, it } from 'vitest';
import { createAuthor } from './fixtures/author.ts';
import { createTestServer } from './fixtures/test-server.ts';
import { describeLoad } from './load.contract.ts';
import { createMemorySyncStore } from './memory-sync-store.ts';
import { describeSyncStore } from './sync-store.contract.ts';

describeSyncStore('memory', { open: async () => createMemorySyncStore() });
describeLoad('memory', { open: async () => createMemorySyncStore() });

describe('a store in memory', () => {
  it('goes on from a snapshot, under another epoch, and leaves what it was taken from alone', async () => {
    const store = createMemorySyncStore();
    const server = createTestServer(store);
    await server.hello();
    const ada = createAuthor('log-1', 'a');
    await server.push([ada.commit(['a-1', 'a-2'])]);
    const snapshot = store.snapshot();
    const later = ada.commit(['a-1']);
    await server.push([later]);
    const restored = createMemorySyncStore({ from: snapshot });
    const second = createTestServer(restored);
    expect(restored.epoch).not.toBe(store.epoch);
    expect(await second.hello()).toMatchObject({ head: { g: 2 }, clientLast: { seq: 1, id: 'a-1' } });
    const guard = { revisions: [{ stream: 'a-1', revision: 0 }] };
    expect(await second.results([{ ...later, guard }])).toEqual([{ type: 'accepted', g: 3 }]);
    expect(await second.readAll()).toEqual(await server.readAll());
    expect(snapshot.logs[0]?.commits).toHaveLength(1);
  });
});
