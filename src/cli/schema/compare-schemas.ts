import { compareNumbers, compareStrings, isWhole, numbersOf } from './compare-scalars.ts';
import { isDisjoint } from './disjoint.ts';
import { isObject, isSameJson, type JsonSchema } from './json-schema.ts';
import {
  namedKeys,
  namedPlaces,
  patternsOf,
  requiredKeys,
  schemasAt,
  schemasUnder,
  schemasUnderOthers,
} from './schema-keys.ts';
import {
  type Alternative,
  childOf,
  childrenOf,
  constantNode,
  constantOf,
  isNothing,
  isSameNode,
  keywordOf,
  listedValues,
  referredBy,
  type SchemaNode,
  TooManyAlternatives,
  toAlternatives,
  typeNames,
} from './schema-node.ts';

/** A value that was taken and may not be any more: where in the payload, and what has changed there. */
export interface Difference {
  /** Keys from the payload's root; `[]` stands for an item. Empty for the root. */
  readonly path: string;
  readonly problem: string;
}

/**
 * Why not everything that satisfies the stored schema satisfies the new one; nothing where everything does.
 *
 * Conservative: what cannot be proven is a difference. Each way to be a value of the stored schema (a branch of a
 * union, a listed value, a type) must satisfy each keyword of the new one.
 * References that come back to where they were are taken to hold, as a proof by induction on the depth of a value does:
 * from one comparison to the next it always goes a level down.
 */
export function compareSchemas(stored: JsonSchema, current: JsonSchema): readonly Difference[] {
  const comparison = createComparison();
  return comparison.compare([{ schema: stored, root: stored }], { schema: current, root: current }, '');
}

/** Keywords that are understood, and those that say nothing about a value. All others must be the same to the letter. */
const understood: ReadonlySet<string> = new Set(
  (
    '$ref $defs definitions allOf anyOf oneOf not type enum const ' +
    'minimum exclusiveMinimum maximum exclusiveMaximum multipleOf minLength maxLength pattern format ' +
    'items prefixItems minItems maxItems uniqueItems ' +
    'properties required additionalProperties patternProperties propertyNames minProperties maxProperties ' +
    '$schema $id $comment title description default examples deprecated readOnly writeOnly'
  ).split(' '),
);

