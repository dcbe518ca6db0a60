import { describe, expect, it } from 'vitest';
import { makeTinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { commit, type FixtureCommit } from '../../../fixtures/histories/write-history.ts';
import type { RunPlan } from '../../../src/sync/plan/run-plan.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { scanTiny } from '../scanned.ts';

const helper = (body: string, name = 'ReadDepth'): string =>
  `package store\n\n// ${name} says how deep.\nfunc ${name}() int {\n\treturn ${body}\n}\n`;
const caller = (call: string): string =>
  `package store\n\n// Caller calls.\nfunc Caller() int {\n\treturn ${call}\n}\n`;
const start = commit('start', 'base', 1100, { 'store/caller.go': caller('1') });

const planOf = async (
  upstream: readonly FixtureCommit[],
): Promise<{ readonly plan: RunPlan; readonly sha: (name: string) => string }> => {
  const tiny = makeTinyFork(temporaryFolder(), { shared: [start], upstream });
  const plan = await (await scanTiny(tiny, { main: upstream.at(-1)?.name ?? '' })).plan();
  return { plan, sha: tiny.sha };
};

const picksOf = (plan: RunPlan) => plan.groups.flatMap((group) => group.picks);

describe('a pick that needs an earlier one', () => {
  it('names it where that one is for review: it uses what only that one declares', async () => {
    const { plan, sha } = await planOf([
      commit('doubted', 'start', 1200, { 'store/depth.go': helper('missingName') }),
      commit('user', 'doubted', 1300, { 'store/caller.go': caller('ReadDepth()') }),
    ]);

    const [doubted, user] = picksOf(plan);
    expect([doubted?.status, user?.status]).toEqual(['review', 'clean']);
    expect(user?.reasons).toEqual([
      `needs ${sha('doubted').slice(0, 12)}, which is for review: it uses ReadDepth from there`,
    ]);
  });

  it('says so of all that follows from it', async () => {
    const { plan, sha } = await planOf([
      commit('doubted', 'start', 1200, { 'store/depth.go': helper('missingName') }),
      commit('middle', 'doubted', 1300, { 'store/double.go': helper('2 * ReadDepth()', 'DoubleDepth') }),
      commit('user', 'middle', 1400, { 'store/caller.go': caller('DoubleDepth()') }),
    ]);

    expect(picksOf(plan).map(({ status }) => status)).toEqual(['review', 'clean', 'clean']);
    expect(picksOf(plan)[1]?.reasons).toEqual([
      `needs ${sha('doubted').slice(0, 12)}, which is for review: it uses ReadDepth from there`,
    ]);
    expect(picksOf(plan)[2]?.reasons).toEqual([
      `needs ${sha('middle').slice(0, 12)}, which needs one that is for review: it uses DoubleDepth from there`,
    ]);
  });

  it('names one whose lines it changes', async () => {
    const { plan, sha } = await planOf([
      commit('doubted', 'start', 1200, { 'store/caller.go': caller('missingName') }),
      commit('after', 'doubted', 1300, { 'store/caller.go': caller('2') }),
    ]);

    const [doubted, after] = picksOf(plan);
    expect([doubted?.status, after?.status]).toEqual(['review', 'clean']);
    expect(after?.reasons).toEqual([
      `needs ${sha('doubted').slice(0, 12)}, which is for review: it changes its lines`,
    ]);
  });

  it('says nothing where the earlier one is clean, or the fork has the name itself', async () => {
    const clean = await planOf([
      commit('helper', 'start', 1200, { 'store/caller.go': `${caller('1')}${helper('2').slice(15)}` }),
      commit('user', 'helper', 1300, { 'store/user.go': 'package store\n\nvar user = ReadDepth()\n' }),
    ]);

    expect(picksOf(clean.plan).flatMap(({ reasons }) => reasons)).toEqual([]);
  });
});
