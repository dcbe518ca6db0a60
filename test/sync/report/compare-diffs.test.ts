import { describe, expect, it } from 'vitest';
import { closedLicence, makeTinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import type { FixtureCommit } from '../../../fixtures/histories/write-history.ts';
import { comparePick, type PickComparison } from '../../../src/sync/report/compare-diffs.ts';
import { compileBrand } from '../../../src/sync/rewrite/brand.ts';
import { compileWords } from '../../../src/sync/rules/words.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { scanTiny } from '../scanned.ts';

const numbers = ['one', 'two', 'three', 'four', 'five', 'six', 'seven'];
const list = (...without: readonly string[]): string =>
  numbers
    .filter((line) => !without.includes(line))
    .concat('')
    .join('\n');

/** The newest upstream commit, picked and compared. */
async function compare(
  upstream: readonly FixtureCommit[],
  fork: readonly FixtureCommit[] = [],
): Promise<PickComparison | undefined> {
  const tiny = makeTinyFork(temporaryFolder(), { upstream, fork });
  const { engine, plan } = await scanTiny(tiny, {
    main: upstream.at(-1)?.name ?? '',
    fork: fork.at(-1)?.name ?? 'rename',
  });
  const { pack, objects } = engine;
  const picks = (await plan()).groups.flatMap((group) => group.picks);
  const pick = picks.at(-1);
  if (pick === undefined) return undefined;
  const context = { objects, brand: compileBrand(pack), words: compileWords(pack.words, pack.protected) };
  return comparePick(context, pick);
}

const odd = (
  comparison: PickComparison | undefined,
): readonly (readonly [string | undefined, string | undefined])[] =>
  (comparison?.files ?? []).flatMap((file) =>
    file.rows.flatMap((row) =>
      row === undefined || row.same ? [] : [[row.upstream?.sign, row.pick?.sign] as const],
    ),
  );

describe('the difference of differences', () => {
  it('is nothing where only names and articles differ', async () => {
    const comparison = await compare([
      {
        name: 'main',
        from: 'base',
        time: 1100,
        files: {
          'README.md': 'Quartz\nA Quartz server.\n',
          'scripts/run.sh': '#!/bin/sh\nQUARTZ_DIR=/var/lib/quartz\nqz list\nqz stop\n',
        },
      },
    ]);
    expect(comparison?.equal).toBe(true);
    expect(comparison?.files.map((file) => file.path)).toEqual(['README.md', 'scripts/run.sh']);
    expect(JSON.stringify(comparison?.files)).not.toContain('Quartz');
  });

  it('is what the pick leaves out, since the fork did it before', async () => {
    const start: FixtureCommit = { name: 'start', from: 'base', time: 1100, files: { 'list.txt': list() } };
    const comparison = await compare(
      [start, { name: 'main', from: 'start', time: 1200, files: { 'list.txt': list('two', 'six') } }],
      [{ name: 'ours', from: 'rename', time: 2500, authorTime: 1100, files: { 'list.txt': list('six') } }],
    );
    expect(comparison?.equal).toBe(false);
    expect(odd(comparison).filter(([upstream, pick]) => upstream === '-' && pick !== '-')).toHaveLength(1);
  });

  it('shows a file that moved as one, at its new place', async () => {
    const body = (last: string): string =>
      `package store\n\n${numbers.map((name) => `func ${name}() {}\n`).join('\n')}\n${last}`;
    const comparison = await compare([
      { name: 'make', from: 'base', time: 1100, files: { 'quartz/store/old.go': body('') } },
      {
        name: 'main',
        from: 'make',
        time: 1200,
        files: { 'quartz/store/old.go': null, 'quartz/store/new.go': body('func last() {}\n') },
      },
    ]);
    expect(comparison?.files.map((file) => file.path)).toEqual(['internal/store/new.go']);
    expect(comparison?.equal).toBe(true);
    expect(comparison?.files[0]?.rows.length).toBeLessThan(10);
  });

  it('shows nothing that stands around the lines of a commit that only its trailer opens', async () => {
    const comparison = await compare([
      { name: 'closing', from: 'base', time: 1100, files: { COPYING: closedLicence } },
      {
        name: 'main',
        from: 'closing',
        time: 1200,
        message: 'More\n\nLicense: Free-1.0\n',
        files: { 'scripts/run.sh': '#!/bin/sh\nQUARTZ_DIR=/var/lib/quartz\nqz list\nqz stop\n' },
      },
    ]);
    const rows = comparison?.files.flatMap((file) => file.rows) ?? [];
    expect(rows.filter((row) => row !== undefined && !row.same && row.upstream?.sign === ' ')).toEqual([]);
    expect(rows.filter((row) => row?.upstream?.sign === '+')).toHaveLength(1);
    expect(comparison?.equal).toBe(true);
  });
});
