import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { makeTinyFork, type TinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { type FixtureCommit, setBranch } from '../../../fixtures/histories/write-history.ts';
import { openEngine } from '../../../src/sync/pick/open-engine.ts';
import { openRemote } from '../../../src/sync/publish/git-remote.ts';
import { type RunResult, type RunSettings, runBranch } from '../../../src/sync/publish/run-branch.ts';
import { openWriteGate } from '../../../src/sync/publish/write-gate.ts';
import { loadPack } from '../../../src/sync/rules/load-pack.ts';
import { type FakeGitHub, makeFakeGitHub, openFakeForge } from '../../fakes/fake-forge.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { openTinyPlanner, type TinyPlanner } from './tiny-planner.ts';

const clean: FixtureCommit = {
  name: 'clean',
  from: 'base',
  time: 3000,
  message: 'scripts: Restart as well\n\nSigned-off-by: Ann Author <ann@example.org>\n',
  files: { 'scripts/run.sh': '#!/bin/sh\nQUARTZ_DIR=/var/lib/quartz\nqz list\nqz restart\n' },
};
const diverged: FixtureCommit = {
  name: 'diverged',
  from: 'clean',
  time: 3100,
  message: 'README: Say more\n\nSigned-off-by: Ann Author <ann@example.org>\n',
  files: { 'README.md': 'Quartz, a gem of a server\n' },
};
const readme: FixtureCommit = {
  name: 'readme',
  from: 'rename',
  time: 2500,
  files: { 'README.md': 'Onyx is black\n' },
};

const extra: FixtureCommit = {
  name: 'extra',
  from: 'clean',
  time: 3050,
  files: { 'doc/extensions.md': '# Extensions\n\n## `first`\n\nThe first.\n\n## `second`\n\nMore.\n' },
};

interface Scene {
  readonly tiny: TinyFork;
  readonly github: FakeGitHub;
  /** Everything that was written in all nights so far. */
  readonly written: string[];
  readonly onyx: string;
  readonly planner: TinyPlanner;
  readonly git: (...args: string[]) => string;
  night(options?: NightOptions): Promise<RunResult & { readonly told: readonly string[] }>;
}

interface NightOptions {
  readonly publish?: boolean;
  readonly limit?: number;
  readonly settings?: Partial<RunSettings>;
  readonly build?: (commit: string) => Promise<string | undefined>;
  /** Runs between what was read and the push. */
  readonly meanwhile?: () => void;
}

const settings: RunSettings = {
  repository: 'mine/onyx',
  headRepository: 'mine/onyx',
  base: 'main',
  branch: 'sync/quartz-main',
  title: '[import] {commits} from {name} {branch}',
  labels: ['sync'],
  personLabel: 'needs-person',
  decisions: '.fork-sync/decisions',
  skipReasons: ['not-wanted', 'upstream-only'],
  links: {
    upstream: 'https://example.org/quartz/commit/',
    fork: 'https://example.org/mine/onyx/commit/',
  },
  preflight: { forbiddenTrailerWords: ['robot'] },
};

async function scene(upstream: readonly FixtureCommit[] = [clean, diverged]): Promise<Scene> {
  const folder = temporaryFolder();
  const tiny = makeTinyFork(folder, { upstream, fork: [readme] });
  const onyx = join(folder, 'onyx.git');
  cpSync(tiny.fork, onyx, { recursive: true });
  appendFileSync(join(onyx, 'config'), '[receive]\n\tautogc = false\n');
  const git = (...args: string[]): string =>
    execFileSync('git', [`--git-dir=${onyx}`, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  setBranch(onyx, 'main', tiny.sha('readme'));
  const github = makeFakeGitHub((branch) => {
    const path = join(onyx, 'refs', 'heads', branch);
    return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
  });
  const written: string[] = [];
  const engine = await openEngine({ ...tiny, pack: loadPack(tiny.rules), program: 'engine.ts' });
  onTestFinished(() => engine.close());
  const planner = openTinyPlanner(
    engine,
    upstream.map(({ name }) => tiny.sha(name)),
  );
  return {
    tiny,
    github,
    written,
    onyx,
    planner,
    git,
    async night(options = {}) {
      const gate = openWriteGate({ publish: options.publish ?? true, limit: options.limit ?? 100 });
      const remote = openRemote({
        url: `file://${onyx}`,
        gitDir: engine.gitDir,
        token: async () => undefined,
      });
      const result = await runBranch({
        settings: { ...settings, ...options.settings },
        forge: openFakeForge(github, gate),
        gate,
        remote: {
          ...remote,
          push: (changes) => {
            options.meanwhile?.();
            return remote.push(changes);
          },
        },
        baseRemote: remote,
        engine,
        planner,
        statusThread: undefined,
        build: options.build ?? (async () => undefined),
      });
      written.push(...gate.written);
      return { ...result, told: gate.told };
    },
  };
}

/** A person pushes a commit on top of the branch. */
function pushByHand({ git }: Scene, branch = settings.branch): string {
  const tree = git('rev-parse', `${branch}^{tree}`).trim();
  const sha = execFileSync(
    'git',
    [
      '-c',
      'user.name=Mia',
      '-c',
      'user.email=mia@example.org',
      'commit-tree',
      '-p',
      branch,
      '-m',
      'By hand',
      tree,
    ],
    {
      cwd: git('rev-parse', '--git-dir').trim(),
      encoding: 'utf8',
    },
  ).trim();
  git('update-ref', `refs/heads/${branch}`, sha);
  return sha;
}

const bodiesOf = (github: FakeGitHub): string =>
  github.threads.flatMap(({ comments }) => comments.map(({ body }) => body)).join('\n');

describe('a night', { timeout: 60_000 }, () => {
  it('pushes the picks, opens one draft with labels and one plan comment; the second run writes nothing', async () => {
    const here = await scene();
    const first = await here.night();
    const writes = here.written.length;
    const refs = here.git('for-each-ref', '--format=%(refname) %(objectname)');

    const second = await here.night();

    expect([first.outcome, second.outcome]).toEqual(['published', 'unchanged']);
    expect(here.written.length).toBe(writes);
    expect(here.git('for-each-ref', '--format=%(refname) %(objectname)')).toBe(refs);
    const [pull] = here.github.threads;
    expect(pull).toMatchObject({
      title: '[import] 2 commits from Quartz main',
      labels: ['sync', 'needs-person'],
      pull: { draft: true, base: 'main' },
    });
    expect(pull?.comments).toHaveLength(1);
    const body = pull?.comments[0]?.body ?? '';
    expect(body).toContain('1 clean, 1 conflict');
    expect(body).toContain('`COPYING: Apache-2.0`');
    expect(body).toContain(`DIR --commit ${here.tiny.sha('diverged').slice(0, 12)}`);
    expect(body).toContain('git rebase --signoff');
    expect(here.git('show', `${settings.branch}:scripts/run.sh`)).toContain('ox restart');
    expect(here.git('log', '-1', '--format=%an <%ae>', settings.branch).trim()).toBe(
      'Ann Author <ann@example.org>',
    );
  });

  it('pushes both sides of a conflict, from which git itself makes it again', async () => {
    const here = await scene();
    await here.night();
    const refs = `refs/fork-sync/${settings.branch}/conflicts/${here.tiny.sha('diverged')}`;
    const work = join(temporaryFolder(), 'work');
    execFileSync('git', ['clone', '--quiet', '--branch', settings.branch, here.onyx, work], {
      stdio: 'ignore',
    });
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', work, '-c', 'user.name=M', '-c', 'user.email=m@example.org', ...args], {
        encoding: 'utf8',
        stdio: 'pipe',
      });
    git('fetch', '--quiet', 'origin', `${refs}/theirs`);
    expect(() => git('cherry-pick', 'FETCH_HEAD')).toThrow();
    expect(git('diff')).toContain('Onyx is black');
    expect(git('diff')).toContain('Onyx, a gem of a server');
  });

  it('goes on with an open pull request when more comes, on the same fork commit and without force', async () => {
    const here = await scene([clean, extra]);
    const later = here.planner.commits.pop() ?? '';
    await here.night();
    const head = here.git('rev-parse', settings.branch).trim();
    // The fork moves on: an open pull request is not moved under its reviewers.
    const moved = pushByHand(here, 'main');
    here.planner.commits.push(later);

    const second = await here.night();

    expect(second.outcome).toBe('published');
    expect(second.plan.onto).toBe(here.tiny.sha('readme'));
    expect(here.git('merge-base', '--is-ancestor', head, settings.branch)).toBe('');
    here.github.permissions.set('mia', 'write');
    here.github.say(1, 'mia', '/sync retry');
    expect((await here.night()).plan.onto).toBe(moved);
    expect((await here.night()).outcome).toBe('unchanged');
  });

  it('picks anew onto the newest fork commit when a commit of it came into the fork otherwise', async () => {
    const here = await scene([clean, extra]);
    await here.night();
    const moved = pushByHand(here, 'main');
    here.planner.byHand.set(here.tiny.sha('extra'), [moved]);
    expect((await here.night()).plan.onto).toBe(moved);
  });

  it('never touches a branch that a person has pushed to, and says so', async () => {
    const here = await scene();
    await here.night();
    const theirs = pushByHand(here);
    const next = await here.night();
    expect(next.outcome).toBe('person-on-branch');
    expect(next.notices.join()).toContain(theirs.slice(0, 12));
    expect(here.git('rev-parse', settings.branch).trim()).toBe(theirs);
  });

  it('loses a race against a person: nothing of its push is taken', async () => {
    const here = await scene([clean, extra]);
    const later = here.planner.commits.pop() ?? '';
    await here.night();
    here.planner.commits.push(later);
    let theirs = '';
    const plan = here.git('rev-parse', `refs/fork-sync/${settings.branch}/plan`);
    const next = await here.night({
      meanwhile: () => {
        theirs = pushByHand(here);
      },
    });
    expect(next.outcome).toBe('person-on-branch');
    expect(here.git('rev-parse', settings.branch).trim()).toBe(theirs);
    expect(here.git('rev-parse', `refs/fork-sync/${settings.branch}/plan`)).toBe(plan);
  });

  it('does not take over a branch of that name that somebody else made', async () => {
    const here = await scene();
    here.git('update-ref', `refs/heads/${settings.branch}`, here.tiny.sha('readme'));
    expect((await here.night()).outcome).toBe('person-on-branch');
    expect(here.github.threads).toEqual([]);
  });

  it('passes on what a hook of the repository says against a push', async () => {
    const here = await scene([clean]);
    mkdirSync(join(here.onyx, 'hooks'), { recursive: true });
    const hook = join(here.onyx, 'hooks', 'pre-receive');
    writeFileSync(hook, '#!/bin/sh\necho "no pushes \u001b[31mat night" >&2\nexit 1\n');
    chmodSync(hook, 0o755);
    await expect(here.night()).rejects.toMatchObject({
      problem: { code: 'push-refused' },
      message: expect.stringContaining('no pushes \\u{1b}[31mat night'),
    });
    expect(here.github.threads).toEqual([]);
  });

  it('takes a closed pull request as a no, until somebody who may says retry in it', async () => {
    const here = await scene();
    await here.night();
    const [pull] = here.github.threads;
    if (pull === undefined) throw new Error('no pull request');
    here.github.permissions.set('mia', 'write');
    here.github.say(1, 'mia', '/sync retry');
    await here.night();
    here.github.say(1, 'mia', '/sync retry');
    Object.assign(pull, { state: 'closed', closedAfter: pull.comments.length });

    const declined = await here.night();
    here.github.say(1, 'tom', '/sync retry');
    const notAsked = await here.night();
    here.github.say(1, 'mia', '/sync retry');
    const asked = await here.night();

    expect([declined.outcome, notAsked.outcome, asked.outcome]).toEqual([
      'declined',
      'declined',
      'published',
    ]);
    expect(here.github.threads.map(({ state }) => state)).toEqual(['closed', 'open']);
  });

  it('begins anew after a merge', async () => {
    const here = await scene([clean, extra]);
    const later = here.planner.commits.pop() ?? '';
    await here.night();
    const [pull] = here.github.threads;
    if (pull?.pull === undefined) throw new Error('no pull request');
    here.git('update-ref', 'refs/heads/main', settings.branch);
    Object.assign(pull, { state: 'merged' });
    here.planner.commits.splice(0, 1, later);

    expect((await here.night()).outcome).toBe('published');
    expect(here.github.threads.map(({ state }) => state)).toEqual(['merged', 'open']);
  });

  it('tells in a dry run what it would do, and does nothing', async () => {
    const here = await scene();
    const refs = here.git('for-each-ref');
    const dry = await here.night({ publish: false });
    expect(dry.outcome).toBe('would-publish');
    expect(dry.told.join('\n')).toMatch(/push sync\/quartz-main .*\n.*open a pull request/);
    expect(here.written).toEqual([]);
    expect(here.git('for-each-ref')).toBe(refs);
  });

  it('stops at the cap of writes, and the next run goes on', async () => {
    const here = await scene();
    const outcomes: string[] = [];
    for (let night = 0; night < 5; night += 1) outcomes.push((await here.night({ limit: 1 })).outcome);
    expect(outcomes).toEqual(['over-limit', 'over-limit', 'over-limit', 'published', 'unchanged']);
    expect(here.github.threads[0]?.comments).toHaveLength(1);
  });

  it('pushes nothing when the build fails, and says what failed', async () => {
    const here = await scene();
    const built: string[] = [];
    const failed = await here.night({
      build: async (commit) => {
        built.push(commit);
        return 'make: *** [all] Error 2';
      },
    });
    expect(failed).toMatchObject({
      outcome: 'build-failed',
      notices: [expect.stringContaining('make: *** [all] Error 2')],
    });
    expect(built).toEqual([failed.plan.head]);
    expect(here.git('for-each-ref', 'refs/fork-sync', 'refs/heads/sync')).toBe('');
  });

  it('holds back what may not be pushed like this, and lets the rest through', async () => {
    const here = await scene([
      { ...clean, name: 'unsigned', message: 'scripts: Restart as well\n\nThanks @someone\n' },
      {
        name: 'next',
        from: 'unsigned',
        time: 3200,
        files: { 'doc/extensions.md': '# Extensions\n\n## `first`\n\nThe first.\n\n## `second`\n\nMore.\n' },
      },
    ]);
    const { plan } = await here.night();
    expect(plan.entries).toMatchObject([
      {
        state: 'held',
        commit: undefined,
        reasons: [
          expect.stringContaining('sign-off:'),
          expect.stringContaining('mention: this would call someone'),
        ],
      },
      { state: 'clean' },
    ]);
    expect(here.git('log', '--format=%s', 'main..sync/quartz-main').trim()).toBe('[import] next');
  });
});

describe('commands', { timeout: 60_000 }, () => {
  it('become files in the same pull request, with one reaction and one reply each', async () => {
    const here = await scene();
    await here.night();
    here.github.permissions.set('mia', 'maintain');
    const [first, second] = [here.tiny.sha('clean'), here.tiny.sha('diverged')];
    const said = here.github.say(
      1,
      'mia',
      `/sync skip ${second.slice(0, 8)} upstream-only their gems\n/sync rule gem => stone`,
    );
    const before = here.github.threads[0]?.comments.length ?? 0;

    const night = await here.night();
    const writes = here.written.length;
    const again = await here.night();

    const files = here.git('ls-tree', '-r', '--name-only', settings.branch, '.fork-sync').trim().split('\n');
    expect(files).toEqual([
      `.fork-sync/decisions/${second}.yaml`,
      expect.stringMatching(/decisions\/rule-[0-9a-f]{12}\.yaml$/),
    ]);
    expect(parse(here.git('show', `${settings.branch}:.fork-sync/decisions/${second}.yaml`))).toMatchObject({
      upstream: second,
      decision: 'skip',
      reason: 'upstream-only',
      by: 'mia <mia@users.noreply.github.com>',
      why: 'their gems',
    });
    expect(night.plan.entries.map(({ state }) => state)).toEqual(['clean', 'skipped']);
    expect(said.reactions).toMatchObject([{ content: '+1', login: 'sync-bot' }]);
    expect(here.github.threads[0]?.comments.length).toBe(before + 1);
    expect(again.outcome).toBe('unchanged');
    expect(here.written.length).toBe(writes);
    here.github.say(1, 'mia', `/sync take ${second}\n/sync park ${first}`);
    const taken = await here.night();
    expect(taken.plan.entries.map(({ state }) => state)).toEqual(['parked', 'conflict']);
  });

  it('are heard only from people who may write, at the time when they are carried out', async () => {
    const here = await scene();
    await here.night();
    here.github.permissions.set('tom', 'write');
    const said = here.github.say(1, 'tom', `/sync skip ${here.tiny.sha('clean')} because`);
    here.github.permissions.set('tom', 'read');
    const stranger = here.github.say(1, 'eve', `/sync take ${here.tiny.sha('clean')}`);
    const comments = here.github.threads[0]?.comments.length;

    const night = await here.night();
    await here.night();

    expect(night.plan.entries[0]?.state).toBe('clean');
    expect([said, stranger].map(({ reactions }) => reactions.map(({ content }) => content))).toEqual([
      ['-1'],
      ['-1'],
    ]);
    expect(here.github.threads[0]?.comments.length).toBe(comments);
  });

  it('that are wrong are answered with what is wrong, and explain tells of a blocked commit only what it may', async () => {
    const here = await scene();
    here.planner.blocked.set(here.tiny.sha('diverged'), 'AGPL-3.0-only');
    await here.night();
    here.github.permissions.set('mia', 'admin');
    const said = here.github.say(
      1,
      'mia',
      `/sync skip fffffff no\n/sync explain ${here.tiny.sha('diverged')}\n/sync frobnicate`,
    );
    await here.night();
    const reply = here.github.threads[0]?.comments.at(-1)?.body ?? '';
    expect(said.reactions.map(({ content }) => content)).toEqual(['confused']);
    expect(reply).toContain('No upstream commit begins with `fffffff`.');
    expect(reply).toContain(
      `\`${here.tiny.sha('diverged')}\` \`README: Say more\`: **blocked**\n- \`AGPL-3.0-only\``,
    );
    expect(reply).toContain('there is no such command');
    expect(bodiesOf(here.github)).not.toContain('gem of a server');
    expect(here.git('show', `refs/fork-sync/${settings.branch}/plan:plan.json`)).not.toContain('README.md');
  });

  it('record what a person carried over by hand', async () => {
    const here = await scene();
    await here.night();
    here.github.permissions.set('mia', 'admin');
    here.planner.byHand.set(here.tiny.sha('diverged'), [here.tiny.sha('readme')]);
    here.github.say(1, 'mia', `/sync take ${here.tiny.sha('diverged')}`);
    await here.night();
    expect(
      here.git('show', `${settings.branch}:.fork-sync/decisions/${here.tiny.sha('diverged')}.yaml`),
    ).toContain(`fork: ${here.tiny.sha('readme')}`);
  });

  it('cannot land where the branch is a person’s, and say so', async () => {
    const here = await scene();
    await here.night();
    pushByHand(here);
    here.github.permissions.set('mia', 'admin');
    here.github.say(1, 'mia', `/sync skip ${here.tiny.sha('clean')} because`);
    const night = await here.night();
    expect(night.plan.entries[0]?.state).toBe('clean');
    expect(here.github.threads[0]?.comments.at(-1)?.body).toContain('has commits of a person');
  });
});
