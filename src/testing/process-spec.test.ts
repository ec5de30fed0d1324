import { describe, expect, it } from 'vitest';
import { command, defineProcess, reject } from '../core/index.ts';
import { day, Order, OrderEvents, Payment } from './fixtures/shop-app.ts';
import { processSpec } from './process-spec.ts';

describe('processSpec', () => {
  const placed = processSpec(Payment, { stream: 'order-7', now: 1_000 }).given(OrderEvents.Placed({ price: 5 }));

  it('passes where the process does what was said', () => {
    const fresh = processSpec(Payment).when(OrderEvents.Placed({ price: 5 }));
    fresh.thenCommands(command(Order, '1', 'remind', {}));
    fresh.thenDeadline('unpaid', 3 * day);
    fresh.thenState({ reminders: 1, refusals: 0 });
    placed.when('unpaid').thenCommands(command(Order, '7', 'cancel', { why: 'not paid' }));
    placed.when('unpaid').thenDeadline('unpaid', null);
    placed.when('forgotten').thenState({ reminders: 2, refusals: 0 });
    placed.when(OrderEvents.Paid({})).thenCommands();
    placed.when(OrderEvents.Paid({})).thenDeadline('unpaid', null);
    placed.when(OrderEvents.Reminded({})).thenNothing();
    placed.whenRejected(command(Order, '7', 'pay', {}), 'not-open').thenState({ reminders: 1, refusals: 1 });
    placed
      .given(OrderEvents.Cancelled({ why: '' }))
      .when(OrderEvents.Cancelled({ why: '' }))
      .thenNothing();
  });

  it('says what was expected and what came', () => {
    expect(() => placed.when('unpaid').thenCommands(command(Order, '8', 'cancel', { why: 'not paid' }))).toThrow(
      /The process "payment" after Placed, at its deadline "unpaid": expected[\s\S]*"id":"8"[\s\S]*but got[\s\S]*"id":"7"/,
    );
    expect(() => placed.when('unpaid').thenNothing()).toThrow(/"cancel"/);
    expect(() => placed.when(OrderEvents.Paid({})).thenNothing()).toThrow(/the instance: expected[\s\S]*"unpaid"/);
    expect(() => placed.when(OrderEvents.Paid({})).thenDeadline('unpaid', 5)).toThrow(/"unpaid": expected\s+5/);
    expect(() => placed.when('unpaid').thenState({ reminders: 9, refusals: 0 })).toThrow(/"reminders":9/);
    expect(() => placed.given(OrderEvents.Paid({})).when('unpaid')).toThrow(
      'after Placed, Paid was expected to have the deadline "unpaid", but it has none.',
    );
    expect(() => placed.whenRejected(command(Order, '7', 'pay', {}), reject('x')).thenNothing()).toThrow(
      /where "pay" was rejected with "x"/,
    );
  });

  it('finds a process that is not made of its state and events alone, and one that keeps what cannot be saved', () => {
    let seen = 0;
    const keep = (state: () => { readonly seen: unknown }) =>
      defineProcess('keep', {
        from: [OrderEvents],
        initialState: () => ({ seen: undefined as unknown }),
        on: { Placed: () => ({ state: state() }) },
      });
    const Impure = keep(() => {
      seen += 1;
      return { seen };
    });
    expect(() => processSpec(Impure).when(OrderEvents.Placed({ price: 1 }))).toThrow('otherwise the second time');
    const one = () => 1;
    const Unsaved = keep(() => ({ seen: one }));
    expect(() => processSpec(Unsaved).when(OrderEvents.Placed({ price: 1 }))).toThrow('could not be cloned');
  });
});