function createComparison() {
  const underWay = new Set<string>();
  const ids = new Map<unknown, number>();
  const idOf = ({ schema }: SchemaNode) => {
    if (!ids.has(schema)) ids.set(schema, ids.size);
    return ids.get(schema);
  };

  /** Whether all that satisfies every stored schema satisfies the new one. Goes a level down at each call. */
  function compare(stored: readonly SchemaNode[], node: SchemaNode, path: string): readonly Difference[] {
    if (node.schema === true) return [];
    const key = `${[...new Set(stored.map(idOf))].sort().join()}>${idOf(node)}`;
    if (underWay.has(key)) return [];
    underWay.add(key);
    try {
      const found = toAlternatives(stored).flatMap((known) => compareAlternative(known, node, path, []));
      return found.filter((one, index) => found.findIndex((other) => isSameJson(one, other)) === index);
    } catch (error) {
      if (!(error instanceof TooManyAlternatives)) throw error;
      return [{ path, problem: 'has too many forms to be compared' }];
    } finally {
      underWay.delete(key);
    }
  }

  function compareAlternative(
    known: Alternative,
    node: SchemaNode,
    path: string,
    trail: readonly SchemaNode['schema'][],
  ): readonly Difference[] {
    const { schema } = node;
    if (schema === true || known.facts.some((fact) => isSameNode(fact, node))) return [];
    if (isNothing(node)) return [{ path, problem: 'is stored, and has no place in the new schema' }];
    if (trail.includes(schema)) return [{ path, problem: 'cannot be compared: its schema refers to itself' }];
    const inside = (part: SchemaNode) => compareAlternative(known, part, path, [...trail, schema]);

    const wrongType = compareType(known, node, path);
    if (wrongType.length > 0) return wrongType;
    const found = [...compareListed(known, node, path), ...compareUnknown(known, node, path)];
    if (keywordOf(node, '$ref') !== undefined) {
      const referred = referredBy(node);
      found.push(...(referred ? inside(referred) : [{ path, problem: 'refers to a schema that cannot be found' }]));
    }
    for (const part of childrenOf(node, 'allOf')) found.push(...inside(part));
    if (keywordOf(node, 'anyOf') !== undefined) found.push(...closest(known, childrenOf(node, 'anyOf'), inside, path));
    if (keywordOf(node, 'oneOf') !== undefined) found.push(...compareOneOf(known, node, inside, path));
    if (found.length > 0) return found;
    switch (known.type) {
      case 'number':
        return compareNumbers(known.facts, node).map((problem) => ({ path, problem }));
      case 'string':
        return compareStrings(known.facts, node).map((problem) => ({ path, problem }));
      case 'array':
        return compareArrays(known, node, path);
      case 'object':
        return compareObjects(known, node, path);
      default:
        return [];
    }
  }

  function compareArrays({ facts }: Alternative, node: SchemaNode, path: string): readonly Difference[] {
    const places = Math.max(0, ...[...facts, node].map(namedPlaces));
    const most = Math.min(...numbersOf(facts, 'maxItems'));
    const least = Math.max(0, ...numbersOf(facts, 'minItems'));
    const found: Difference[] = [];
    // One place more stands for all that come after.
    for (let index = 0; index <= places && index < most; index += 1) {
      const stored = facts.flatMap((fact) => schemasAt(fact, index));
      const place = `${path}[${index < places ? index : ''}]`;
      for (const wanted of schemasAt(node, index)) found.push(...compare(stored, wanted, place));
    }
    const closedAt = facts.filter((fact) => keywordOf(fact, 'items') === false).map(namedPlaces);
    const longest = Math.min(most, ...closedAt);
    const minItems = keywordOf(node, 'minItems');
    const maxItems = keywordOf(node, 'maxItems');
    if (minItems !== undefined && !(least >= Number(minItems))) {
      found.push({ path, problem: `had ${least} items or more, has ${String(minItems)} or more now` });
    }
    if (maxItems !== undefined && !(longest <= Number(maxItems))) {
      const before = longest === Number.POSITIVE_INFINITY ? 'any number of items' : `at most ${longest} items`;
      found.push({ path, problem: `had ${before}, has at most ${String(maxItems)} now` });
    }
    const isUnique = longest <= 1 || facts.some((fact) => keywordOf(fact, 'uniqueItems') === true);
    if (keywordOf(node, 'uniqueItems') === true && !isUnique)
      found.push({ path, problem: 'must have no item twice now' });
    return found;
  }

  function compareObjects({ facts }: Alternative, node: SchemaNode, path: string): readonly Difference[] {
    const found: Difference[] = [];
    if (patternsOf(node).length > 0) return [{ path, problem: 'uses "patternProperties", which are not compared' }];
    const required = new Set(facts.flatMap(requiredKeys));
    const keys = [...new Set([...facts, node].flatMap(namedKeys))];
    const isPossible = (stored: readonly SchemaNode[]) => toAlternatives(stored).length > 0;
    for (const key of keys) {
      const stored = facts.flatMap((fact) => schemasUnder(fact, key));
      for (const wanted of schemasUnder(node, key)) found.push(...compare(stored, wanted, join(path, key)));
    }
    for (const key of requiredKeys(node)) {
      if (!required.has(key)) {
        found.push({ path: join(path, key), problem: 'is required now, and stored events may lack it' });
      }
    }
    const others = facts.flatMap(schemasUnderOthers);
    for (const wanted of schemasUnderOthers(node)) found.push(...compare(others, wanted, join(path, '*')));

    const names = keywordOf(node, 'propertyNames');
    if (names !== undefined) {
      const wanted = childOf(node, names);
      const problem = 'is a key that is not taken any more';
      for (const key of keys) {
        if (!isPossible(facts.flatMap((fact) => schemasUnder(fact, key)))) continue;
        if (compare([constantNode(key)], wanted, '').length > 0) found.push({ path: join(path, key), problem });
      }
      const knownNames = facts.flatMap((fact) => {
        const known = keywordOf(fact, 'propertyNames');
        return known === undefined ? [] : [childOf(fact, known)];
      });
      if (isPossible(others)) found.push(...compare([textNode, ...knownNames], wanted, join(path, '(key)')));
    }

    const least = Math.max(required.size, ...numbersOf(facts, 'minProperties'));
    const most = Math.min(
      isPossible(others) ? Number.POSITIVE_INFINITY : keys.length,
      ...numbersOf(facts, 'maxProperties'),
    );
    const minProperties = keywordOf(node, 'minProperties');
    const maxProperties = keywordOf(node, 'maxProperties');
    if (minProperties !== undefined && !(least >= Number(minProperties))) {
      found.push({ path, problem: `has ${String(minProperties)} keys or more now` });
    }
    if (maxProperties !== undefined && !(most <= Number(maxProperties))) {
      found.push({ path, problem: `has at most ${String(maxProperties)} keys now` });
    }
    return found;
  }

  return { compare };
}

