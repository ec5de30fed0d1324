/** `account-42`: the aggregate's name, a hyphen, the id that the app gave. Names hold no hyphen, ids may. */
export function toStreamId(aggregate: string, id: string): string {
  return `${aggregate}-${id}`;
}

/** The id that the app gave: what follows the first hyphen. */
export function streamIdToId(stream: string): string {
  return stream.slice(stream.indexOf('-') + 1);
}

/** The aggregate's name: what stands before the first hyphen. */
export function streamIdToAggregate(stream: string): string {
  return stream.slice(0, stream.indexOf('-'));
}

/** Throws where a name cannot stand in a stream id. */
export function requireName(kind: string, name: string): void {
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) {
    throw new Error(
      `The ${kind} name "${name}" cannot be used: names start with a letter and hold letters, digits and "_" only ("$" is reserved, "-" separates name and id).`,
    );
  }
}
