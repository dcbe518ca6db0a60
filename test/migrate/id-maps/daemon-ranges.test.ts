// The ranges that LXD and Incus take, held against what their own code answered and against a second reading of it.
// ranges-of-daemons.jsonl: answers of GetIdmapSet of LXD 5.0.2 and 6.9 and getIdmapset of Incus 6.0.4 and 7.0, built
// from their sources and given these files; each pair agreed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type DaemonMap,
  type MachineIds,
  rangesOfIncus,
  rangesOfLxd,
} from '../../../src/migrate/id-maps/daemon-ranges.ts';
import { type SubidFiles, withText } from '../../../src/migrate/id-maps/read-subids.ts';
import { anySubids } from './any-subids.ts';

const everyId = [{ start: 0, size: 0xffff_ffff }];
const machine: MachineIds = { kernel: { uid: everyId, gid: everyId }, hasTools: true };

type Pairs = readonly (readonly [number, number])[];
type Shown = { readonly uid: Pairs; readonly gid: Pairs } | null;

function shown(map: DaemonMap): Shown {
  if (map === undefined) return null;
  const pairs = (ranges: readonly { start: number; size: number }[]): Pairs =>
    ranges.map(({ start, size }) => [start, size] as const);
  return { uid: pairs(map.uid), gid: pairs(map.gid) };
}

function both(subuid: string, subgid = subuid): SubidFiles {
  return { uid: withText(subuid), gid: withText(subgid) };
}

interface Answer {
  readonly subuid: string;
  readonly subgid?: string;
  readonly tools?: boolean;
  readonly lxd: Shown;
  readonly incus: Shown;
}

