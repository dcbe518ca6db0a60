// A commit that its licence bars is picked from the branch where upstream has the same change without that bar.
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { closedLicence, makeTinyFork, type TinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import type { FixtureCommit } from '../../../fixtures/histories/write-history.ts';
import { openEngine } from '../../../src/sync/pick/open-engine.ts';
import { pickCleared } from '../../../src/sync/pick/pick-cleared.ts';
import type { PickResult } from '../../../src/sync/pick/pick-result.ts';
import { loadPack } from '../../../src/sync/rules/load-pack.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const closing: FixtureCommit = {
  name: 'closing',
  from: 'base',
  time: 3000,
  files: { COPYING: closedLicence },
};
const secret = 'stands only where nobody may look';
/** On the branch that became closed. */
const barred: FixtureCommit = {
  name: 'main',
  from: 'closing',
  time: 3100,
  authorTime: 2900,
  message: 'scripts: Restart\n',
  files: { 'scripts/run.sh': `#!/bin/sh\nQUARTZ_DIR=/var/lib/quartz\nqz list\nqz restart # ${secret}\n` },
};
/** The same author at the same second, under the licence of old. */
const backport: FixtureCommit = {
  ...barred,
  name: 'stable',
  from: 'base',
  time: 3200,
  files: { 'scripts/run.sh': '#!/bin/sh\nQUARTZ_DIR=/var/lib/quartz\nqz list\nqz restart\n' },
};

interface Picked {
  readonly tiny: TinyFork;
  readonly results: readonly PickResult[];
  /** What was asked of the engine. */
  readonly real: readonly string[];
  /** How often the branches were asked for. */
  readonly asked: number;
  readonly message: (commit: string | undefined) => string;
  readonly script: (commit: string | undefined) => string;
}

async function pickAll(upstream: readonly FixtureCommit[], names: readonly string[]): Promise<Picked> {
  const tiny = makeTinyFork(temporaryFolder(), { upstream });
  const engine = await openEngine({ ...tiny, pack: loadPack(tiny.rules), program: 'engine.ts' });
  const show = (what: string): string =>
    execFileSync('git', [`--git-dir=${engine.gitDir}`, 'show', '--format=%B', what], { encoding: 'utf8' });
  let asked = 0;
  const tips = async () => {
    asked += 1;
    const known = upstream.map(({ name }) => name).filter((name) => name === 'main' || name === 'stable');
    return known.map((branch) => ({ branch, sha: tiny.sha(branch) }));
  };
  try {
    const requests = names.map((name) => ({ upstream: tiny.sha(name), onto: tiny.sha('rename') }));
    const results: PickResult[] = [];
    const real: string[] = [];
    for await (const { pick, request } of pickCleared(engine, tips, requests, { keep: true })) {
      results.push(pick.result);
      real.push(request.upstream);
    }
    const texts = new Map(
      results.map(({ commit = '' }) => [
        commit,
        commit === '' ? '' : [show(commit), show(`${commit}:scripts/run.sh`)],
      ]),
    );
    return {
      tiny,
      results,
      real,
      asked,
      message: (commit = '') => texts.get(commit)?.[0] ?? '',
      script: (commit = '') => texts.get(commit)?.[1] ?? '',
    };
  } finally {
    await engine.close();
  }
}

describe('a commit that its licence bars', () => {
  it('is picked from the branch that has its change under a licence that may come over, and says so', async () => {
    const { tiny, results, real, message, script } = await pickAll([closing, barred, backport], ['main']);

    const [result] = results;
    expect(result).toMatchObject({ upstream: tiny.sha('main'), status: 'clean' });
    expect(real).toEqual([tiny.sha('stable')]);
    expect(result?.reasons[0]).toBe(
      `licence: Closed-1.0; picked in its place: ${tiny.sha('stable')} on stable, the same change by its author and date (COPYING: Free-1.0)`,
    );
    expect(message(result?.commit)).toContain(`(cherry picked from commit ${tiny.sha('stable')})`);
    expect(script(result?.commit)).toBe('#!/bin/sh\nONYX_DIR=/var/lib/onyx\nox list\nox restart\n');
    expect(JSON.stringify(result) + message(result?.commit)).not.toContain(secret);
  });

  it('stays blocked where no other branch has its change', async () => {
    const other = { ...backport, authorTime: 2901 };

    const { results } = await pickAll([closing, barred, other], ['main']);

    expect(results[0]).toMatchObject({
      status: 'blocked',
      commit: undefined,
      reasons: ['licence: Closed-1.0'],
    });
  });

  it('stays blocked where the other one is barred as well', async () => {
    const also = { ...backport, files: { ...backport.files, COPYING: closedLicence } };

    const { results } = await pickAll([closing, barred, also], ['main']);

    expect(results[0]).toMatchObject({ status: 'blocked', commit: undefined });
  });

  it('leaves its neighbours alone, in their order', async () => {
    const free: FixtureCommit = {
      name: 'free',
      from: 'base',
      time: 2100,
      files: { 'README.md': 'Quartz!\n' },
    };

    const { tiny, results, real } = await pickAll(
      [closing, barred, backport, free],
      ['free', 'main', 'stable'],
    );

    expect(results.map(({ upstream }) => upstream)).toEqual(['free', 'main', 'stable'].map(tiny.sha));
    expect(real).toEqual(['free', 'stable', 'stable'].map(tiny.sha));
    expect(results[2]?.reasons).toEqual([]);
    expect(results[1]?.commit).toBe(results[2]?.commit);
  });
});

describe('commits that may come over', () => {
  it('are picked without a look at any branch', async () => {
    const { asked, results } = await pickAll([closing, barred, backport], ['stable']);

    expect(asked).toBe(0);
    expect(results[0]?.status).toBe('clean');
  });
});
