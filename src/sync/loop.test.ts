import { describe, expect, it } from 'vitest';
import { createTestWorld } from './fixtures/test-world.ts';

describe('sync', () => {
  it('pushes what was saved, and confirms it when it is pulled', async () => {
    const world = createTestWorld();
    const ada = world.device('a');
    ada.save('one');
    ada.save('two');
    const { host, stop } = world.start(ada);
    await world.clock.advance(0);
    expect(await world.ids()).toEqual(['one', 'two']);
    expect([ada.ids, ada.pending]).toEqual([['one', 'two'], []]);
    expect(host.acknowledged.map(({ commandId }) => commandId)).toEqual(['one', 'two']);
    expect(world.requests.slice(0, 3)).toEqual(['hello', 'push', 'pull']);
    expect(host.reports.map(({ phase }) => phase)).toEqual(['elsewhere', 'syncing', 'synced']);
    expect(host.last).toMatchObject({ syncedAt: world.clock.now });
    await stop();
  });
});
