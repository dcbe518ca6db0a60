// Checks a value against the JSON schemas of the rule pack; every error says where, and what was perhaps meant.

import { suggest } from '../../core/suggest.ts';

export interface SchemaNode {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false;
  /** For maps with free keys. */
  readonly values?: SchemaNode;
  readonly items?: SchemaNode;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly SchemaNode[];
  readonly minLength?: number;
  readonly minimum?: number;
  readonly pattern?: string;
}

export interface SchemaError {
  readonly at: string;
  readonly why: string;
}

const shapes: Readonly<Record<string, { readonly test: RegExp; readonly what: string }>> = {
  kebab: { test: /^[a-z0-9]+(?:-[a-z0-9]+)*$/, what: 'small words with hyphens between them' },
  identity: { test: /^[^<>\n]+ <[^<>\s]+>$/, what: 'a name and an address: Name <mail>' },
  sha: { test: /^[0-9a-f]{40}$/, what: 'a full sha of 40 digits' },
  sha256: { test: /^[0-9a-f]{64}$/, what: 'a SHA-256 of 64 digits' },
  date: { test: /^\d{4}-\d{2}-\d{2}$/, what: 'a date: 2026-01-31' },
};

/** All errors of a value, none for a valid one. */
export function validateSchema(value: unknown, schema: SchemaNode, at = ''): readonly SchemaError[] {
  const here = at === '' ? 'top' : at;
  if (schema.anyOf !== undefined) {
    const tries = schema.anyOf.map((option) => validateSchema(value, option, at));
    return tries.some((errors) => errors.length === 0) ? [] : (tries[0] ?? []);
  }
  switch (schema.type) {
    case 'object':
      return validateObject(value, schema, at);
    case 'array':
      if (!Array.isArray(value)) return [{ at: here, why: `a list is needed, not ${nameOf(value)}` }];
      return value.flatMap((item, index) => validateSchema(item, schema.items ?? {}, `${at}[${index}]`));
    case 'integer':
      if (typeof value !== 'number' || !Number.isInteger(value))
        return [{ at: here, why: `a whole number is needed, not ${nameOf(value)}` }];
      return value < (schema.minimum ?? value)
        ? [{ at: here, why: `must be at least ${schema.minimum}` }]
        : [];
    case 'boolean':
      return typeof value === 'boolean'
        ? []
        : [{ at: here, why: `true or false is needed, not ${nameOf(value)}` }];
    case 'string':
      return validateString(value, schema, here);
    default:
      return [];
  }
}

function validateString(value: unknown, schema: SchemaNode, here: string): readonly SchemaError[] {
  if (typeof value !== 'string') return [{ at: here, why: `text is needed, not ${nameOf(value)}` }];
  if (schema.enum !== undefined && !schema.enum.includes(value))
    return [{ at: here, why: `${JSON.stringify(value)} is not known${suggest(value, schema.enum)}` }];
  if (value.length < (schema.minLength ?? 0))
    return [{ at: here, why: `at least ${schema.minLength} characters are needed` }];
  const shape = schema.pattern === undefined ? undefined : shapes[schema.pattern];
  if (shape !== undefined && !shape.test.test(value))
    return [{ at: here, why: `${JSON.stringify(value)} is not ${shape.what}` }];
  return [];
}

function validateObject(value: unknown, schema: SchemaNode, at: string): readonly SchemaError[] {
  const here = at === '' ? 'top' : at;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [{ at: here, why: `keys and values are needed, not ${nameOf(value)}` }];
  const properties = schema.properties ?? {};
  const errors: SchemaError[] = [];
  for (const key of schema.required ?? [])
    if (!Object.hasOwn(value, key)) errors.push({ at: here, why: `the key ${key} is missing` });
  for (const [key, inner] of Object.entries(value)) {
    const node = Object.hasOwn(properties, key) ? properties[key] : schema.values;
    const place = at === '' ? key : `${at}.${key}`;
    if (node !== undefined) for (const error of validateSchema(inner, node, place)) errors.push(error);
    else errors.push({ at: place, why: `unknown key${suggest(key, Object.keys(properties))}` });
  }
  return errors;
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'keys and values' : JSON.stringify(value);
}
