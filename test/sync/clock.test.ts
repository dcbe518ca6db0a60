// Nothing that fork-sync decides hangs on the clock: it jumps a day, both ways, between any two commands.
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { makeTinyFork, type TinyFork } from '../../fixtures/histories/tiny-fork.ts';
import { addCommits, type FixtureCommit, setBranch } from '../../fixtures/histories/write-history.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { forkSync, repositoriesOf } from './fork-sync.ts';
import { openScene } from './nightly/night-scene.ts';

const day = 86_400_000;
/** Ahead and behind in turns, further behind in all. */
const jumps = (step: number): number => ((step % 2) * 2 - 1) * day - step * day;

const line = (name: string): FixtureCommit['files'] => ({ [`doc/${name}.md`]: `${name} of Quartz\n` });

function makeFork(): TinyFork {
  const tiny = makeTinyFork(temporaryFolder(), {
    upstream: [
      { name: 'one', from: 'base', time: 3000, files: line('one') },
      // Its committer's clock was years behind.
      { name: 'two', from: 'one', time: 10, files: line('two') },
      { name: 'three', from: 'two', time: 3200, files: line('three') },
    ],
  });
  setBranch(tiny.upstream, 'main', tiny.sha('three'));
  setBranch(tiny.fork, 'master', tiny.sha('rename'));
  return tiny;
}

/** The program with a clock that is wrong by so many milliseconds. */
function runAt(
  offset: number,
  args: readonly string[],
): { readonly status: number | null; readonly stdout: string } {
  const clock = `
    const Real = Date, offset = ${offset};
    globalThis.Date = class extends Real {
      constructor(...given) { super(...(given.length === 0 ? [Real.now() + offset] : given)); }
      static now() { return Real.now() + offset; }
    };`;
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(clock)}`;
  const { status, stdout, stderr } = forkSync(args, { env: { ...process.env, NODE_OPTIONS } });
  expect(stderr).toBe('');
  return { status, stdout };
}

/** Every command once or more, on a fork of its own; what each printed, without what is told apart by days and places. */
function runAll(offsetOf: (step: number) => number): readonly unknown[] {
  const tiny = makeFork();
  const common = repositoriesOf(tiny);
  const [upstream, fork, rules] = [common.slice(0, 2), common.slice(2, 4), common.slice(4, 6)];
  const optionsOf: Readonly<Record<string, readonly string[]>> = {
    skip: [...upstream, ...fork, ...rules],
    take: [...upstream, ...fork, ...rules],
    park: [...upstream, ...rules],
    reopen: [...upstream, ...rules],
  };
  const by = ['--by', 'Per Son <per@example.org>'];
  const commands: readonly (readonly string[])[] = [
    ['pick', tiny.sha('one'), tiny.sha('two'), '--onto', 'rename', '--json'],
    ['scan', '--json'],
    ['skip', 'two', '--reason', 'not-wanted', '--why', 'first', ...by],
    ['plan', '--json'],
    ['park', 'two', '--why', 'second', ...by],
    ['scan', '--json'],
    ['take', 'two', '--fork-commit', 'rename', '--why', 'third', ...by],
    ['status', 'two', '--json'],
    ['reopen', 'two'],
    ['plan', '--json'],
    ['pick', tiny.sha('one'), tiny.sha('two'), '--onto', 'rename', '--json'],
    ['scan', '--json'],
  ];
  return commands.map(([name = '', ...args], step) => {
    const { status, stdout } = runAt(offsetOf(step), [name, ...args, ...(optionsOf[name] ?? common)]);
    return [name, status, stdout.replaceAll(join(tiny.rules, '..'), '').replace(/\d{4}-\d\d-\d\d/g, 'DAY')];
  });
}

it('commands say the same under a clock that jumps as under one that does not', { timeout: 120_000 }, () => {
  const steady = runAll(() => 0);
  const jumping = runAll(jumps);

  expect(jumping).toEqual(steady);
  const [, , , , , parked, , taken] = steady.map((one) => JSON.stringify(one));
  expect(parked).toContain('second (Per Son');
  expect(taken).toContain('third (Per Son');
});

it('nights under a clock that jumps: the last thing said counts, and a night without news writes nothing', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const begun = Date.UTC(2026, 5, 1);
  let step = 0;
  const jump = (): void => {
    step += 1;
    vi.setSystemTime(begun + jumps(step));
  };
  const here = await openScene();
  here.github.permissions.set('mia', 'write');
  const sha = here.tiny.sha('restart');
  const night = async () => {
    jump();
    return here.night();
  };
  const say = (text: string): void => {
    jump();
    here.github.say(1, 'mia', text);
  };
  const stateOf = (entries: Awaited<ReturnType<typeof night>>): string | undefined =>
    entries.result.plan.entries.find(({ upstream }) => upstream === sha)?.state;

  const first = await night();
  const second = await night();
  say(`/sync skip ${sha} not-wanted first`);
  say(`/sync park ${sha} second`);
  const parked = await night();
  const quiet = await night();
  say(`/sync take ${sha}`);
  say(`/sync retry`);
  jump();
  here.github.shut(1);
  const declined = await night();
  say('/sync retry');
  const asked = await night();
  const last = await night();

  expect([first.result.outcome, second.exit]).toEqual(['published', 4]);
  expect([stateOf(parked), quiet.exit]).toEqual(['parked', 4]);
  expect([declined.result.outcome, asked.result.outcome, last.exit]).toEqual(['declined', 'published', 4]);
  expect(here.github.threads.filter(({ pull }) => pull !== undefined).map(({ state }) => state)).toEqual([
    'closed',
    'open',
  ]);
});

it('of a branch and what was fetched of it the one that holds the other counts, whatever their dates', () => {
  const tiny = makeFork();
  const remote = (name: string): void => setBranch(tiny.upstream, '../remotes/origin/main', tiny.sha(name));
  const tipOf = (): string => {
    const { stdout } = forkSync(['scan', '--json', ...repositoriesOf(tiny)]);
    return JSON.parse(stdout).upstream[0].sha;
  };
  const found: string[] = [];

  // The fetched one is newer, and the date of its last commit years older.
  setBranch(tiny.upstream, 'main', tiny.sha('one'));
  remote('two');
  found.push(tipOf());
  setBranch(tiny.upstream, 'main', tiny.sha('three'));
  found.push(tipOf());
  const more = addCommits(
    tiny.upstream,
    [{ name: 'own', from: 'one', time: 9000, files: line('own') }],
    new Map([['one', tiny.sha('one')]]),
  );
  setBranch(tiny.upstream, 'main', more.get('own') ?? '');
  found.push(tipOf());

  expect(found).toEqual([tiny.sha('two'), tiny.sha('three'), tiny.sha('two')]);
});
