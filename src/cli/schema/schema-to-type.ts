import { isObject, type JsonSchema } from './json-schema.ts';

/** A JSON Schema as a TypeScript type, for code that is suggested: close enough to be read, `unknown` where it is not. */
export function schemaToType(schema: unknown, root: JsonSchema | null = schema as JsonSchema, depth = 0): string {
  if (schema === false) return 'never';
  if (!isObject(schema) || depth > 6) return 'unknown';
  const inside = (part: unknown) => schemaToType(part, root, depth + 1);
  if ('const' in schema) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const branches = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(branches)) return [...new Set(branches.map(inside))].join(' | ');
  if (Array.isArray(schema.allOf)) return schema.allOf.map(inside).join(' & ');
  if (typeof schema.$ref === 'string') {
    const [, name] = /^#\/\$defs\/([^/]+)$/.exec(schema.$ref) ?? [];
    const defs = isObject(root) && isObject(root.$defs) ? root.$defs : {};
    return name === undefined ? 'unknown' : inside(defs[name]);
  }
  if (Array.isArray(schema.type)) return schema.type.map((type) => inside({ ...schema, type })).join(' | ');
  switch (schema.type) {
    case 'integer':
      return 'number';
    case 'array':
      return arrayToType(schema, inside);
    case 'object':
      return objectToType(schema, inside);
    default:
      return typeof schema.type === 'string' ? schema.type : 'unknown';
  }
}

function arrayToType(schema: { readonly [keyword: string]: unknown }, inside: (part: unknown) => string): string {
  if (Array.isArray(schema.prefixItems)) return `[${schema.prefixItems.map(inside).join(', ')}]`;
  const item = inside(schema.items);
  return /^\w+$/.test(item) ? `${item}[]` : `(${item})[]`;
}

function objectToType(schema: { readonly [keyword: string]: unknown }, inside: (part: unknown) => string): string {
  const { properties, additionalProperties } = schema;
  if (!isObject(properties)) return `Record<string, ${inside(additionalProperties)}>`;
  const required = Array.isArray(schema.required) ? schema.required : [];
  const members = Object.entries(properties).map(([key, part]) => {
    const name = /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
    return `${name}${required.includes(key) ? '' : '?'}: ${inside(part)}`;
  });
  return members.length === 0 ? 'object' : `{ ${members.join('; ')} }`;
}
