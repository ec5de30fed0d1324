import type { App } from '../../core/app.ts';
import type { EventDefinition } from '../../core/events.ts';
import { compareSchemas } from './compare-schemas.ts';
import { isSameJson, toJsonSchema } from './json-schema.ts';
import type { LockedEvent, LockFile } from './lock-file.ts';
import { deprecatedCode, missingVersionsCode, nextVersionCode, renamedCode } from './suggested-code.ts';

/** Why stored events would not be read as they were meant, and what to do about it. */
export interface Problem {
  /** The event type that it is about; the app's name where it is about all of them. */
  readonly subject: string;
  readonly title: string;
  /** What exactly, a line each. */
  readonly details: readonly string[];
  readonly advice: string;
  /** Code that mends it. */
  readonly code: readonly string[];
}

/** What in the code breaks what is locked. Nothing where everything stored is still read as it was. */
export function checkLock(lock: LockFile, app: App): readonly Problem[] {
  if (lock.app !== app.name) {
    return [
      {
        subject: app.name,
        title: `the lock file is of the app "${lock.app}"`,
        details: ['the database is named after the app: under another name the app starts without its events'],
        advice: 'Name the app as it was, or name its own lock file with --file.',
        code: [],
      },
    ];
  }
  return Object.entries(lock.events).flatMap(([type, locked]) => {
    const definition = definitionOf(app, type);
    if (definition === undefined) return [typeIsGone(type, locked, lock, app)];
    return [...checkNames(type, locked, definition, app), ...checkVersions(type, locked, definition)];
  });
}

/** The definition that reads what is stored under a name. */
export function definitionOf({ events }: App, storedType: string): EventDefinition | undefined {
  return events.get(storedType) ?? [...events.values()].find(({ history }) => history.formerTypes.includes(storedType));
}

function typeIsGone(type: string, locked: LockedEvent, lock: LockFile, app: App): Problem {
  const newest = locked.versions.at(-1)?.schema;
  const fresh = [...app.events.values()].filter((event) => lock.events[event.type] === undefined);
  const twin = fresh.find((event) => {
    const schema = event.history.schemas.at(-1);
    return schema !== undefined && newest != null && isSameJson(toJsonSchema(schema).schema, newest);
  });
  const details = ['events of this type are stored, and nothing in the code would read them'];
  if (twin === undefined) {
    const advice = 'Keep the type, only to be read. Or, if it has another name now, add .formerly to that one:';
    const other = fresh[0]?.type ?? 'NewName';
    const code = [...deprecatedCode(type, locked), '', '// or', ...renamedCode(other, type, locked)];
    return { subject: type, title: 'is gone', details, advice, code };
  }
  return {
    subject: type,
    title: `is gone, and ${twin.type} looks just like it`,
    details,
    advice: `If ${twin.type} is its new name, say so. If not, keep the type, only to be read:`,
    code: [...renamedCode(twin.type, type, locked), '', '// or', ...deprecatedCode(type, locked)],
  };
}

function checkNames(
  type: string,
  { formerly = [] }: LockedEvent,
  definition: EventDefinition,
  app: App,
): readonly Problem[] {
  const lost = formerly.filter((name) => definitionOf(app, name) !== definition);
  return lost.map((name) => {
    const taken = definitionOf(app, name);
    return {
      subject: type,
      title: `is not known as "${name}" any more`,
      details: [
        taken === undefined
          ? `events that were stored as "${name}" would not be read`
          : `events that were stored as "${name}" would be read as ${taken.type}`,
      ],
      advice: taken === undefined ? 'Put the name back:' : `Give ${taken.type} another name, and put this one back:`,
      code: [`${definition.type}: ….formerly('${name}'),`],
    };
  });
}

function checkVersions(type: string, locked: LockedEvent, definition: EventDefinition): readonly Problem[] {
  const { schemas } = definition.history;
  const { versions } = locked;
  const told = schemas.map((schema) => toJsonSchema(schema).schema);
  const problems: Problem[] = [];
  for (const { version, schema } of versions) {
    const current = told[version - 1];
    if (schema === null || current == null) continue;
    const differences = compareSchemas(schema, current);
    if (differences.length === 0) continue;
    const details = differences.map(({ path, problem }) => (path === '' ? problem : `${path}  ${problem}`));
    const other = versions.find((one) => one.version !== version && isSameJson(one.schema, current));
    const isNewest = version === schemas.length && version === versions.length;
    if (other !== undefined) {
      problems.push({
        subject: type,
        title: `version ${version} is what version ${other.version} was: its number is used again`,
        details,
        advice:
          'Versions are counted by their place, and the number is stored with every event. Put back what is locked, and add new versions at the end:',
        code: nextVersionCode(definition.type, { versions }, []),
      });
      break;
    }
    problems.push({
      subject: type,
      title: `version ${version} does not take all that is stored of it`,
      details,
      advice: isNewest
        ? `Leave version ${version} as it is locked, and make the change as version ${version + 1}:`
        : `Version ${version} is history. Put its schema back as it is locked:`,
      code: isNewest
        ? nextVersionCode(definition.type, { versions }, differences)
        : missingVersionsCode(versions.slice(0, version), version - 1),
    });
  }
  if (schemas.length < versions.length) {
    problems.push({
      subject: type,
      title: `has ${schemas.length === 1 ? 'one version' : `${schemas.length} versions`}, and ${versions.length} are locked`,
      details: [
        `events of version ${versions.length} would be from the future: kept, and left out of every decision and row`,
      ],
      advice: 'Put back what is missing, at the end. What you want to undo is one more version:',
      code: missingVersionsCode(versions, schemas.length),
    });
  }
  return problems;
}
