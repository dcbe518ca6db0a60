import { describe, expect, it } from 'vitest';
import { makeTinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { commit, type FixtureCommit } from '../../../fixtures/histories/write-history.ts';
import { openScanCache } from '../../../src/sync/scan/scan-cache.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { scanTiny } from '../scanned.ts';

const note = (text: string): FixtureCommit['files'] => ({ 'notes.txt': `${text}\n` });
const pia = 'Pia <pia@example.org>';

/** Both projects had `fix` and `end`; the stable branch parted before them. */
const shared = [
  commit('fix', 'base', 1010, note('fixed'), { authorTime: 1005, message: 'notes: Fix it\n' }),
  commit('end', 'fix', 1020, { 'end.txt': 'x\n' }),
];

describe('what both projects had before the fork', () => {
  it('is recognised by author and date where upstream brings it to an older branch', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      shared,
      upstream: [
        commit('backport', 'base', 1100, note('fixed'), { authorTime: 1005, message: 'notes: Fix it\n' }),
        commit('other', 'backport', 1200, { 'other.txt': 'x\n' }),
      ],
    });

    const { of } = await scanTiny(tiny, { main: 'end', stable: 'other' });

    expect(of('backport')).toMatchObject({
      state: 'shared',
      by: 'shared-author-and-date',
      fork: tiny.sha('fix'),
      branch: 'stable',
    });
    expect(of('other')?.state).toBe('pending');
  });

  it('is recognised by the trailer that names it, whoever backported it', async () => {
    const fix = makeTinyFork(temporaryFolder(), { shared }).sha('fix');
    const tiny = makeTinyFork(temporaryFolder(), {
      shared,
      upstream: [
        commit('backport', 'base', 1100, note('fixed, for the old branch'), {
          author: pia,
          message: `notes: Fix it there too\n\n(cherry picked from commit ${fix})\n`,
        }),
      ],
    });

    const { of } = await scanTiny(tiny, { main: 'end', stable: 'backport' });

    expect(of('backport')).toMatchObject({ state: 'shared', by: 'shared-trailer', fork: fix });
  });

  it('is recognised by the same change under the same subject, and by neither alone', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      shared,
      upstream: [
        commit('same', 'base', 1100, note('fixed'), { author: pia, message: 'notes: Fix it\n' }),
        commit('again', 'same', 1200, note('better'), { author: pia, message: 'notes: Fix it\n' }),
      ],
    });

    const { of } = await scanTiny(tiny, { main: 'end', stable: 'again' });

    expect(of('same')).toMatchObject({ state: 'shared', by: 'shared-change', fork: tiny.sha('fix') });
    expect(of('again')?.state).toBe('pending');
  });

  it('is no backport on a branch that is built on it: what comes there is another half, or a second try', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      shared,
      upstream: [
        commit('undo', 'end', 1100, { 'notes.txt': null }),
        commit('retry', 'undo', 1200, note('fixed'), { authorTime: 1005, message: 'notes: Fix it\n' }),
        commit('late', 'fix', 1100, note('once more'), { authorTime: 1005, message: 'notes: Fix it\n' }),
      ],
    });

    const { of } = await scanTiny(tiny, { main: 'retry', stable: 'late' });

    expect([of('retry')?.state, of('late')?.state]).toEqual(['pending', 'pending']);
  });

  it('is read from the cache the second time, with the same result', async () => {
    const backport = commit('backport', 'base', 1100, note('fixed'), { authorTime: 1005 });
    const tiny = makeTinyFork(temporaryFolder(), { shared, upstream: [backport] });
    const folder = temporaryFolder();
    const scanWith = async () => {
      const cache = openScanCache(folder, 'maker', () => {});
      const scanned = await scanTiny(tiny, { main: 'end', stable: 'backport', cache });
      cache.close();
      return scanned.open;
    };

    const [first, second] = [await scanWith(), await scanWith()];

    expect(second.scan).toEqual(first.scan);
    expect(first.shared.size).toBe(3);
    expect([second.shared.size, second.shared.cutOff]).toEqual([3, []]);
  });
});

