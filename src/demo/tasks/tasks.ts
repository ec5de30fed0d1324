// The domain of the to-do list: pure definitions, imported by the page, the worker and the tests.
import { defineAggregate, defineApp, defineEvents, defineProjection, type RowOf, shape } from 'varve';
import * as z from 'zod';

const nothing = z.object({});

export const TodoEvents = defineEvents({
  Added: z.object({ title: z.string() }),
  Renamed: z.object({ title: z.string() }),
  Completed: nothing,
  Reopened: nothing,
  Removed: nothing,
});

/** A command that finds nothing to change decides nothing: another tab may have been there first. */
export const Todo = defineAggregate('todo', {
  events: TodoEvents,
  initialState: () => ({ exists: false, title: '', completed: false }),
  evolve: {
    Added: (_todo, { data }) => ({ exists: true, title: data.title, completed: false }),
    Renamed: (todo, { data }) => ({ ...todo, title: data.title }),
    Completed: (todo) => ({ ...todo, completed: true }),
    Reopened: (todo) => ({ ...todo, completed: false }),
    Removed: (todo) => ({ ...todo, exists: false }),
  },
  commands: {
    add: {
      input: z.object({ title: z.string().trim().min(1) }),
      decide: (input, todo) => (todo.exists ? [] : TodoEvents.Added(input)),
    },
    /** A todo without a title is none. */
    rename: {
      input: z.object({ title: z.string().trim() }),
      decide: ({ title }, todo) => {
        if (!todo.exists || title === todo.title) return [];
        return title === '' ? TodoEvents.Removed() : TodoEvents.Renamed({ title });
      },
    },
    complete: {
      input: nothing,
      decide: (_input, todo) => (todo.exists && !todo.completed ? TodoEvents.Completed() : []),
    },
    reopen: {
      input: nothing,
      decide: (_input, todo) => (todo.exists && todo.completed ? TodoEvents.Reopened() : []),
    },
    remove: { input: nothing, decide: (_input, todo) => (todo.exists ? TodoEvents.Removed() : []) },
  },
});

/** What is on the list, in the order of addition: rows stand in the order in which they were made. */
export const Todos = defineProjection('todos', {
  version: 1,
  from: [TodoEvents],
  row: shape<{ readonly id: string; readonly title: string; readonly completed: boolean }>(),
  on: {
    Added: (_row, { data }, id) => ({ id, title: data.title, completed: false }),
    Renamed: (row, { data }) => row && { ...row, title: data.title },
    Completed: (row) => row && { ...row, completed: true },
    Reopened: (row) => row && { ...row, completed: false },
    Removed: () => null,
  },
});

export type TodoRow = RowOf<typeof Todos>;

export const tasks = defineApp({ name: 'tasks', aggregates: [Todo], projections: [Todos] });
