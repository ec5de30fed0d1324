import { isSameJson } from './json-schema.ts';
import { namedKeys, requiredKeys, schemasUnder } from './schema-keys.ts';
import {
  type Alternative,
  childrenOf,
  constantOf,
  isNothing,
  listedValues,
  referredBy,
  type SchemaNode,
  toAlternatives,
  typeNames,
} from './schema-node.ts';

/** How deep keys are looked at: a tag that tells two forms apart stands near the top. */
const maxDepth = 4;

/** Whether it is certain that no value of the alternative satisfies the schema. */
export function isDisjoint(alternative: Alternative, node: SchemaNode, depth = 0): boolean {
  if (isNothing(node)) return true;
  if (depth > maxDepth) return false;
  const { type, facts } = alternative;
  const names = typeNames(node);
  if (names !== undefined && !names.includes(type) && !(type === 'number' && names.includes('integer'))) return true;
  const constant = constantOf(facts);
  const listed = listedValues(node);
  if (constant !== undefined && listed?.every((value) => !isSameJson(value, constant.value))) return true;
  const referred = referredBy(node);
  if (referred !== undefined && isDisjoint(alternative, referred, depth + 1)) return true;
  if (childrenOf(node, 'allOf').some((part) => isDisjoint(alternative, part, depth + 1))) return true;
  for (const keyword of ['anyOf', 'oneOf']) {
    const branches = childrenOf(node, keyword);
    if (branches.length > 0 && branches.every((branch) => isDisjoint(alternative, branch, depth + 1))) return true;
  }
  if (type !== 'object') return false;
  const required = new Set([...facts, node].flatMap(requiredKeys));
  const keys = [...facts, node].flatMap(namedKeys).filter((key) => required.has(key));
  return [...new Set(keys)].some((key) => {
    const alternatives = toAlternatives(facts.flatMap((fact) => schemasUnder(fact, key)));
    return alternatives.every((known) =>
      schemasUnder(node, key).some((wanted) => isDisjoint(known, wanted, depth + 1)),
    );
  });
}
