import { describe, expect, it } from 'vitest';
import { closedLicence, freeLicence, makeTinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { commit, type FixtureCommit } from '../../../fixtures/histories/write-history.ts';
import { writeDecision } from '../../../src/sync/decide/decision.ts';
import type { RunPlan } from '../../../src/sync/plan/run-plan.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { scanTiny } from '../scanned.ts';

const lines = (...changed: readonly string[]): string =>
  ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']
    .map((line) => changed.find((text) => text.startsWith(line)) ?? line)
    .concat('')
    .join('\n');

const merge = (
  name: string,
  from: string,
  merged: string,
  time: number,
  files: FixtureCommit['files'],
): FixtureCommit => ({
  name,
  from,
  merge: merged,
  time,
  files,
  message: `Merge pull request #7 from ann/${merged}\n`,
});

const picked = (plan: RunPlan): readonly string[] =>
  plan.groups.flatMap((group) => group.picks.map(({ upstream }) => upstream));

const start = commit('start', 'base', 1100, { 'list.txt': lines() });
/** The fork has the list too, with its own second line. */
const forkList = commit(
  'list',
  'rename',
  2500,
  { 'list.txt': lines('two of the fork') },
  { authorTime: 1100 },
);

const tool = (parameters: string, call: string): FixtureCommit['files'] => ({
  'tool/make.go': `package tool\n\n// Make makes it.\nfunc Make(${parameters}) string {\n\treturn name\n}\n`,
  'tool/use.go': `package tool\n\n// Use uses it.\nfunc Use() string {\n\treturn ${call}\n}\n`,
});

/** A pull request that gives a function a parameter in one commit, and its caller the argument in the next. */
const halves = () => {
  const before = commit('tool', 'base', 1100, tool('name string', 'Make("a")'));
  const after = tool('name, kind string', 'Make("a", "b")');
  return makeTinyFork(temporaryFolder(), {
    shared: [before],
    upstream: [
      commit('half', 'tool', 1200, { 'tool/make.go': after['tool/make.go'] ?? null }),
      commit('rest', 'half', 1300, { 'tool/use.go': after['tool/use.go'] ?? null }),
      merge('merged', 'tool', 'rest', 1400, after),
    ],
  });
};

describe('the plan of a run', () => {
  it('groups commits by the merge that they came with, in the order of the merges', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        commit('b1', 'base', 1100, { 'b.txt': '1\n' }),
        commit('a1', 'base', 1200, { 'a.txt': '1\n' }),
        commit('b2', 'b1', 1300, { 'b.txt': '2\n' }),
        {
          name: 'mergeA',
          from: 'base',
          merge: 'a1',
          time: 1400,
          files: { 'a.txt': '1\n' },
          message: 'Merge pull request #7 from ann/a\n',
        },
        {
          name: 'mergeB',
          from: 'mergeA',
          merge: 'b2',
          time: 1500,
          files: { 'b.txt': '2\n' },
          message: 'Merge pull request #6 from ann/b\n',
        },
        commit('alone', 'mergeB', 1600, { 'c.txt': '1\n' }),
      ],
    });
    const plan = await (await scanTiny(tiny, { main: 'alone' })).plan();
    expect(
      plan.groups.map((group) => [group.merge, group.title, group.picks.map((pick) => pick.upstream)]),
    ).toEqual([
      [tiny.sha('mergeA'), '7: a1', [tiny.sha('a1')]],
      [tiny.sha('mergeB'), '6: b1', [tiny.sha('b1'), tiny.sha('b2')]],
      [undefined, 'alone', [tiny.sha('alone')]],
    ]);
    const picks = plan.groups.flatMap((group) => group.picks);
    expect(picks.map((pick) => pick.onto)).toEqual([
      tiny.sha('rename'),
      ...picks.slice(0, -1).map((pick) => pick.commit),
    ]);
    expect(plan.tip).toBe(picks.at(-1)?.commit);
  });

  it('is the same every time, and survives being written down', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [start, commit('one', 'start', 1200, { 'list.txt': lines('nine!') })],
    });
    const one = await (await scanTiny(tiny, { main: 'one' })).plan();
    const two = await (await scanTiny(tiny, { main: 'one' })).plan();
    expect(one.groups).toHaveLength(2);
    expect(two).toEqual(one);
    expect(JSON.parse(JSON.stringify(one))).toEqual(JSON.parse(JSON.stringify(two)));
  });

  it('picks onto picks: a later commit finds what an earlier one made', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        commit('make', 'base', 1100, { 'quartz/store/more.go': 'package store\n\nfunc More() {}\n' }),
        commit('change', 'make', 1200, {
          'quartz/store/more.go': 'package store\n\nfunc More() {\n\tprintln()\n}\n',
        }),
      ],
    });
    const plan = await (await scanTiny(tiny, { main: 'change' })).plan();
    expect(plan.parked).toEqual([]);
    expect(
      plan.groups.flatMap((group) => group.picks).map((pick) => pick.files.map((file) => file.path)),
    ).toEqual([['internal/store/more.go'], ['internal/store/more.go']]);
  });

  it('parks a conflict and what changes the same lines after it, and nothing else', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        start,
        commit('conflict', 'start', 1200, { 'list.txt': lines('two of upstream') }),
        commit('builds', 'conflict', 1300, { 'list.txt': lines('two of upstream, better') }),
        commit('apart', 'builds', 1400, { 'list.txt': lines('two of upstream, better', 'nine more') }),
        commit('other', 'apart', 1500, { 'other.txt': 'x\n' }),
      ],
      fork: [forkList],
    });
    const plan = await (await scanTiny(tiny, { main: 'other', fork: 'list' })).plan();
    expect(plan.parked.map((one) => [one.upstream, one.why.kind])).toEqual([
      [tiny.sha('conflict'), 'conflict'],
      [tiny.sha('builds'), 'depends'],
    ]);
    expect(plan.parked[1]?.why).toEqual({ kind: 'depends', on: [tiny.sha('conflict')] });
    expect(plan.groups.flatMap((group) => group.picks).map((pick) => pick.upstream)).toEqual([
      tiny.sha('apart'),
      tiny.sha('other'),
    ]);
  });

  it('parks what builds on a commit that a person parked', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        commit('make', 'base', 1100, { 'new.txt': lines() }),
        commit('change', 'make', 1200, { 'new.txt': lines('one!') }),
        commit('other', 'change', 1300, { 'other.txt': 'x\n' }),
      ],
    });
    writeDecision(tiny.rules, {
      upstream: tiny.sha('make'),
      decision: 'park',
      by: 'Pia <pia@example.org>',
      on: '2026-01-31',
      why: 'Waits for the release.',
    });
    const plan = await (await scanTiny(tiny, { main: 'other' })).plan();
    expect(plan.parked.map((one) => one.why.kind)).toEqual(['decided', 'depends']);
    expect(plan.groups.map((group) => group.title)).toEqual(['other']);
  });

  it('cancels a commit and its revert, unless the fork has one half', async () => {
    const body = (sha: string): string => `Revert "x"\n\nThis reverts commit ${sha}.\n`;
    const first = [commit('bad', 'base', 1100, { 'bad.txt': 'x\n' })];
    const bad = makeTinyFork(temporaryFolder(), { upstream: first }).sha('bad');
    const upstream = [...first, commit('revert', 'bad', 1200, { 'bad.txt': null }, { message: body(bad) })];
    const neither = makeTinyFork(temporaryFolder(), { upstream });
    const half = makeTinyFork(temporaryFolder(), {
      upstream,
      fork: [commit('import', 'rename', 2500, { 'bad.txt': 'x\n' }, { authorTime: 1100 })],
    });
    const cancelled = await (await scanTiny(neither, { main: 'revert' })).plan();
    const kept = await (await scanTiny(half, { main: 'revert', fork: 'import' })).plan();
    expect(cancelled).toMatchObject({
      groups: [],
      cancelled: [{ upstream: bad, revertedBy: neither.sha('revert') }],
    });
    expect(kept.cancelled).toEqual([]);
    expect(kept.groups[0]?.picks[0]).toMatchObject({
      upstream: half.sha('revert'),
      files: [{ path: 'bad.txt', how: 'deleted' }],
    });
  });

  it('cancels a revert and its backport, each with the commit of its own branch', async () => {
    const onMain = commit('bad', 'base', 1100, { 'bad.txt': 'x\n' }, { message: 'Bad\n' });
    const bad = makeTinyFork(temporaryFolder(), { upstream: [onMain] }).sha('bad');
    const message = `Revert "Bad"\n\nThis reverts commit ${bad}.\n`;
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        onMain,
        commit('revert', 'bad', 1200, { 'bad.txt': null }, { message }),
        commit('stable', 'base', 1150, { 'other.txt': 'x\n' }),
        commit('badStable', 'stable', 1300, { 'bad.txt': 'x\n' }, { message: 'Bad\n', authorTime: 1100 }),
        commit('revertStable', 'badStable', 1400, { 'bad.txt': null }, { message, authorTime: 1200 }),
      ],
    });

    const plan = await (await scanTiny(tiny, { main: 'revert', stable: 'revertStable' })).plan();

    expect(new Set(plan.cancelled.map(({ upstream, revertedBy }) => `${upstream} ${revertedBy}`))).toEqual(
      new Set([
        `${tiny.sha('bad')} ${tiny.sha('revert')}`,
        `${tiny.sha('badStable')} ${tiny.sha('revertStable')}`,
      ]),
    );
    expect(picked(plan)).toEqual([tiny.sha('stable')]);
  });

  it('leaves a commit whose revert was reverted', async () => {
    const one = [commit('good', 'base', 1100, { 'good.txt': 'x\n' }, { message: 'Good\n' })];
    const two = [
      ...one,
      commit('revert', 'good', 1200, { 'good.txt': null }, { message: 'Revert "Good"\n' }),
    ];
    const three = [
      ...two,
      commit('back', 'revert', 1300, { 'good.txt': 'x\n' }, { message: 'Revert "Revert "Good""\n' }),
    ];
    const tiny = makeTinyFork(temporaryFolder(), { upstream: three });
    const plan = await (await scanTiny(tiny, { main: 'back' })).plan();
    expect(plan.cancelled).toMatchObject([{ upstream: tiny.sha('revert'), revertedBy: tiny.sha('back') }]);
    expect(plan.groups.map((group) => group.title)).toEqual(['Good']);
  });

  it('stops at the limit and keeps pull requests whole where it can', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        commit('first', 'base', 1100, { 'a.txt': '1\n' }),
        commit('p1', 'first', 1200, { 'b.txt': '1\n' }),
        commit('p2', 'p1', 1300, { 'c.txt': '1\n' }),
        { name: 'merge', from: 'first', merge: 'p2', time: 1400, files: { 'b.txt': '1\n', 'c.txt': '1\n' } },
      ],
    });
    const scanned = await scanTiny(tiny, { main: 'merge' });
    const [two, one] = [await scanned.plan(2), await scanned.plan(1)];
    expect(two.groups.flatMap((group) => group.picks).map((pick) => pick.subject)).toEqual(['first']);
    expect(two.leftOut.map((left) => [left.subject, left.why])).toEqual([
      ['p1', 'later'],
      ['p2', 'later'],
    ]);
    expect(one.leftOut).toHaveLength(2);
  });

  it('takes what fits behind a pull request that does not, but nothing that builds on it', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        commit('first', 'base', 1100, { 'a.txt': '1\n' }),
        commit('p1', 'first', 1200, { 'list.txt': lines() }),
        commit('p2', 'p1', 1300, { 'c.txt': '1\n' }),
        commit('p3', 'p2', 1350, { 'c.txt': '2\n' }),
        merge('merge', 'first', 'p3', 1400, { 'list.txt': lines(), 'c.txt': '2\n' }),
        commit('builds', 'merge', 1500, { 'list.txt': lines('nine!') }),
        commit('apart', 'builds', 1600, { 'd.txt': '1\n' }),
        commit('beyond', 'apart', 1700, { 'e.txt': '1\n' }),
      ],
    });

    const plan = await (await scanTiny(tiny, { main: 'beyond' })).plan(3);

    expect(picked(plan)).toEqual(['first', 'apart', 'beyond'].map((name) => tiny.sha(name)));
    expect(new Map(plan.leftOut.map(({ upstream, reason }) => [upstream, reason]))).toEqual(
      new Map([
        ...['p1', 'p2', 'p3'].map(
          (name) =>
            [
              tiny.sha(name),
              'its pull request has 3 commits, and 2 of the 3 picks of this run are left',
            ] as const,
        ),
        [tiny.sha('builds'), `builds on ${tiny.sha('p1').slice(0, 12)}, which waits`],
      ]),
    );
    expect(plan.parked).toEqual([]);
  });

  it('splits a pull request that no run could hold, and says why the others wait', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        commit('p1', 'base', 1200, { 'b.txt': '1\n' }),
        commit('p2', 'p1', 1300, { 'c.txt': '1\n' }),
        commit('p3', 'p2', 1350, { 'd.txt': '2\n' }),
        merge('merge', 'base', 'p3', 1400, { 'b.txt': '1\n', 'c.txt': '1\n', 'd.txt': '2\n' }),
      ],
    });

    const plan = await (await scanTiny(tiny, { main: 'merge' })).plan(2);

    expect(picked(plan)).toEqual(['p1', 'p2'].map((name) => tiny.sha(name)));
    expect(plan.leftOut).toMatchObject([
      {
        upstream: tiny.sha('p3'),
        why: 'later',
        reason: 'its pull request has 3 commits, more than the 2 picks of a run: the others come first',
      },
    ]);
  });

  it('says nothing new once its picks are in the fork', async () => {
    const upstream = [commit('one', 'base', 1100, { 'a.txt': '1\n' })];
    const tiny = makeTinyFork(temporaryFolder(), { upstream });
    const scanned = await scanTiny(tiny, { main: 'one' });
    const plan = await scanned.plan();
    const message = scanned.engine.objects.commit(plan.tip).then((made) => made.message);
    const merged = makeTinyFork(temporaryFolder(), {
      upstream,
      fork: [commit('merged', 'rename', 2500, { 'a.txt': '1\n' }, { message: await message })],
    });
    const again = await (await scanTiny(merged, { main: 'one', fork: 'merged' })).plan();
    expect(again).toMatchObject({
      groups: [],
      parked: [],
      cancelled: [],
      leftOut: [],
      tip: merged.sha('merged'),
    });
  });

  it('never rewrites what is closed, even where a commit that is open builds on it', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        commit('closing', 'base', 1100, {
          COPYING: closedLicence,
          'client/COPYING': freeLicence,
          'client/a.txt': lines(),
        }),
        commit('closed', 'closing', 1200, { 'client/a.txt': lines('one!'), 'store.txt': 'x\n' }),
        commit('open', 'closed', 1300, { 'client/a.txt': lines('one!', 'two!') }),
      ],
    });
    const plan = await (await scanTiny(tiny, { main: 'open' })).plan();
    const named = JSON.stringify(plan);
    expect(plan.groups).toEqual([]);
    expect(plan.parked).toMatchObject([{ upstream: tiny.sha('open'), why: { kind: 'conflict' } }]);
    expect(named).not.toContain(tiny.sha('closed'));
  });

  it('takes a half that upstream had too, where the rest of its pull request finishes it', async () => {
    const plan = await (await scanTiny(halves(), { main: 'merged' })).plan();

    const picks = plan.groups.flatMap((group) => group.picks);
    expect(picks.map(({ status, doubts }) => [status, doubts])).toEqual([
      ['clean', []],
      ['clean', []],
    ]);
    expect(picks[0]?.reasons).toEqual([
      'compiles only with the commits of its pull request that follow, as upstream: tool/use.go, line 5: Make takes 2 arguments, not 1',
    ]);
  });

  it('doubts a half that the rest of its pull request does not finish', async () => {
    const tiny = halves();
    writeDecision(tiny.rules, {
      upstream: tiny.sha('rest'),
      decision: 'park',
      by: 'Pia <pia@example.org>',
      on: '2026-01-31',
      why: 'Waits for the release.',
    });
    const parked = await (await scanTiny(tiny, { main: 'merged' })).plan();
    const limited = await (await scanTiny(halves(), { main: 'merged' })).plan(1);

    for (const plan of [parked, limited])
      expect(
        plan.groups.flatMap((group) => group.picks).map(({ status, doubts }) => [status, doubts]),
      ).toEqual([
        [
          'review',
          [
            {
              path: 'tool/use.go',
              rule: 'counts-differ',
              why: "arguments or results are not as many as the fork's function has: line 5: Make takes 2 arguments, not 1",
            },
          ],
        ],
      ]);
  });
});
