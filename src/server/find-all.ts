/** What is found, by its key. */
export function findAll<Key, Value>(
  keys: readonly Key[],
  find: (key: Key) => Value | undefined,
): ReadonlyMap<Key, Value> {
  return new Map(
    keys.flatMap((key): [Key, Value][] => {
      const value = find(key);
      return value === undefined ? [] : [[key, value]];
    }),
  );
}
