import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  defineAggregate,
  defineApp,
  defineEvents,
  type NewEvent,
  type RecordedEvent,
  shape,
  versions,
} from './index.ts';
import { createUpcaster } from './upcast.ts';

const Withdrawn = versions(shape<{ cents: number }>())
  .to(shape<{ amount: number }>(), ({ cents }) => ({ amount: cents / 100 }))
  .to(z.object({ amount: z.number(), tags: z.array(z.string()) }), ({ amount }) => ({ amount, tags: ['old'] }))
  .formerly('MoneyTaken', 'Taken');

const AccountEvents = defineEvents({ Withdrawn, Opened: shape<{ owner: string }>() });
const app = { events: new Map(Object.entries(AccountEvents)) } as unknown as Parameters<typeof createUpcaster>[0];

function stored(type: string, version: number, data: unknown): RecordedEvent {
  const meta = { commandId: 'c', correlationId: 'c', recordedAt: 0 };
  return Object.freeze({ id: 'c.0', stream: 'account-1', revision: 0, position: 7, type, version, data, meta });
}

describe('versions', () => {
  it('store new events in the newest form, checked by its schema', () => {
    expect(AccountEvents.Withdrawn.version).toBe(3);
    expect(AccountEvents.Withdrawn({ amount: 1, tags: [] })).toEqual({
      type: 'Withdrawn',
      data: { amount: 1, tags: [] },
    });
    expect(() => AccountEvents.Withdrawn({ amount: 1 } as never)).toThrow('does not fit its schema: tags');
  });

  it('show every stored form as the newest, frozen, and leave what is stored as it is', () => {
    const { upcast } = createUpcaster(app);
    const old = [
      stored('Withdrawn', 1, Object.freeze({ cents: 250 })),
      stored('Withdrawn', 2, Object.freeze({ amount: 2.5 })),
      stored('Taken', 1, Object.freeze({ cents: 250 })),
      stored('MoneyTaken', 3, Object.freeze({ amount: 2.5, tags: Object.freeze(['old']) })),
    ];
    const before = structuredClone(old);
    for (const event of upcast(old)) {
      expect(event).toMatchObject({ type: 'Withdrawn', data: { amount: 2.5, tags: ['old'] }, position: 7 });
      expect(Object.isFrozen((event.data as { tags: unknown }).tags)).toBe(true);
    }
    expect(old).toEqual(before);
  });

  it('cost nothing where nothing is old: the same events come back', () => {
    const { upcast } = createUpcaster(app);
    const events = [stored('Withdrawn', 3, { amount: 1, tags: [] }), stored('Opened', 1, { owner: 'Ada' })];
    expect(upcast(events)).toBe(events);
  });

  it('keep an event that is newer than the code as it is stored, and tell it', () => {
    const { upcast, readable, whyUnreadable } = createUpcaster(app);
    const future = [stored('Withdrawn', 4, { sum: 1 }), stored('Merged', 1, {})];
    expect(upcast(future)).toEqual(future);
    expect(upcast(future).map((event) => whyUnreadable(event)?.type)).toEqual(['event.future', 'event.future']);
    expect(whyUnreadable(future[0] as RecordedEvent)?.text).toContain('this build knows version 3');
    expect(whyUnreadable(stored('Opened', 1, {}))).toBeUndefined();
    const known = [stored('Opened', 1, {})];
    expect(readable(known)).toBe(known);
    expect(readable([...known, ...future])).toEqual(known);
  });

  it('keep an event on which an upcaster throws as it is stored, and tell it', () => {
    const { upcast, whyUnreadable } = createUpcaster({
      events: new Map(
        Object.entries(
          defineEvents({
            Noted: versions(shape<{ text: string }>()).to(shape<{ words: string[] }>(), ({ text }) => ({
              words: text.split(' '),
            })),
          }),
        ),
      ),
    });
    const [good, bad] = upcast([stored('Noted', 1, { text: 'a b' }), stored('Noted', 1, {})]);
    expect(good?.data).toEqual({ words: ['a', 'b'] });
    expect(bad).toEqual(stored('Noted', 1, {}));
    expect(good && whyUnreadable(good)).toBeUndefined();
    expect(bad && whyUnreadable(bad)).toMatchObject({ type: 'event.upcaster-failed', eventType: 'Noted', position: 7 });
  });

  it('let a deprecated type be read and not made', () => {
    const Old = defineEvents({ Gone: versions(shape<{ why: string }>()).deprecated() });
    const make = Old.Gone as unknown as (data: unknown) => NewEvent;
    expect(() => make({ why: '' })).toThrow('"Gone" event was made, but the type is deprecated');
  });

  it('are looked for under all names that they ever had', () => {
    expect(createUpcaster(app).storedTypes(['Withdrawn', 'Opened'])).toEqual([
      'Withdrawn',
      'MoneyTaken',
      'Taken',
      'Opened',
    ]);
  });

  it('refuse a former name that another type has', () => {
    const withFormer = (former: string) => {
      const events = defineEvents({
        A: shape<object>(),
        B: versions(shape<object>()).formerly('X'),
        C: versions(shape<object>()).formerly(former),
      });
      const evolve = { A: () => 0, B: () => 0, C: () => 0 };
      const Thing = defineAggregate('thing', { events, initialState: () => 0, evolve, commands: {} });
      return () => defineApp({ name: 'app', aggregates: [Thing], projections: [] });
    };
    expect(withFormer('A')).toThrow('an event "C" that was formerly "A", and an event "A" that claims this name too');
    expect(withFormer('X')).toThrow('claims this name too');
    expect(withFormer('Y')).not.toThrow();
  });
});
