import { describe, expect, it } from 'vitest';
import { makeTinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { commit, type FixtureCommit } from '../../../fixtures/histories/write-history.ts';
import type { RunPlan } from '../../../src/sync/plan/run-plan.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { scanTiny } from '../scanned.ts';

const code = (message: string, more = ''): string =>
  `package limit\n\nimport "fmt"\n\n// Check checks it.\nfunc Check(name string) error {\n\treturn ${message}\n}\n${more}`;
const old = `fmt.Errorf("cannot set '%s'", name)`;
const better = 'fmt.Errorf("Cannot change %q", name)';

const check = (first: string, second = 'other'): string =>
  `package limit_test\n\nfunc TestCheck() {\n\tequal(check("a"), ${first})\n}\n\nfunc TestOther() {\n\tequal(other("b"), "${second}")\n}\n`;
const saysOld = `"cannot set 'a'"`;
const saysBetter = '`Cannot change "a"`';

const start = commit('start', 'base', 1100, {
  'limit/check.go': code(old),
  'limit/list.txt': 'one\ntwo\nthree\n',
  'limit/check_test.go': check(saysOld),
});
/** A line of the fork's own with which upstream's commit does not merge; its message is that of before. */
const own = commit('own', 'rename', 2500, { 'limit/list.txt': 'one\nfork\nthree\n' });
const changed = { 'limit/check.go': code(better), 'limit/list.txt': 'one\nupstream\nthree\n' };

const pullRequest = (from: string, last: string, files: FixtureCommit['files']): FixtureCommit => ({
  name: 'merged',
  from,
  merge: last,
  time: 1900,
  files,
  message: 'Merge pull request #7 from ann/limits\n',
});

const message = commit('message', 'start', 1200, changed);
const test = (from: string, time: number, text: string): FixtureCommit =>
  commit('test', from, time, { 'limit/check_test.go': text });

async function planOf(
  upstream: readonly FixtureCommit[],
  fork: readonly FixtureCommit[] = [own],
): Promise<{ readonly plan: RunPlan; readonly sha: (name: string) => string }> {
  const tiny = makeTinyFork(temporaryFolder(), { shared: [start], upstream, fork });
  const scanned = await scanTiny(tiny, { main: 'merged', fork: fork.at(-1)?.name ?? 'rename' });
  return { plan: await scanned.plan(), sha: tiny.sha };
}

const picksOf = (plan: RunPlan) => plan.groups.flatMap((group) => group.picks);

describe('tests and pages without their code', () => {
  it('are parked with the code of their pull request, which is named', async () => {
    const merged = { ...changed, 'limit/check_test.go': check(saysBetter) };
    const { plan, sha } = await planOf([
      message,
      test('message', 1300, check(saysBetter)),
      pullRequest('start', 'test', merged),
    ]);

    expect(picksOf(plan)).toEqual([]);
    expect(plan.parked.map(({ upstream, why }) => [upstream, why.kind])).toEqual([
      [sha('message'), 'conflict'],
      [sha('test'), 'speaks'],
    ]);
    expect(plan.parked[1]?.why).toEqual({
      kind: 'speaks',
      missing: [
        {
          sha: sha('message'),
          subject: 'message',
          reason: `what it says of "Cannot change", "cannot set '"`,
        },
      ],
    });
  });

  it('are parked too where the code comes after them', async () => {
    const { plan, sha } = await planOf([
      test('start', 1150, check(saysBetter)),
      commit('message', 'test', 1200, changed),
      pullRequest('start', 'message', {
        ...changed,
        'limit/check_test.go': check(saysBetter),
      }),
    ]);

    expect(picksOf(plan)).toEqual([]);
    expect(plan.parked.map(({ upstream, why }) => [upstream, why.kind])).toEqual([
      [sha('message'), 'conflict'],
      [sha('test'), 'speaks'],
    ]);
  });

  it('come over with their code', async () => {
    const { plan, sha } = await planOf(
      [
        message,
        test('message', 1300, check(saysBetter)),
        pullRequest('start', 'test', {
          ...changed,
          'limit/check_test.go': check(saysBetter),
        }),
      ],
      [],
    );

    expect(plan.parked).toEqual([]);
    expect(picksOf(plan).map(({ upstream }) => upstream)).toEqual([sha('message'), sha('test')]);
  });

  it('come over where they speak of something else', async () => {
    const text = check(saysOld, 'another');
    const { plan, sha } = await planOf([
      message,
      test('message', 1300, text),
      pullRequest('start', 'test', { ...changed, 'limit/check_test.go': text }),
    ]);

    expect(picksOf(plan).map(({ upstream, status }) => [upstream, status])).toEqual([[sha('test'), 'clean']]);
  });

  it('are doubted where a part of them speaks of something else', async () => {
    const text = check(saysBetter, 'another');
    const { plan, sha } = await planOf([
      message,
      test('message', 1300, text),
      pullRequest('start', 'test', { ...changed, 'limit/check_test.go': text }),
    ]);

    expect(picksOf(plan)).toMatchObject([
      {
        upstream: sha('test'),
        status: 'review',
        doubts: [
          {
            path: 'limit/check_test.go',
            rule: 'code-missing',
            why: `what it says of "Cannot change", "cannot set '" comes with ${sha('message').slice(0, 12)} (message), which does not come over`,
          },
        ],
      },
    ]);
  });

  it('are parked where a rule leaves the code out', async () => {
    const page = 'po says `store.depth_limit` now.\n';
    const { plan, sha } = await planOf(
      [
        commit('setting', 'start', 1200, { 'po/de.po': 'msgid "store.depth_limit"\n' }),
        commit('page', 'setting', 1300, { 'doc/limits.md': page }),
        pullRequest('start', 'page', { 'po/de.po': 'msgid "store.depth_limit"\n', 'doc/limits.md': page }),
      ],
      [],
    );

    expect(plan.parked.map(({ upstream, why }) => [upstream, why.kind])).toEqual([[sha('page'), 'speaks']]);
  });

  it('come over where the fork has the code from elsewhere', async () => {
    const merged = { ...changed, 'limit/check_test.go': check(saysBetter) };
    const { plan, sha } = await planOf(
      [message, test('message', 1300, check(saysBetter)), pullRequest('start', 'test', merged)],
      [
        commit('own', 'rename', 2500, {
          'limit/check.go': code(`wrap(${better})`),
          'limit/list.txt': 'one\nfork\nthree\n',
        }),
      ],
    );

    expect(plan.parked.map(({ upstream, why }) => [upstream, why.kind])).toEqual([
      [sha('message'), 'conflict'],
    ]);
    expect(picksOf(plan).map(({ upstream }) => upstream)).toEqual([sha('test')]);
  });
});
