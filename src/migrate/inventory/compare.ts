// Compares two inventories object by object and key by key; which differences are no loss is data.
import { showValue } from '../../core/secret.ts';
import { isTrue } from '../is-true.ts';
import type { Difference } from '../model/difference.ts';
import type { Inventory } from '../model/inventory.ts';
import type { AcceptedDifference } from '../rules/migration-rules.ts';
import { type ObjectFields, type Objects, objectsOf, partsOf } from './objects.ts';

/**
 * Every difference that no rule accepts. What one of the two does not know (a field of value undefined, parts that were not
 * asked for) is not compared.
 */
export function compareInventories(
  expected: Inventory,
  actual: Inventory,
  rules: readonly AcceptedDifference[],
): Difference[] {
  const before = objectsOf(expected);
  const after = objectsOf(actual);
  const accept = acceptance(rules);
  return [...missingAndDifferent(before, after), ...extra(before, after)]
    .filter((found) => !accept(found))
    .map(toDifference);
}

interface Found {
  readonly change: Difference['change'];
  readonly object: ObjectFields;
  readonly field: string | undefined;
  readonly key: string;
  readonly expected: string | undefined;
  readonly actual: string | undefined;
}

function byId({ list }: Objects): Map<string, ObjectFields> {
  return new Map(list.map((object) => [idOf(object), object]));
}

function idOf({ kind, name }: ObjectFields): string {
  return JSON.stringify([kind, name]);
}

function isKnown(object: ObjectFields, { unknown }: Objects): boolean {
  return !unknown.has(partsOf(object.kind, object.parent));
}

function wholeObject(change: 'missing' | 'extra', object: ObjectFields): Found {
  return { change, object, field: undefined, key: '', expected: undefined, actual: undefined };
}

function missingAndDifferent(before: Objects, after: Objects): Found[] {
  const others = byId(after);
  return before.list.flatMap((object): Found[] => {
    const other = others.get(idOf(object));
    if (other !== undefined) return differentFields(object, other);
    return isKnown(object, after) ? [wholeObject('missing', object)] : [];
  });
}

function extra(before: Objects, after: Objects): Found[] {
  const others = byId(before);
  return after.list
    .filter((object) => !others.has(idOf(object)) && isKnown(object, before))
    .map((object) => wholeObject('extra', object));
}

function differentFields(object: ObjectFields, other: ObjectFields): Found[] {
  const names = new Set([...object.fields.keys(), ...other.fields.keys()]);
  return [...names].flatMap((field): Found[] => {
    const expected = object.fields.get(field);
    const actual = other.fields.get(field);
    const unknown =
      (expected !== undefined && expected.value === undefined) ||
      (actual !== undefined && actual.value === undefined);
    if (unknown || expected?.value === actual?.value) return [];
    const change = actual === undefined ? 'missing' : expected === undefined ? 'extra' : 'different';
    const key = expected?.key ?? actual?.key ?? field;
    return [{ change, object, field, key, expected: expected?.value, actual: actual?.value }];
  });
}

function toDifference({ change, object, field, key, expected, actual }: Found): Difference {
  const shown = (value: string | undefined): string | undefined =>
    value === undefined ? undefined : showValue(key, value);
  return {
    change,
    object: `${object.kind} ${object.name}`.trimEnd(),
    kind: object.kind,
    name: object.name,
    field,
    expected: shown(expected),
    actual: shown(actual),
  };
}

/** The rules, made ready to be asked many times. */
function acceptance(rules: readonly AcceptedDifference[]): (found: Found) => boolean {
  const ready = rules.map((rule) => ({
    rule,
    patterns: [...(rule.fields ?? []), ...Object.keys(rule.values ?? {})].map(toPattern),
  }));
  return (found) =>
    ready.some(({ rule, patterns }) => {
      const field = found.field ?? 'object';
      return (
        rule.objects.includes(found.object.kind) &&
        (rule.change === 'any' || rule.change === found.change) &&
        patterns.some((pattern) => pattern.test(field)) &&
        (rule.values === undefined || rule.values[field] === found.expected) &&
        (rule.expected === undefined || rule.expected.includes(found.expected ?? '')) &&
        (rule.actual === undefined || rule.actual.includes(found.actual ?? '')) &&
        (rule.beside === undefined || found.object.fields.has(rule.beside)) &&
        (rule.same === undefined || isTrue(found.expected) === isTrue(found.actual))
      );
    });
}

function toPattern(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}

/** One line for a person. */
export function describeDifference({ change, object, field, expected, actual }: Difference): string {
  if (field === undefined)
    return change === 'missing' ? `${object} is missing` : `${object} was not expected`;
  const where = `${object}: ${field}`;
  if (change === 'missing') return `${where} is missing (expected ${quoted(expected)})`;
  if (change === 'extra') return `${where} was not expected (is ${quoted(actual)})`;
  return `${where} is ${quoted(actual)} (expected ${quoted(expected)})`;
}

function quoted(value: string | undefined): string {
  return JSON.stringify(value ?? '');
}
