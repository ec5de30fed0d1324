import { matches } from './compare-scalars.ts';
import { isObject } from './json-schema.ts';
import { childOf, keywordOf, listedValues, type SchemaNode } from './schema-node.ts';

const nothing: SchemaNode = { schema: false, root: false };

/** Keys that a schema names, and those that it requires. */
export function namedKeys(node: SchemaNode): readonly string[] {
  const properties = keywordOf(node, 'properties');
  return [...(isObject(properties) ? Object.keys(properties) : []), ...requiredKeys(node), ...(listedKeys(node) ?? [])];
}

export function requiredKeys(node: SchemaNode): readonly string[] {
  const required = keywordOf(node, 'required');
  return Array.isArray(required) ? required.filter((key) => typeof key === 'string') : [];
}

/** The only keys that there can be, where `propertyNames` lists them. */
export function listedKeys(node: SchemaNode): readonly string[] | undefined {
  const names = keywordOf(node, 'propertyNames');
  const listed = names === undefined ? undefined : listedValues(childOf(node, names));
  return listed?.filter((key) => typeof key === 'string');
}

/** What a schema demands of the value under a key. */
export function schemasUnder(node: SchemaNode, key: string): readonly SchemaNode[] {
  if (listedKeys(node)?.includes(key) === false) return [nothing];
  const found: SchemaNode[] = [];
  let isCertain = true;
  const properties = keywordOf(node, 'properties');
  if (isObject(properties) && Object.hasOwn(properties, key)) found.push(childOf(node, properties[key]));
  for (const [pattern, schema] of patternsOf(node)) {
    const isMatch = matches(pattern, key);
    if (isMatch === true) found.push(childOf(node, schema));
    if (isMatch === undefined) isCertain = false;
  }
  const others = keywordOf(node, 'additionalProperties');
  if (found.length === 0 && isCertain && others !== undefined) found.push(childOf(node, others));
  return found;
}

/** What a schema demands of the values under keys that it does not name. */
export function schemasUnderOthers(node: SchemaNode): readonly SchemaNode[] {
  if (listedKeys(node) !== undefined) return [nothing];
  const others = keywordOf(node, 'additionalProperties');
  return others === undefined || patternsOf(node).length > 0 ? [] : [childOf(node, others)];
}

export function patternsOf(node: SchemaNode): readonly (readonly [pattern: string, schema: unknown])[] {
  const patterns = keywordOf(node, 'patternProperties');
  return isObject(patterns) ? Object.entries(patterns) : [];
}

/** What a schema demands of the item at a place. */
export function schemasAt(node: SchemaNode, index: number): readonly SchemaNode[] {
  const first = keywordOf(node, 'prefixItems');
  if (Array.isArray(first) && index < first.length) return [childOf(node, first[index])];
  const items = keywordOf(node, 'items');
  return items === undefined ? [] : [childOf(node, items)];
}

/** How many places a schema names one by one. */
export function namedPlaces(node: SchemaNode): number {
  const first = keywordOf(node, 'prefixItems');
  return Array.isArray(first) ? first.length : 0;
}
