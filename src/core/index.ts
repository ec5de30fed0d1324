export type {
  Aggregate,
  CommandInput,
  CommandName,
  CommandRejection,
  DecideContext,
  Decided,
  OnConflict,
} from './aggregate.ts';
export { defineAggregate } from './aggregate.ts';
export type { App, Consumer } from './app.ts';
export { defineApp } from './app.ts';
export type { Command } from './command.ts';
export { command } from './command.ts';
export type { Decision, DecisionInput, DecisionRejection } from './decision.ts';
export { defineDecision } from './decision.ts';
export type { Env } from './env.ts';
export type { ExpectedRevision, Failure } from './errors.ts';
export { FailureError } from './errors.ts';
export type { EventQuery } from './event-query.ts';
export type { EventDefinition, EventMeta, EventSet, NewEvent, RecordedEvent, RecordedEventOf } from './events.ts';
export { defineEvents } from './events.ts';
export { fromDecider } from './from-decider.ts';
export type { DeadlineContext, Process, ProcessContext, RejectedCommand, Step } from './process.ts';
export { defineProcess } from './process.ts';
export type { Projection, RowChange, RowOf, RowsBefore, ValueProjection } from './projection.ts';
export { defineProjection, defineValue } from './projection.ts';
export type { Reactor, ReactorContext, StartAt } from './reactor.ts';
export { defineReactor } from './reactor.ts';
export type { CommandState, Confirmed, Failed, Pushed, Receipt, Refused, Rejected, Saved, Sending } from './receipt.ts';
export type { InvalidInput, Rejection } from './rejection.ts';
export { reject } from './rejection.ts';
export type { Condition, Cursor, KeyedRow, QueryAnswer, RowQuery, Where } from './row-query.ts';
export type { Issue, Schema } from './schema.ts';
export { shape } from './schema.ts';
export type { Versions } from './versions.ts';
export { versions } from './versions.ts';
export type { View } from './view.ts';
export { view } from './view.ts';