const answers = readFileSync(join(import.meta.dirname, 'ranges-of-daemons.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Answer);

test.each(answers)(
  '$subuid is read as both daemons read it',
  ({ subuid, subgid, tools = true, lxd, incus }) => {
    const files = both(subuid, subgid);
    const here = { ...machine, hasTools: tools };

    expect({ lxd: shown(rangesOfLxd(files, here)), incus: shown(rangesOfIncus(files, here)) }).toEqual({
      lxd,
      incus,
    });
  },
);

describe('files that are not there', () => {
  const absent = { is: 'absent' } as const;

  test.each([
    ['both', { uid: absent, gid: absent }],
    ['one', { uid: withText('root:100000:65536\n'), gid: absent }],
  ])('%s: both daemons take the default', (_which, files) => {
    const expected = { uid: [[1_000_000, 1_000_000_000]], gid: [[1_000_000, 1_000_000_000]] };

    expect(shown(rangesOfLxd(files, machine))).toEqual(expected);
    expect(shown(rangesOfIncus(files, machine))).toEqual(expected);
  });

  test('that cannot be opened: no map', () => {
    const files = { uid: { is: 'unreadable', why: 'EIO' }, gid: withText('root:100000:65536\n') } as const;

    expect([rangesOfLxd(files, machine), rangesOfIncus(files, machine)]).toEqual([undefined, undefined]);
  });
});

describe('inside a container, where only some ids exist', () => {
  const nested = (...ranges: [number, number][]): MachineIds => {
    const ids = ranges.map(([start, size]) => ({ start, size }));
    return { kernel: { uid: ids, gid: ids }, hasTools: true };
  };
  const absent: SubidFiles = { uid: { is: 'absent' }, gid: { is: 'absent' } };

  test('LXD takes what it has from 100000 on, Incus from 65536 on', () => {
    const here = nested([0, 500_000]);

    expect(shown(rangesOfLxd(absent, here))?.uid).toEqual([[100_000, 400_000]]);
    expect(shown(rangesOfIncus(absent, here))?.uid).toEqual([[65_536, 434_464]]);
  });

  test('LXD does without a range of the files that does not exist, Incus believes it', () => {
    const files = both('root:1000000:65536\n');
    const here = nested([0, 500_000]);

    expect(rangesOfLxd(files, here)).toBeUndefined();
    expect(shown(rangesOfIncus(files, here))?.uid).toEqual([[1_000_000, 65_536]]);
  });

  test('too few ids are no map', () => {
    const here = nested([0, 65_536]);

    expect([rangesOfLxd(absent, here), rangesOfIncus(absent, here)]).toEqual([undefined, undefined]);
  });
});

/** Written for itself, character by character, from the description of Go's Scanner, Split, EqualFold and ParseUint. */
function secondReading(text: string): { lines: [string, number, number][]; error: boolean } {
  const found: [string, number, number][] = [];
  let rest = text;
  while (rest !== '') {
    const end = rest.indexOf('\n');
    let line = end === -1 ? rest : rest.slice(0, end);
    rest = end === -1 ? '' : rest.slice(end + 1);
    if (line.length >= 65_536) return { lines: found, error: false };
    if (line.charCodeAt(line.length - 1) === 13) line = line.slice(0, -1);
    const comment = line.indexOf('#');
    if (comment >= 0) line = line.slice(0, comment);
    if (line.length === 0) continue;
    const colon = line.indexOf(':');
    const second = colon === -1 ? -1 : line.indexOf(':', colon + 1);
    if (second === -1) return { lines: found, error: true };
    const third = line.indexOf(':', second + 1);
    const [first, size] = [
      line.slice(colon + 1, second),
      line.slice(second + 1, third === -1 ? undefined : third),
    ];
    const number = (digits: string): bigint | undefined => {
      if (digits.length === 0) return undefined;
      let value = 0n;
      for (const digit of digits) {
        const at = '0123456789'.indexOf(digit);
        if (at === -1) return undefined;
        value = value * 10n + BigInt(at);
      }
      return value < 2n ** 32n ? value : undefined;
    };
    const [a, b] = [number(first), number(size)];
    if (a !== undefined && b !== undefined) found.push([line.slice(0, colon), Number(a), Number(b)]);
  }
  return { lines: found, error: false };
}

function modelOfIncus(subuid: string, subgid: string): Shown {
  const per: [number, number][][] = [];
  for (const text of [subuid, subgid]) {
    const { lines, error } = secondReading(text);
    if (error) return null;
    const named = lines.filter(([owner]) => owner.toLowerCase() === 'root');
    const taken = named.length > 0 ? named : lines.filter(([owner]) => owner === '0');
    if (taken.length === 0) return null;
    per.push(taken.map(([, start, size]) => [start, size]));
  }
  const [uid = [], gid = []] = per.map((ranges) => ranges.filter(([, size]) => size >= 65_536));
  return uid.length + gid.length === 0 ? null : { uid, gid };
}

function modelOfLxd(subuid: string, subgid: string): Shown {
  const usual: Shown = { uid: [[1_000_000, 1_000_000_000]], gid: [[1_000_000, 1_000_000_000]] };
  const per: [number, number][][] = [];
  for (const text of [subuid, subgid]) {
    const { lines, error } = secondReading(text);
    if (error) return null;
    const named = lines.filter(([owner]) => owner.toLowerCase() === 'root');
    if (named.length === 0) return usual;
    const first = named.find(([, , size]) => size >= 65_536);
    per.push(first === undefined ? [] : [[first[1], first[2]]]);
  }
  const [uid = [], gid = []] = per;
  const exist = [...uid, ...gid].every(([start, size]) => start + size <= 0xffff_ffff);
  return uid.length + gid.length === 0 || !exist ? null : { uid, gid };
}

test('any files are read as a second reading of the same rules has it', () => {
  fc.assert(
    fc.property(anySubids, fc.option(anySubids, { nil: undefined }), (subuid, other) => {
      const subgid = other ?? subuid;
      const files = both(subuid, subgid);

      expect(shown(rangesOfIncus(files, machine))).toEqual(modelOfIncus(subuid, subgid));
      expect(shown(rangesOfLxd(files, machine))).toEqual(modelOfLxd(subuid, subgid));
    }),
    { numRuns: 2000 },
  );
});