describe('a revert', () => {
  const backport = commit('backport', 'base', 1100, note('fixed'), { authorTime: 1005 });
  const reverting = (sha: string): Partial<FixtureCommit> => ({
    message: `Revert "notes: Fix it"\n\nThis reverts commit ${sha}.\n`,
  });

  it('of a backport is for its own branch alone where the fork has the commit from before the fork', async () => {
    const { sha } = makeTinyFork(temporaryFolder(), { shared, upstream: [backport] });
    const tiny = makeTinyFork(temporaryFolder(), {
      shared,
      upstream: [
        backport,
        commit('revert', 'backport', 1200, { 'notes.txt': null }, reverting(sha('backport'))),
      ],
    });

    const { of } = await scanTiny(tiny, { main: 'end', stable: 'revert' });

    expect(of('revert')).toMatchObject({
      state: 'skipped',
      by: 'kept',
      via: tiny.sha('backport'),
      fork: tiny.sha('fix'),
    });
  });

  it('of what the fork imported from that very branch is pending', async () => {
    const one = commit('one', 'base', 1100, note('one'));
    const { sha } = makeTinyFork(temporaryFolder(), { upstream: [one] });
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [one, commit('revert', 'one', 1200, { 'notes.txt': null }, reverting(sha('one')))],
      fork: [commit('import', 'rename', 2500, note('one'), { authorTime: 1100 })],
    });

    const { of } = await scanTiny(tiny, { main: 'revert', fork: 'import' });

    expect([of('one')?.state, of('revert')?.state]).toEqual(['imported', 'pending']);
  });

  it("of the fork's own work is skipped: the fork keeps what is its own", async () => {
    const own = [commit('ours', 'rename', 2500, note('ours'), { authorTime: 2400 })];
    const back = commit('back', 'base', 9000, note('ours'), { authorTime: 2400 });
    const { sha } = makeTinyFork(temporaryFolder(), { upstream: [back], fork: own });
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [back, commit('revert', 'back', 9100, { 'notes.txt': null }, reverting(sha('back')))],
      fork: own,
    });

    const { of } = await scanTiny(tiny, { main: 'revert', fork: 'ours' });

    expect([of('back')?.state, of('revert')?.by]).toEqual(['own', 'kept']);
  });
});

describe('a twin on another branch of upstream', () => {
  it('stands for a commit with its author and date, whatever the branch made of its subject', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        commit('new', 'base', 1100, note('1.20'), { authorTime: 1050, message: 'make: Force Go 1.20\n' }),
        commit('old', 'base', 1150, note('1.19'), { authorTime: 1050, message: 'make: Force Go 1.19\n' }),
      ],
      fork: [
        commit('import', 'rename', 2500, note('1.20'), {
          authorTime: 1050,
          message: '[import] make: Force Go 1.20\n',
        }),
      ],
    });

    const { of } = await scanTiny(tiny, { main: 'new', stable: 'old', fork: 'import' });

    expect(of('old')).toMatchObject({
      state: 'imported',
      by: 'backport',
      fork: tiny.sha('import'),
      via: tiny.sha('new'),
    });
  });

  it('leaves open the half of a split commit that the fork does not have, on every branch', async () => {
    const half = { authorTime: 1050 };
    const one = { ...half, message: 'store: Open files\n' };
    const two = { ...half, message: 'guide: Write more\n' };
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        commit('one', 'base', 1100, note('a'), one),
        commit('two', 'one', 1200, note('b'), two),
        commit('oneOld', 'base', 1300, note('a'), { ...half, message: 'store: Open old files\n' }),
        commit('twoOld', 'oneOld', 1400, note('b'), two),
      ],
      fork: [
        commit('import', 'rename', 2500, note('b'), { ...half, message: '[import] guide: Write more\n' }),
      ],
    });

    const { of } = await scanTiny(tiny, { main: 'two', stable: 'twoOld', fork: 'import' });

    expect(['one', 'two', 'oneOld', 'twoOld'].map((name) => of(name)?.state)).toEqual([
      'pending',
      'imported',
      'pending',
      'imported',
    ]);
  });

  it('counts where nothing is taken from its branch, and through the trailers of two backports', async () => {
    const upstream = [commit('first', 'base', 1100, note('a'), { message: 'notes: A\n' })];
    const first = makeTinyFork(temporaryFolder(), { upstream }).sha('first');
    const more = [
      ...upstream,
      commit('second', 'base', 1200, note('a'), {
        author: pia,
        message: `notes: A, for the release\n\n(cherry picked from commit ${first})\n`,
      }),
    ];
    const second = makeTinyFork(temporaryFolder(), { upstream: more }).sha('second');
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        ...more,
        commit('third', 'base', 1300, note('a, more'), {
          author: 'Zoe <zoe@example.org>',
          message: `notes: A, for all\n\n(cherry picked from commit ${second})\n`,
        }),
      ],
      fork: [commit('import', 'rename', 2500, note('a'), { authorTime: 1100 })],
    });

    const { of, open } = await scanTiny(tiny, {
      main: 'third',
      elsewhere: ['first', 'second'],
      fork: 'import',
    });

    expect(of('third')).toMatchObject({ state: 'imported', by: 'backport', fork: tiny.sha('import') });
    expect(open.scan.commits.map(({ sha }) => sha)).toEqual([tiny.sha('third')]);
  });
});
