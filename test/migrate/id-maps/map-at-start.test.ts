// The map with which Incus starts a container, held against what its own code answered.
// starts-of-incus.jsonl: startCommon's piece and findIdmap of Incus 6.0.4 and 7.0, built from their sources; they agreed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { rangesOfIncus } from '../../../src/migrate/id-maps/daemon-ranges.ts';
import { parseIdMap, parseRawIdMap, sameMap } from '../../../src/migrate/id-maps/id-map.ts';
import { fateOf, mapAtStart } from '../../../src/migrate/id-maps/map-at-start.ts';
import type { MappedContainer } from '../../../src/migrate/id-maps/read-containers.ts';
import { withText } from '../../../src/migrate/id-maps/read-subids.ts';

const everyId = [{ start: 0, size: 0xffff_ffff }];
const machine = { kernel: { uid: everyId, gid: everyId }, hasTools: true };

interface Start {
  readonly what: string;
  readonly file: string;
  readonly next: unknown;
  readonly config: Readonly<Record<string, string>>;
  readonly others: readonly Readonly<Record<string, string>>[];
  /** A map, or `error`. */
  readonly start: unknown;
}

const starts = readFileSync(join(import.meta.dirname, 'starts-of-incus.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Start);

function container(
  id: number,
  config: Readonly<Record<string, string>>,
  next: unknown = [],
  disk: unknown = [],
): MappedContainer {
  return {
    object: `instance default/c${id}`,
    id,
    disk: parseIdMap(JSON.stringify(disk)) ?? [],
    next: parseIdMap(JSON.stringify(next)) ?? [],
    isolated: ['true', '1'].includes(config['security.idmap.isolated'] ?? ''),
    base: config['security.idmap.base'] ?? '',
    size: config['security.idmap.size'] ?? '',
    raw: config['raw.idmap'] ?? '',
    volatileBase: config['volatile.idmap.base'] ?? '',
  };
}

function rangesIn(file: string) {
  const ranges = rangesOfIncus({ uid: withText(file), gid: withText(file) }, machine);
  if (ranges === undefined) throw new Error('no ranges in this file');
  return ranges;
}

test.each(starts)('$what', ({ file, next, config, others, start }) => {
  const all = [container(1, config, next), ...others.map((other, at) => container(at + 2, other))];
  const [first] = all;
  const expected = start === 'error' ? undefined : (parseIdMap(JSON.stringify(start)) ?? []);

  const map = first === undefined ? undefined : mapAtStart(first, rangesIn(file), all);

  expect(map === undefined).toBe(expected === undefined);
  expect(sameMap(map ?? [], expected ?? [])).toBe(true);
});

describe('what becomes of a container', () => {
  const of = (host: number, size: number): unknown => [
    { Isuid: true, Isgid: false, Hostid: host, Nsid: 0, Maprange: size },
    { Isuid: false, Isgid: true, Hostid: host, Nsid: 0, Maprange: size },
  ];
  const mine = of(1_000_000, 65_536);
  const within = 'root:1000000:1000000000\n';
  const elsewhere = 'root:2000000:65536\n';

  test.each([
    ['its range is there', within, mine, mine, 'kept'],
    ['its range is elsewhere', elsewhere, mine, mine, 'files-change'],
    ['its range is elsewhere, and its mounts are mapped', elsewhere, mine, [], 'ids-change'],
    ['what it has is what it would get', elsewhere, of(3_000_000, 65_536), of(2_000_000, 65_536), 'kept'],
    ['LXD would have changed its files as well', within, mine, of(5_000_000, 65_536), 'kept'],
  ] as const)('where %s', (_what, file, next, disk, fate) => {
    const one = container(1, {}, next, disk);

    expect(fateOf(one, rangesIn(file), [one])).toBe(fate);
  });

  test('where Incus has no ranges', () => {
    const one = container(1, {}, mine, mine);

    expect(fateOf(one, undefined, [one])).toBe('no-start');
  });
});

test.each(['{', '1', '"x"', '{"a":1}', '[1]', '[{"Isuid":"yes"}]', '[{"Hostid":"1"}]', '[{"Hostid":1.5}]'])(
  '%s is no map',
  (json) => {
    expect(parseIdMap(json)).toBeUndefined();
  },
);

test.each(['', '[]', 'null'])('%j is an empty map', (json) => {
  expect(parseIdMap(json)).toEqual([]);
});

test.each([
  'both 1 2 3',
  'both 1',
  'both 1-2 1',
  'user 1 1',
  'both  1 1',
  'both x 1',
  'both -1 1',
  'both 1-2-3 1-2-3',
])('%j is refused as raw.idmap', (value) => {
  expect(parseRawIdMap(value)).toBeUndefined();
});
