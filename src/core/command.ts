import type { Aggregate, CommandInput, CommandName } from './aggregate.ts';
import type { OptionalData } from './events.ts';

/** A command as plain data. */
export interface Command<A extends Aggregate = Aggregate, Name extends CommandName<A> = CommandName<A>> {
  readonly aggregate: string;
  readonly id: string;
  readonly name: Name;
  readonly input: CommandInput<A, Name>;
  /** Never there at run time: it carries the aggregate's type. */
  readonly of?: A;
}

/**
 * Makes a command to be executed with others as one atomic commit.
 *
 * ### Example
 * ```ts
 * await client.execute([command(Account, 'ada', 'withdraw', { amount: 5 }), command(Account, 'ben', 'deposit', { amount: 5 })]);
 * ```
 */
export function command<A extends Aggregate, Name extends CommandName<A>>(
  aggregate: A,
  id: string,
  name: Name,
  ...[input]: OptionalData<CommandInput<A, Name>>
): Command<A, Name> {
  // Left out only where nothing has to be said.
  return { aggregate: aggregate.name, id, name, input: input ?? ({} as CommandInput<A, Name>) };
}
