// JSON values that somebody, or another version, may have written instead of others: any value, and one that is changed in a place.
import fc from 'fast-check';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const words = [
  ...[
    '',
    ' ',
    'done',
    'begun',
    'planned',
    'undone',
    'systemd',
    'commands',
    'none',
    'source',
    'target',
    'true',
  ],
  ...[
    'record-power',
    'move-directory',
    'turn-around',
    '__proto__',
    'constructor',
    'toString',
    'kind',
    'hasOwnProperty',
  ],
  ...[
    '/',
    '/var/lib/lxd',
    '/var/lib/incus',
    '/proc',
    'a/b',
    '..',
    '/../..',
    'x\u0000y',
    '\ud800',
    '\u001b[31m',
    '\u202e',
  ],
  ...['0.0.1', '99.0.0', 'lxd.service', 'default/c1', 'default/', '/c1', '2026-11-29T06:23:19.384Z'],
] as const;

export const anyJson: fc.Arbitrary<Json> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...words) },
  { weight: 3, arbitrary: fc.constantFrom(null, true, false, 0, 1, -1, 2 ** 31, 2 ** 53, 1e308, 0.5) },
  { weight: 3, arbitrary: fc.constantFrom<Json>([], {}, [[]], [null], { kind: 'systemd' }, { a: 1 }) },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json> },
  { weight: 1, arbitrary: fc.constantFrom(2000, 100_000).map((length) => 'x'.repeat(length)) },
  { weight: 1, arbitrary: fc.constant(nested(400)) },
);

function nested(depth: number): Json {
  let value: Json = 1;
  for (let at = 0; at < depth; at += 1) value = [value];
  return value;
}

export type JsonChange =
  | { readonly at: number; readonly how: 'replace'; readonly value: Json }
  | { readonly at: number; readonly how: 'remove' | 'double' }
  | { readonly at: number; readonly how: 'add'; readonly key: string; readonly value: Json };

export const jsonChange: fc.Arbitrary<JsonChange> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ at: fc.nat(), how: fc.constant('replace' as const), value: anyJson }) },
  {
    weight: 2,
    arbitrary: fc.record({ at: fc.nat(), how: fc.constantFrom('remove' as const, 'double' as const) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      at: fc.nat(),
      how: fc.constant('add' as const),
      key: fc.constantFrom(...words),
      value: anyJson,
    }),
  },
);

/** The value with what is at one place in it changed; places are counted through all of it. */
export function changedJson(value: Json, change: JsonChange): Json {
  const root: Record<string, Json> = { value: structuredClone(value) };
  const places: (readonly [Record<string, Json>, string])[] = [[root, 'value']];
  const walk = (inside: Json): void => {
    if (typeof inside !== 'object' || inside === null) return;
    const holder = inside as Record<string, Json>;
    for (const key of Object.keys(holder)) {
      places.push([holder, key]);
      walk(holder[key] ?? null);
    }
  };
  walk(root['value'] ?? null);
  const [holder, key] = places[change.at % places.length] ?? [root, 'value'];
  const here = holder[key] ?? null;
  switch (change.how) {
    case 'replace':
      holder[key] = change.value;
      break;
    case 'remove':
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else delete holder[key];
      break;
    case 'double':
      if (Array.isArray(holder)) holder.push(structuredClone(here));
      else holder[`${key}2`] = structuredClone(here);
      break;
    case 'add':
      // Not an assignment, which `__proto__` would lead elsewhere.
      if (typeof here === 'object' && here !== null)
        Object.defineProperty(here, change.key, {
          value: change.value,
          enumerable: true,
          configurable: true,
        });
      break;
    default:
      throw new Error(JSON.stringify(change satisfies never));
  }
  return root['value'] ?? null;
}
