import type { Difference } from './compare-schemas.ts';
import type { LockedEvent, LockedVersion } from './lock-file.ts';
import { schemaToType } from './schema-to-type.ts';

/** The declaration that keeps a type readable that the code does not have any more. */
export function deprecatedCode(type: string, { versions }: LockedEvent): readonly string[] {
  return [`${type}: versions(${shapeCode(versions[0])})`, ...restCode(versions), '  .deprecated(),'];
}

/** The declaration of a type under its new name. */
export function renamedCode(type: string, former: string, { versions }: LockedEvent): readonly string[] {
  const [first] = versions;
  if (versions.length === 1) return [`${type}: versions(${ofToday}).formerly('${former}'),`];
  return [`${type}: versions(${shapeCode(first)})`, ...restCode(versions), `  .formerly('${former}'),`];
}

/** The declaration with the locked version put back, and what the code has now as the one after it. */
export function nextVersionCode(
  type: string,
  { versions }: LockedEvent,
  differences: readonly Difference[],
): readonly string[] {
  const next = versions.length + 1;
  const [start = '', ...links] = versions.map((locked) => shapeCode(locked));
  const note = (version: number) => `// version ${version}, as it is locked`;
  return [
    `${type}: versions(${start}) ${note(1)}`,
    ...links.map((shape, index) => `  .to(${shape}, ${upcastOfToday}) ${note(index + 2)}`),
    `  .to(${ofToday}, ${upcasterCode(differences)}), // version ${next}`,
  ];
}

/** The links that a history lacks. */
export function missingVersionsCode(versions: readonly LockedVersion[], known: number): readonly string[] {
  return versions
    .slice(known)
    .map((locked) => `  .to(${shapeCode(locked)}, (stored) => …) // version ${locked.version}, as it is locked`);
}

const ofToday = '/* the schema of today */';
const upcastOfToday = '/* its upcaster */';

function restCode(versions: readonly LockedVersion[]): readonly string[] {
  return versions.slice(1).map((locked) => `  .to(${shapeCode(locked)}, ${upcastOfToday})`);
}

function shapeCode(locked: LockedVersion | undefined): string {
  return locked?.schema == null ? '/* its schema */' : `shape<${schemaToType(locked.schema)}>()`;
}

/** An upcaster with a place for each key that has changed, and without those that are gone. */
function upcasterCode(differences: readonly Difference[]): string {
  const keyOf = ({ path }: Difference) => /^[A-Za-z_$][\w$]*/.exec(path)?.[0];
  const isGone = ({ path, problem }: Difference) => /^[\w$]+$/.test(path) && problem.startsWith('is stored');
  const keys = (some: readonly Difference[]) => [...new Set(some.map(keyOf))].filter((key) => key !== undefined);
  const gone = keys(differences.filter(isGone));
  const changed = keys(differences.filter((difference) => !isGone(difference))).filter((key) => !gone.includes(key));
  const given = gone.length > 0 ? `({ ${[...gone, '...stored'].join(', ')} })` : '(stored)';
  if (gone.length > 0 && changed.length === 0) return `${given} => stored`;
  const parts = ['...stored', ...changed.map((key) => `${key}: …`)];
  return changed.length === 0 ? `${given} => …` : `${given} => ({ ${parts.join(', ')} })`;
}
