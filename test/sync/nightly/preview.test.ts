import { describe, expect, it, onTestFinished } from 'vitest';
import { makeTinyFork, type TinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { commit, type FixtureCommit } from '../../../fixtures/histories/write-history.ts';
import { previewFork, previewUpstream } from '../../../src/sync/nightly/preview.ts';
import { type Engine, openEngine } from '../../../src/sync/pick/open-engine.ts';
import { makePlan } from '../../../src/sync/plan/make-plan.ts';
import type { PlanEntry } from '../../../src/sync/publish/publish-plan.ts';
import { loadPack } from '../../../src/sync/rules/load-pack.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { scanTiny } from '../scanned.ts';

const make = (parameters: string): string =>
  `package tool\n\n// Make makes it.\nfunc Make(${parameters}) string {\n\treturn name\n}\n`;
const use = (call: string): string =>
  `package tool\n\n// Use uses it.\nfunc Use() string {\n\treturn ${call}\n}\n`;
const shared = [
  commit('tool', 'base', 1100, { 'tool/make.go': make('name string'), 'tool/use.go': use('Make("a")') }),
];
/** A function gets a parameter in one commit, and its caller the argument in the next. */
const halfFiles = { 'tool/make.go': make('name, kind string') };
const restFiles = { 'tool/use.go': use('Make("a", "b")') };
const upstream = [
  commit('half', 'tool', 1200, halfFiles),
  commit('rest', 'half', 1300, restFiles),
  {
    name: 'merged',
    from: 'tool',
    merge: 'rest',
    time: 1400,
    files: { ...halfFiles, ...restFiles },
    message: 'Merge pull request #7 from ann/tool\n',
  },
];
const halfWhy =
  'compiles only with the commits of its pull request that follow, as upstream: tool/use.go, line 5: Make takes 2 arguments, not 1';
const halfDoubt =
  "arguments or results are not as many as the fork's function has: line 5: Make takes 2 arguments, not 1";

async function engineOf(tiny: TinyFork): Promise<Engine> {
  const engine = await openEngine({ ...tiny, pack: loadPack(tiny.rules), program: 'engine.ts' });
  onTestFinished(() => engine.close());
  return engine;
}

const said = (entry: PlanEntry): unknown =>
  'files' in entry
    ? [entry.upstream, entry.state, entry.doubts.map(({ why }) => why), entry.reasons]
    : [entry.upstream, entry.state, entry.reasons];

describe('the preview of an upstream pull request', () => {
  it('tells a half that the next commit finishes, and picks as a plan does', async () => {
    const tiny = makeTinyFork(temporaryFolder(), { shared, upstream });
    const engine = await engineOf(tiny);
    const shas = [tiny.sha('half'), tiny.sha('rest')];
    const onto = tiny.sha('rename');

    const entries = await previewUpstream(engine, shas, { branch: 'main', onto });

    const scanned = await scanTiny(tiny, { main: 'merged' });
    const plan = await makePlan(scanned.engine, scanned.open, { limit: 30 });
    expect(entries.map(said)).toEqual([
      [tiny.sha('half'), 'clean', [], [halfWhy]],
      [tiny.sha('rest'), 'clean', [], []],
    ]);
    expect(entries.map((entry) => 'files' in entry && entry.commit)).toEqual(
      plan.groups.flatMap((group) => group.picks.map((pick) => pick.commit)),
    );
  });

  it('doubts a half that no commit of it finishes', async () => {
    const tiny = makeTinyFork(temporaryFolder(), { shared, upstream });
    const engine = await engineOf(tiny);

    const entries = await previewUpstream(engine, [tiny.sha('half')], {
      branch: 'main',
      onto: tiny.sha('rename'),
    });

    expect(entries.map(said)).toEqual([[tiny.sha('half'), 'review', [halfDoubt], []]]);
  });

  it('names commits that are not here, and goes on', async () => {
    const tiny = makeTinyFork(temporaryFolder(), { shared, upstream });
    const engine = await engineOf(tiny);
    const absent = 'ab'.repeat(20);

    const entries = await previewUpstream(engine, [absent, tiny.sha('half'), tiny.sha('rest')], {
      branch: 'main',
      onto: tiny.sha('rename'),
    });

    expect(entries.map(({ upstream: sha, state }) => [sha, state])).toEqual([
      [absent, 'parked'],
      [tiny.sha('half'), 'clean'],
      [tiny.sha('rest'), 'clean'],
    ]);
  });
});

describe('the preview of a pull request in the fork', () => {
  const withPicks = (last: FixtureCommit['files']): TinyFork => {
    const theirs = makeTinyFork(temporaryFolder(), { shared, upstream });
    const message = (name: string): string => `${name}\n\n(cherry picked from commit ${theirs.sha(name)})\n`;
    return makeTinyFork(temporaryFolder(), {
      shared,
      upstream,
      fork: [
        commit('our-half', 'rename', 2500, halfFiles, { message: message('half') }),
        commit('our-rest', 'our-half', 2600, last, { message: message('rest') }),
      ],
    });
  };

  it('tells a half that the next commit finishes', async () => {
    const tiny = withPicks(restFiles);
    const engine = await engineOf(tiny);

    const entries = await previewFork(engine, [tiny.sha('our-half'), tiny.sha('our-rest')]);

    expect(entries.map(said)).toEqual([
      [tiny.sha('half'), 'clean', [], [halfWhy]],
      [tiny.sha('rest'), 'clean', [], []],
    ]);
  });

  it('doubts a half that its people left one', async () => {
    const tiny = withPicks({ 'tool/note.txt': 'later\n' });
    const engine = await engineOf(tiny);

    const entries = await previewFork(engine, [tiny.sha('our-half'), tiny.sha('our-rest')]);

    expect(entries.map(said)).toEqual([
      [tiny.sha('half'), 'review', [halfDoubt], [halfWhy]],
      [tiny.sha('rest'), 'review', [], ['not what the rules make of it']],
    ]);
  });
});
