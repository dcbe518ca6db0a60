// A commit that waits for the same change on another branch, and what builds on it.
import { expect, it } from 'vitest';
import { makeTinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { commit, type FixtureCommit } from '../../../fixtures/histories/write-history.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { scanTiny } from '../scanned.ts';

const note = (text: string): FixtureCommit['files'] => ({ 'notes.txt': `a\n${text}\nb\n` });
const pia = 'Pia <pia@example.org>';
const start = commit('start', 'base', 1010, note('old'));
const fork = [commit('list', 'rename', 2500, note('old'), { authorTime: 1010 })];
const backport = commit('backport', 'start', 1200, note('new'), { author: pia, message: 'By hand\n' });
const more = commit('more', 'backport', 1300, note('newer'), { author: pia });

it('waits while the other comes over, and what builds on it comes with that', async () => {
  const tiny = makeTinyFork(temporaryFolder(), {
    shared: [start],
    upstream: [commit('fix', 'start', 1100, note('new')), backport, more],
    fork,
  });
  const { plan } = await scanTiny(tiny, { main: 'fix', stable: 'more', fork: 'list' });

  const { groups, leftOut } = await plan();

  expect(groups.flatMap(({ picks }) => picks.map(({ upstream }) => upstream))).toEqual([
    tiny.sha('fix'),
    tiny.sha('more'),
  ]);
  expect(leftOut).toMatchObject([{ upstream: tiny.sha('backport'), why: 'later' }]);
});

it('holds back what builds on it while the other does not come over', async () => {
  const tiny = makeTinyFork(temporaryFolder(), {
    shared: [start],
    upstream: [
      commit('first', 'start', 1050, { 'other.txt': 'x\n' }),
      commit('fix', 'first', 1100, note('new')),
      backport,
      more,
    ],
    fork,
  });
  const { plan } = await scanTiny(tiny, { main: 'fix', stable: 'more', fork: 'list' });

  const { groups, leftOut } = await plan(1);

  expect(groups.flatMap(({ picks }) => picks.map(({ upstream }) => upstream))).toEqual([tiny.sha('first')]);
  expect(leftOut.map(({ upstream }) => upstream).sort()).toEqual(
    ['fix', 'backport', 'more'].map(tiny.sha).sort(),
  );
});

it('comes for itself where the other was reverted, and both are left', async () => {
  const tiny = makeTinyFork(temporaryFolder(), {
    shared: [start],
    upstream: [
      commit('fix', 'start', 1100, note('new')),
      commit('undo', 'fix', 1150, note('old'), { message: 'Revert "fix"\n' }),
      backport,
    ],
    fork,
  });
  const { plan } = await scanTiny(tiny, { main: 'undo', stable: 'backport', fork: 'list' });

  const { groups, cancelled } = await plan();

  expect(cancelled).toHaveLength(1);
  expect(groups.flatMap(({ picks }) => picks.map(({ upstream }) => upstream))).toEqual([
    tiny.sha('backport'),
  ]);
});
