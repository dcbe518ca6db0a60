import { describe, expect, it } from 'vitest';
import type { Commit } from '../../../src/sync/git/commit.ts';
import type { Objects } from '../../../src/sync/git/objects.ts';
import type { DetailedPick } from '../../../src/sync/pick/pick-commit.ts';
import type { ConflictType, FileHow, PickStatus } from '../../../src/sync/pick/pick-result.ts';
import { type Prepared, score, sumUp } from '../../../src/sync/replay/replay-pairs.ts';

const commit = (tree: string): Commit => ({ tree, message: 'A change\n', committer: { time: 1 } }) as Commit;
const engine = {
  objects: { commit: async () => commit('before') } as unknown as Objects,
  pack: {} as never,
};

/** A pick of which nothing came, and what people committed. */
function scored(
  people: 'nothing' | 'something',
  status: PickStatus,
  conflicts: readonly ConflictType[] = [],
  files: readonly FileHow[] = ['left'],
) {
  const pair = {
    upstream: 'u',
    fork: 'f',
    onto: 'o',
    moreFollows: false,
    theirs: commit(people === 'nothing' ? 'before' : 'after'),
  } as Prepared;
  const pick = {
    result: {
      status,
      tree: undefined,
      commit: undefined,
      doubts: [],
      conflicts: conflicts.map((type) => ({ type })),
      files: files.map((how) => ({ how })),
    },
    outcomes: [],
    signs: [],
  } as unknown as DetailedPick;
  return score(engine, pair, pick, false);
}

describe('answers that say that nothing is to be done', () => {
  it.each(['empty', 'skipped'] as const)('are wrong where people changed something: %s', async (status) => {
    expect((await scored('something', status)).nothing).toBe('wrong');
    expect((await scored('nothing', status)).nothing).toBe('right');
  });

  it('are conflicts too that are already applied, all of them, with nothing else in the pick', async () => {
    const all: readonly ConflictType[] = ['already-applied', 'already-applied'];

    expect((await scored('something', 'conflict', all)).nothing).toBe('wrong');
    expect((await scored('nothing', 'conflict', all, ['left', 'unchanged', 'skipped'])).nothing).toBe(
      'right',
    );
    expect((await scored('something', 'conflict', all, ['left', 'merged'])).nothing).toBeUndefined();
    expect(
      (await scored('something', 'conflict', ['already-applied', 'really-diverged'])).nothing,
    ).toBeUndefined();
  });

  it('are counted where they are wrong, and no other answer is', async () => {
    const replayed = await Promise.all([
      scored('something', 'empty'),
      scored('nothing', 'empty'),
      scored('something', 'skipped'),
      scored('something', 'conflict', ['already-applied']),
      scored('something', 'conflict', ['list']),
      scored('something', 'blocked'),
    ]);

    expect(sumUp(replayed)).toMatchObject({ pairs: 6, exact: 0, wrongNothing: 3 });
  });
});
