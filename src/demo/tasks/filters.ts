import type { TodoRow } from './tasks.ts';

/** A part of the list, by the route that shows it. */
export interface Filter {
  readonly route: string;
  readonly name: string;
  shows(todo: TodoRow): boolean;
}

const all: Filter = { route: '/', name: 'All', shows: () => true };

/** In the order in which they are offered. */
export const filters: readonly Filter[] = [
  all,
  { route: '/active', name: 'Active', shows: ({ completed }) => !completed },
  { route: '/completed', name: 'Completed', shows: ({ completed }) => completed },
];

/** All are shown where the address names nothing else. */
export function findFilter(route: string): Filter {
  return filters.find((filter) => filter.route === route) ?? all;
}
