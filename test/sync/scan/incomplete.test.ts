import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  closedLicence,
  freeLicence,
  makeTinyFork,
  type TinyFork,
} from '../../../fixtures/histories/tiny-fork.ts';
import { commit, type FixtureCommit } from '../../../fixtures/histories/write-history.ts';
import { writeDecision } from '../../../src/sync/decide/decision.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { scanTiny } from '../scanned.ts';

const closing = commit('closing', 'base', 1100, {
  COPYING: closedLicence,
  'client/COPYING': freeLicence,
  'client/api.txt': 'one\n',
});
/** One pull request of an open half and a closed one. */
const api = commit(
  'api',
  'closing',
  1200,
  { 'client/api.txt': 'one\ntwo\n' },
  { message: 'client: Add two\n' },
);
const code = commit('code', 'api', 1300, { 'store.txt': 'two\n' }, { message: 'store: Implement two\n' });
const merge = (last: string): FixtureCommit => ({
  name: 'merge',
  from: 'closing',
  merge: last,
  time: 1400,
  files: { 'client/api.txt': 'one\ntwo\n', 'store.txt': 'two\n' },
  message: 'Merge pull request #8 from ann/two\n',
});
const after = commit('after', 'merge', 1500, { 'client/api.txt': 'one\ntwo!\n' });
const apart = commit('apart', 'after', 1600, { 'client/other.txt': 'x\n' });
const half = [closing, api, code, merge('code'), after, apart];

function withRule(tiny: TinyFork, rule: string): TinyFork {
  appendFileSync(join(tiny.rules, 'skip.yaml'), `standAlone:\n  - ${rule}\n`);
  return tiny;
}

describe('a pull request of which a part is barred', () => {
  it('is parked with what it lacks, and so is what is built on its lines; nothing else waits', async () => {
    const tiny = makeTinyFork(temporaryFolder(), { upstream: half });

    const scanned = await scanTiny(tiny, { main: 'apart' });
    const plan = await scanned.plan();

    const missing = [{ sha: tiny.sha('code'), subject: 'store: Implement two', reason: 'Closed-1.0' }];
    expect(scanned.of('api')).toMatchObject({
      state: 'parked',
      by: 'incomplete',
      reason: 'incomplete: 1 of the 2 commits of its pull request cannot come over',
      merge: tiny.sha('merge'),
      missing,
    });
    expect(plan.parked.find((one) => one.upstream === tiny.sha('api'))?.why).toMatchObject({
      kind: 'incomplete',
      merge: tiny.sha('merge'),
      missing,
    });
    expect(plan.parked.find((one) => one.upstream === tiny.sha('after'))?.why).toEqual({
      kind: 'depends',
      on: [tiny.sha('api')],
    });
    expect(plan.groups.flatMap((group) => group.picks).map((pick) => pick.upstream)).toEqual([
      tiny.sha('apart'),
    ]);
  });

  it('comes over by a rule, which is named', async () => {
    const tiny = makeTinyFork(temporaryFolder(), { upstream: half });
    withRule(
      tiny,
      '{ id: whole, description: Clients ask first., subjects: ["client: *"], missing: ["store: *"] }',
    );

    const { of } = await scanTiny(tiny, { main: 'apart' });

    expect(of('api')).toMatchObject({
      state: 'pending',
      reason: 'stands alone by rule whole: Clients ask first.',
    });
  });

  it.each([
    ['another subject', '{ id: whole, description: Clients ask first., subjects: ["server: *"] }'],
    ['another merge', '{ id: whole, description: Clients ask first., merges: ["*ann/three"] }'],
    ['something else missing', '{ id: whole, description: Clients ask first., missing: ["test: *"] }'],
  ])('stays parked where the rule is about %s', async (_, rule) => {
    const tiny = withRule(makeTinyFork(temporaryFolder(), { upstream: half }), rule);

    const { of } = await scanTiny(tiny, { main: 'apart' });

    expect(of('api')).toMatchObject({ state: 'parked', by: 'incomplete' });
  });

  it('comes over by the decision of a person, commit by commit', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      shared: [commit('start', 'base', 1010, { 'client/api.txt': 'one\n' })],
      upstream: [{ ...closing, from: 'start' }, ...half.slice(1)],
    });
    writeDecision(tiny.rules, {
      upstream: tiny.sha('api'),
      decision: 'alone',
      by: 'Pia <pia@example.org>',
      on: '2026-01-31',
      why: 'We have two of our own.',
    });

    const { of, plan } = await scanTiny(tiny, { main: 'apart' });

    expect(of('api')).toMatchObject({
      state: 'pending',
      reason: 'stands alone: We have two of our own. (Pia <pia@example.org>, 2026-01-31)',
    });
    expect((await plan()).groups.flatMap((group) => group.picks)[0]?.upstream).toBe(tiny.sha('api'));
  });

  it('is no decision about a commit that is barred itself', async () => {
    const tiny = makeTinyFork(temporaryFolder(), { upstream: half });
    writeDecision(tiny.rules, {
      upstream: tiny.sha('code'),
      decision: 'alone',
      by: 'Pia <pia@example.org>',
      on: '2026-01-31',
      why: 'We want it.',
    });

    const { of } = await scanTiny(tiny, { main: 'apart' });

    expect([of('code')?.state, of('api')?.state]).toEqual(['blocked', 'parked']);
  });

  it('is whole where what is barred is left out by its subject anyway', async () => {
    const tiny = makeTinyFork(temporaryFolder(), { upstream: half });
    appendFileSync(
      join(tiny.rules, 'skip.yaml'),
      'leaveOut:\n  - { id: stores, description: The fork has its own stores., subjects: ["store: *"] }\n',
    );

    const { of } = await scanTiny(tiny, { main: 'apart' });

    expect([of('code')?.state, of('api')?.state]).toEqual(['blocked', 'pending']);
  });

  it('waits where the barred part comes by a branch that kept its licence, until that is in the fork', async () => {
    const message = 'store: Implement two\n';
    const backport = commit(
      'backport',
      'base',
      1350,
      { 'store.txt': 'two\n' },
      { authorTime: 1300, message },
    );
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [...half, backport],
      fork: [
        commit(
          'import',
          'rename',
          2500,
          { 'store.txt': 'two\n' },
          {
            authorTime: 1300,
            message: `[import] ${message}`,
          },
        ),
      ],
    });

    const before = await scanTiny(tiny, { main: 'apart', stable: 'backport' });
    const after = await scanTiny(tiny, { main: 'apart', stable: 'backport', fork: 'import' });

    expect([before.of('code')?.state, before.of('backport')?.state]).toEqual(['blocked', 'pending']);
    expect(before.of('api')).toMatchObject({
      state: 'parked',
      reason: 'incomplete: 1 of the 2 commits of its pull request come by another branch first',
      missing: [{ sha: tiny.sha('code'), reason: `comes by stable as ${tiny.sha('backport').slice(0, 12)}` }],
    });
    expect([after.of('backport')?.state, after.of('api')?.state]).toEqual(['imported', 'pending']);
  });

  it('holds back nothing on another branch that changes the same lines', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      shared: [commit('start', 'base', 1010, { 'client/api.txt': 'one\n' })],
      upstream: [
        { ...closing, from: 'start' },
        ...half.slice(1),
        commit('old', 'start', 1700, { 'client/api.txt': 'one\ntwo\n' }),
      ],
    });

    const plan = await (await scanTiny(tiny, { main: 'apart', stable: 'old' })).plan();

    expect(plan.groups.flatMap((group) => group.picks).map((pick) => pick.upstream)).toContain(
      tiny.sha('old'),
    );
  });
});
