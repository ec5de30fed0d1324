import { isObject, isSameJson, type JsonSchema } from './json-schema.ts';

/** A schema, and the one that its references are looked up in. */
export interface SchemaNode {
  readonly schema: JsonSchema;
  readonly root: JsonSchema;
}

/** The types of JSON values. An integer is a number. */
export type JsonType = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object';

export const jsonTypes: readonly JsonType[] = ['null', 'boolean', 'number', 'string', 'array', 'object'];

/** One way to be a value of a schema: of this type, and as every one of the facts says. */
export interface Alternative {
  readonly type: JsonType;
  /** Schemas that each such value satisfies, with their references, unions and intersections taken apart. */
  readonly facts: readonly SchemaNode[];
}

/** So many ways are compared; a schema with more is called incomparable, which is the safe answer. */
const maxAlternatives = 2_000;

export class TooManyAlternatives extends Error {}

/** The value of a keyword; undefined where the schema does not have it. */
export function keywordOf({ schema }: SchemaNode, keyword: string): unknown {
  return isObject(schema) && Object.hasOwn(schema, keyword) ? schema[keyword] : undefined;
}

/** A schema inside another one. */
export function childOf({ root }: SchemaNode, schema: unknown): SchemaNode {
  return { schema: schema as JsonSchema, root };
}

export function childrenOf(node: SchemaNode, keyword: string): readonly SchemaNode[] {
  const list = keywordOf(node, keyword);
  return Array.isArray(list) ? list.map((schema) => childOf(node, schema)) : [];
}

/** What a `$ref` points at; undefined where the schema has none, or where it leads out of the document. */
export function referredBy(node: SchemaNode): SchemaNode | undefined {
  const reference = keywordOf(node, '$ref');
  if (typeof reference !== 'string' || !/^#(\/|$)/.test(reference)) return undefined;
  let target: unknown = node.root;
  for (const part of reference.split('/').slice(1)) {
    const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    if ((!isObject(target) && !Array.isArray(target)) || !Object.hasOwn(target, key)) return undefined;
    target = (target as Record<string, unknown>)[key];
  }
  return isObject(target) || typeof target === 'boolean' ? childOf(node, target) : undefined;
}

/** Whether nothing satisfies the schema: `false`, or "not anything" as some validators write it. */
export function isNothing(node: SchemaNode): boolean {
  if (node.schema === false) return true;
  const not = keywordOf(node, 'not');
  return not === true || (isObject(not) && Object.keys(not).length === 0);
}

/** Whether two schemas are the same to the letter, and mean the same by it. */
export function isSameNode(a: SchemaNode, b: SchemaNode): boolean {
  if (!isSameJson(a.schema, b.schema)) return false;
  return !JSON.stringify(a.schema).includes('"$ref"') || isSameJson(a.root, b.root);
}

/**
 * All ways to satisfy all of the schemas at once. Never too few of them: where a schema says more than is understood,
 * the alternatives are wider than it is.
 */
export function toAlternatives(nodes: readonly SchemaNode[]): readonly Alternative[] {
  return takeApart(nodes, [])
    .flatMap(splitValues)
    .flatMap((facts) => typesOf(facts).flatMap((type) => splitType(type, facts)));
}

function takeApart(pending: readonly SchemaNode[], facts: readonly SchemaNode[]): (readonly SchemaNode[])[] {
  const [node, ...rest] = pending;
  if (node === undefined) return [facts];
  if (isNothing(node)) return [];
  // What refers to itself without a level in between says nothing more the second time.
  if (node.schema === true || facts.some(({ schema }) => schema === node.schema)) return takeApart(rest, facts);
  const referred = referredBy(node);
  const also = [...(referred === undefined ? [] : [referred]), ...childrenOf(node, 'allOf')];
  let found: (readonly SchemaNode[])[] = [[...facts, node]];
  for (const keyword of ['anyOf', 'oneOf']) {
    const branches = childrenOf(node, keyword);
    if (branches.length === 0) continue;
    found = found.flatMap((known) => branches.flatMap((branch) => takeApart([branch], known)));
    requireFew(found.length);
  }
  const all = found.flatMap((known) => takeApart([...also, ...rest], known));
  requireFew(all.length);
  return all;
}

function requireFew(count: number): void {
  if (count > maxAlternatives) throw new TooManyAlternatives();
}

/** Where values are listed, each is a way of its own. */
function splitValues(facts: readonly SchemaNode[]): (readonly SchemaNode[])[] {
  const lists = facts.map(listedValues).filter((list) => list !== undefined);
  const [first, ...others] = lists;
  if (first === undefined) return [facts];
  return first
    .filter((value) => others.every((list) => list.some((other) => isSameJson(value, other))))
    .map((value) => [...facts, constantNode(value)]);
}

/** The only values that a schema takes, where it lists them. */
export function listedValues(node: SchemaNode): readonly unknown[] | undefined {
  const listed = keywordOf(node, 'enum');
  const values = Array.isArray(listed) ? listed : undefined;
  if (!isObject(node.schema) || !Object.hasOwn(node.schema, 'const')) return values;
  const { const: constant } = node.schema;
  return values?.every((value) => !isSameJson(value, constant)) ? [] : [constant];
}

export function constantNode(value: unknown): SchemaNode {
  return { schema: { const: value }, root: true };
}

/** The one value that is left; undefined where there are more. */
export function constantOf(facts: readonly SchemaNode[]): { readonly value: unknown } | undefined {
  const list = facts.map(listedValues).find((values) => values?.length === 1);
  return list === undefined ? undefined : { value: list[0] };
}

function typesOf(facts: readonly SchemaNode[]): readonly JsonType[] {
  const constant = constantOf(facts);
  return jsonTypes.filter(
    (type) =>
      (constant === undefined || typeOf(constant.value) === type) &&
      facts.every((fact) => {
        const names = typeNames(fact);
        return names === undefined || names.includes(type) || (type === 'number' && names.includes('integer'));
      }),
  );
}

export function typeNames(node: SchemaNode): readonly unknown[] | undefined {
  const type = keywordOf(node, 'type');
  if (type === undefined) return undefined;
  return Array.isArray(type) ? type : [type];
}

function splitType(type: JsonType, facts: readonly SchemaNode[]): readonly Alternative[] {
  if (constantOf(facts) !== undefined) return [{ type, facts }];
  if (type === 'null') return [{ type, facts: [...facts, constantNode(null)] }];
  if (type !== 'boolean') return [{ type, facts }];
  return [true, false].map((value) => ({ type, facts: [...facts, constantNode(value)] }));
}

export function typeOf(value: unknown): JsonType {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value as JsonType;
}
