import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type History,
  type HistoryCommit,
  openWholeHistories,
  soundTimes,
  walkHistory,
} from '../../../src/sync/git/history.ts';

const hour = 3600;
const day = 24 * hour;
const forked = 1000 * day;

type Spec = readonly [sha: string, time: number, ...parents: string[]];

function readerOf(commits: readonly Spec[]): (sha: string) => HistoryCommit | undefined {
  const known = new Map(
    commits.map(([sha, time, ...parents]) => [sha, { sha, parents, committer: { time } }]),
  );
  return (sha) => known.get(sha);
}

/** Both walks of a history: what picks see, and what a scan sees. */
async function walks(commits: readonly Spec[], tip: string): Promise<readonly History<HistoryCommit>[]> {
  const read = readerOf(commits);
  return [await walkHistory(read, [tip], 'fork'), await openWholeHistories(read, 'fork')([tip])];
}

const shas = (history: History<HistoryCommit>): readonly string[] => history.commits.map(({ sha }) => sha);

describe('a history', () => {
  it.each([
    ['in the middle', [forked + hour, forked - day, forked + 3 * hour]],
    ['at the tip', [forked + hour, forked + 2 * hour, forked - day]],
    ['right behind the fork point', [forked - day, forked + 2 * hour, forked + 3 * hour]],
    ['everywhere', [forked - day, forked - 2 * day, 0]],
  ])('holds what came after the fork point where a clock was behind: %s', async (_where, times) => {
    const commits: readonly Spec[] = [
      ['root', forked - 9 * day],
      ['fork', forked, 'root'],
      ...times.map((time, index): Spec => [`c${index}`, time, index === 0 ? 'fork' : `c${index - 1}`]),
    ];

    const [picks, scan] = await walks(commits, 'c2');

    expect(picks === undefined ? [] : shas(picks)).toEqual(['c0', 'c1', 'c2']);
    expect(scan === undefined ? [] : shas(scan)).toEqual(['c0', 'c1', 'c2']);
  });

  it('leaves out what is older than the fork point, one with a later date in the history before it among it', async () => {
    const commits: readonly Spec[] = [
      ['root', forked - 9 * day],
      ['ahead', forked + day, 'root'],
      ['fork', forked, 'ahead'],
      ['side', forked - hour, 'ahead'],
      ['new', forked + hour, 'fork'],
      ['merge', forked + 2 * hour, 'new', 'side'],
    ];

    const [picks, scan] = await walks(commits, 'merge');

    expect(picks === undefined ? [] : shas(picks)).toEqual(['new', 'merge']);
    // A scan lists what was merged after the fork point, whenever it was begun.
    expect(scan === undefined ? [] : shas(scan)).toEqual(['side', 'new', 'merge']);
  });

  it('leaves out what a branch that parted before the fork point had by then', async () => {
    const commits: readonly Spec[] = [
      ['root', forked - 9 * day],
      ['fork', forked, 'root'],
      ['old', forked - 2 * day, 'root'],
      ['older', forked - day, 'old'],
      ['first', forked + hour, 'older'],
      ['behind', forked - 3 * day, 'first'],
      ['last', forked + day, 'behind'],
    ];

    const [picks, scan] = await walks(commits, 'last');

    expect(picks === undefined ? [] : shas(picks)).toEqual(['first', 'behind', 'last']);
    expect(scan === undefined ? [] : shas(scan)).toEqual(['first', 'behind', 'last']);
  });

  it('names every commit that is not here, however many', async () => {
    const parents = Array.from({ length: 200_000 }, (_, index) => `p${index}`);
    const read = readerOf([
      ['fork', forked],
      ['tip', forked + hour, 'fork', ...parents],
    ]);

    const picks = await walkHistory(read, ['tip'], 'fork');
    const scan = await openWholeHistories(read, 'fork')(['tip']);

    expect([picks.cutOff.length, scan.cutOff.length]).toEqual([200_000, 200_000]);
  });

  it('is the same whatever the dates say, parents before children', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            jump: fc.integer({ min: -2 * day, max: 2 * day }),
            first: fc.nat(),
            second: fc.option(fc.nat()),
          }),
          { minLength: 1, maxLength: 30 },
        ),
        async (made) => {
          const names = ['fork', ...made.map((_, index) => `c${index}`)];
          const commits: readonly Spec[] = [
            ['root', forked - 9 * day],
            ['fork', forked, 'root'],
            ...made.map(({ jump, first, second }, index): Spec => {
              const parent = (of: number): string => names[of % (index + 1)] ?? 'fork';
              const parents = new Set([parent(first), ...(second === null ? [] : [parent(second)])]);
              return [`c${index}`, forked + index * hour + jump, ...parents];
            }),
          ];
          const read = readerOf(commits);
          const tips = names.slice(1);

          const found = [await walkHistory(read, tips, 'fork'), await openWholeHistories(read, 'fork')(tips)];

          for (const history of found) {
            expect(new Set(shas(history))).toEqual(new Set(tips));
            for (const { sha, parents } of history.commits)
              for (const parent of parents)
                if (parent !== 'fork')
                  expect(history.indexOf.get(parent)).toBeLessThan(history.indexOf.get(sha) ?? -1);
          }
        },
      ),
    );
  });
});

describe('sound times', () => {
  it('put a commit whose clock was wrong between its parents and its children', async () => {
    const commits: readonly Spec[] = [
      ['fork', forked],
      ['a', forked + hour, 'fork'],
      ['behind', forked - day, 'a'],
      ['b', forked + 3 * hour, 'behind'],
      ['ahead', forked + day, 'b'],
      ['c', forked + 5 * hour, 'ahead'],
      ['d', forked + 6 * hour, 'c'],
    ];
    const history = await walkHistory(readerOf(commits), ['d'], 'fork');

    const times = soundTimes(history);

    const of = (sha: string): number => ((times[history.indexOf.get(sha) ?? -1] ?? 0) - forked) / hour;
    expect([of('behind'), of('ahead')]).toEqual([1, 5]);
    expect([...times]).toEqual([...times].toSorted((left, right) => left - right));
  });
});
