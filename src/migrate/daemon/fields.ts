// Checked access to the daemon's answers: a field of another kind than expected is a failure that names it.
import { migrateFailure } from '../problem.ts';

/** An object of an answer, with the words by which a failure names it. */
export interface Fields {
  readonly where: string;
  readonly values: Readonly<Record<string, unknown>>;
}

export function fields(value: unknown, where: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw unreadable(where, 'an object', value);
  return { where, values: value as Readonly<Record<string, unknown>> };
}

/** A list of objects; both daemons write null for an empty one. */
export function fieldsList(value: unknown, where: string): Fields[] {
  return list(value, where).map((item, index) => fields(item, `${where}[${index}]`));
}

export function list(value: unknown, where: string): readonly unknown[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw unreadable(where, 'a list', value);
  return value;
}

/** Text of a field; empty where it is missing. */
export function textOf({ where, values }: Fields, key: string): string {
  const value = own(values, key);
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw unreadable(`${where}.${key}`, 'text', value);
  return value;
}

export function flagOf({ where, values }: Fields, key: string): boolean {
  const value = own(values, key);
  if (value === undefined || value === null) return false;
  if (typeof value !== 'boolean') throw unreadable(`${where}.${key}`, 'true or false', value);
  return value;
}

export function numberOf({ where, values }: Fields, key: string): number {
  const value = own(values, key);
  if (value === undefined || value === null) return 0;
  if (typeof value !== 'number') throw unreadable(`${where}.${key}`, 'a number', value);
  return value;
}

export function textsOf({ where, values }: Fields, key: string): readonly string[] {
  return list(own(values, key), `${where}.${key}`).map((item, index) => {
    if (typeof item !== 'string') throw unreadable(`${where}.${key}[${index}]`, 'text', item);
    return item;
  });
}

/** Keys and values in order. LXD writes `true` for a password of the server that is set. */
export function configOf(from: Fields, key: string): Readonly<Record<string, string>> {
  const value = own(from.values, key);
  if (value === undefined || value === null) return {};
  const { where, values } = fields(value, `${from.where}.${key}`);
  return Object.fromEntries(
    Object.keys(values)
      .sort()
      .map((name) => [name, plain(own(values, name), `${where}.${name}`)]),
  );
}

/** Sets of keys and values by name. */
export function configsOf(
  from: Fields,
  key: string,
): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const value = own(from.values, key);
  if (value === undefined || value === null) return {};
  const sets = fields(value, `${from.where}.${key}`);
  return Object.fromEntries(
    Object.keys(sets.values)
      .sort()
      .map((name) => [name, configOf(sets, name)]),
  );
}

export function rawOf({ values }: Fields, key: string): unknown {
  return own(values, key);
}

/** JSON can bring a key called `__proto__` or `constructor`. */
function own(values: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(values, key) ? values[key] : undefined;
}

function plain(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'number') return String(value);
  throw unreadable(where, 'text', value);
}

function unreadable(where: string, expected: string, value: unknown): Error {
  const found = value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
  return migrateFailure({
    code: 'daemon-answer-unreadable',
    request: where,
    why: `expected ${expected}, found ${found}`,
  });
}
