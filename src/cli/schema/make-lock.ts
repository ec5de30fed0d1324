import type { App } from '../../core/app.ts';
import type { EventDefinition } from '../../core/events.ts';
import { compareSchemas } from './compare-schemas.ts';
import { type JsonSchema, toJsonSchema } from './json-schema.ts';
import type { LockedEvent, LockFile } from './lock-file.ts';

/** A version whose schema tells nothing, so that its changes are not seen. */
export interface UntoldVersion {
  readonly type: string;
  readonly version: number;
  readonly why: string;
}

/** What the code stores today, with the fixtures and the knowledge of the lock file that it takes the place of. */
export function makeLock(app: App, previous: LockFile | undefined): LockFile {
  return {
    varve: 'schema-lock',
    format: 1,
    app: app.name,
    events: Object.fromEntries(
      [...app.events].map(([type, event]) => [type, lockEvent(event, previous?.events[type])]),
    ),
    fixtures: previous?.fixtures ?? {},
  };
}

/** The versions that are not compared, and why. */
export function untoldVersions(app: App): readonly UntoldVersion[] {
  return [...app.events.values()].flatMap(({ type, history }) =>
    history.schemas.flatMap((schema, index) => {
      const { why } = toJsonSchema(schema);
      return why === undefined ? [] : [{ type, version: index + 1, why }];
    }),
  );
}

/** What a lock file would have that another has not, a line each; those that the code must not be released without come first. */
export interface LockChanges {
  /** Types, versions and names that are not locked yet. */
  readonly unlocked: readonly string[];
  /** What is locked and has changed without harm. */
  readonly harmless: readonly string[];
}

export function compareLocks(previous: LockFile, next: LockFile): LockChanges {
  const unlocked: string[] = [];
  const harmless: string[] = [];
  for (const [type, event] of Object.entries(next.events)) {
    const before = previous.events[type];
    const names = (event.formerly ?? []).filter((name) => !before?.formerly?.includes(name));
    for (const name of names) unlocked.push(`${type} was formerly ${name}`);
    for (const { version, schema } of event.versions) {
      const known = before?.versions[version - 1];
      if (known === undefined) unlocked.push(`${type} version ${version}`);
      else if (known.schema === null && schema !== null) unlocked.push(`${type} version ${version} has a schema now`);
      else if (takesMore(schema, known.schema)) harmless.push(`${type} version ${version} takes more than is locked`);
    }
    if (before !== undefined && before.deprecated !== event.deprecated) {
      harmless.push(event.deprecated ? `${type} is deprecated` : `${type} is no longer deprecated`);
    }
  }
  return { unlocked, harmless };
}

function takesMore(schema: JsonSchema | null, locked: JsonSchema | null): boolean {
  return locked !== null && compareSchemas(schema ?? true, locked).length > 0;
}

function lockEvent({ history }: EventDefinition, previous: LockedEvent | undefined): LockedEvent {
  const newest = history.schemas.length;
  return {
    ...(history.formerTypes.length > 0 ? { formerly: [...history.formerTypes].sort() } : {}),
    ...(history.isDeprecated ? { deprecated: true } : {}),
    versions: history.schemas.map((schema, index) => {
      const told = toJsonSchema(schema).schema;
      // What an old version stored stays known, also where the code has only a bare shape for it now.
      const known = index + 1 < newest ? previous?.versions[index]?.schema : undefined;
      return { version: index + 1, schema: told ?? known ?? null };
    }),
  };
}