const textNode: SchemaNode = { schema: { type: 'string' }, root: true };

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function compareType({ type, facts }: Alternative, node: SchemaNode, path: string): readonly Difference[] {
  const names = typeNames(node);
  if (names === undefined || names.includes(type)) return [];
  if (type === 'number' && names.includes('integer')) {
    return isWhole(facts) ? [] : [{ path, problem: 'was any number, is a whole number now' }];
  }
  const isAnything = facts.every(({ schema, root }) => root === true || Object.keys(schema).length === 0);
  const constant = type === 'null' ? undefined : constantOf(facts);
  const before = constant === undefined ? type : toText(constant.value);
  return [{ path, problem: `was ${isAnything ? 'anything' : before}, is ${names.join(' or ')} now` }];
}

function compareListed({ facts }: Alternative, node: SchemaNode, path: string): readonly Difference[] {
  const listed = listedValues(node);
  if (listed === undefined) return [];
  const constant = constantOf(facts);
  if (constant === undefined) return [{ path, problem: `is one of ${listed.map(toText).join(', ')} now` }];
  if (listed.some((value) => isSameJson(value, constant.value))) return [];
  return [{ path, problem: `${toText(constant.value)} is stored, and is none of its values now` }];
}

function compareUnknown(known: Alternative, node: SchemaNode, path: string): readonly Difference[] {
  const found: Difference[] = [];
  const not = keywordOf(node, 'not');
  if (not !== undefined && !isDisjoint(known, childOf(node, not))) {
    found.push({ path, problem: 'excludes values now that may be stored' });
  }
  for (const keyword of isObject(node.schema) ? Object.keys(node.schema) : []) {
    if (!understood.has(keyword)) found.push({ path, problem: `uses "${keyword}", which is not compared` });
  }
  return found;
}

/** One branch must take it. Where none does, the differences from the branch that is nearest to it. */
function closest(
  known: Alternative,
  branches: readonly SchemaNode[],
  inside: (branch: SchemaNode) => readonly Difference[],
  path: string,
): readonly Difference[] {
  const possible = branches.filter((branch) => !isDisjoint(known, branch));
  const meant = possible.length > 0 ? possible : branches.filter((branch) => hasSameTag(known, branch));
  const results = meant.map(inside).sort((a, b) => a.length - b.length);
  return results[0] ?? [{ path, problem: `was ${describe(known)}, and no form of the new schema takes that` }];
}

/** Exactly one branch must take it, so all others must be certain not to. */
function compareOneOf(
  known: Alternative,
  node: SchemaNode,
  inside: (branch: SchemaNode) => readonly Difference[],
  path: string,
): readonly Difference[] {
  const branches = childrenOf(node, 'oneOf');
  const meant = branches.filter((branch) => !isDisjoint(known, branch));
  if (meant.length <= 1) return closest(known, branches, inside, path);
  return [{ path, problem: 'may be taken by more than one form of the new schema, which takes exactly one' }];
}

function hasSameTag({ facts }: Alternative, branch: SchemaNode): boolean {
  const tag = tagOf(facts);
  const there = tag && constantOf(schemasUnder(branch, tag.key));
  return there !== undefined && isSameJson(there.value, tag?.value);
}

/** The first key that always has the same value: what tells the forms of a union apart. */
function tagOf(facts: readonly SchemaNode[]): { readonly key: string; readonly value: unknown } | undefined {
  for (const key of new Set(facts.flatMap(namedKeys))) {
    const tag = constantOf(facts.flatMap((fact) => schemasUnder(fact, key)));
    if (tag !== undefined) return { key, value: tag.value };
  }
  return undefined;
}

function describe({ type, facts }: Alternative): string {
  const constant = constantOf(facts);
  const tag = tagOf(facts);
  if (constant !== undefined) return toText(constant.value);
  return tag === undefined ? type : `object with ${tag.key} ${toText(tag.value)}`;
}

function toText(value: unknown): string {
  return JSON.stringify(value);
}
