import { describe, expect, it, onTestFinished } from 'vitest';
import { makeTinyFork, type TinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { commit } from '../../../fixtures/histories/write-history.ts';
import { openEngine } from '../../../src/sync/pick/open-engine.ts';
import { openPickCache } from '../../../src/sync/pick/pick-cache.ts';
import { openRememberedChain } from '../../../src/sync/pick/remembered-chain.ts';
import { loadPack } from '../../../src/sync/rules/load-pack.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const makers = { engine: 'e', pick: 'p', chain: 'c', lesson: 'l', moves: 'm', 'go-file': 'g' };
const upstream = [
  commit('start', 'base', 1100, { 'list.txt': 'one\ntwo\nthree\n' }),
  commit('clean', 'start', 1200, { 'clean.txt': 'x\n' }),
  commit('conflict', 'clean', 1300, { 'list.txt': 'one\ntwo of theirs\nthree\n' }),
  commit('empty', 'conflict', 1400, { 'same.txt': 'x\n' }),
  commit('skipped', 'empty', 1500, { 'po/de.po': 'msgid "b"\n' }),
];
const wanted = ['clean', 'conflict', 'empty', 'skipped'];
const fork = [
  commit('ours', 'rename', 2500, { 'list.txt': 'one\ntwo of ours\nthree\n', 'same.txt': 'x\n' }),
  commit('apart', 'ours', 2600, { 'README.md': 'Onyx, still\n' }),
  commit('touched', 'apart', 2700, { 'list.txt': 'one\ntwo of ours, better\nthree\n' }),
  commit('listed', 'apart', 2700, { 'new.txt': 'x\n' }),
];

/** Tries all that is wanted in a new chain each time, on one cache; says which commits had to be opened for. */
async function open(tiny: TinyFork) {
  const folder = temporaryFolder();
  const engine = await openEngine({ ...tiny, pack: loadPack(tiny.rules), program: 'engine.ts' });
  onTestFinished(() => engine.close());
  return async (onto: string, imported: readonly string[] = [], remembers = true) => {
    const cache = openPickCache(remembers ? folder : temporaryFolder(), makers, () => {});
    const opened: string[] = [];
    const chain = openRememberedChain(
      {
        cache,
        objects: engine.objects,
        workshop: (list) => {
          opened.push(list[0] ?? '');
          return engine.workshop(list.map((sha) => ({ upstream: sha, onto: tiny.sha(onto) })));
        },
        isWhole: () => true,
      },
      { onto: tiny.sha(onto), imported, wanted: wanted.map(tiny.sha), ahead: 1 },
    );
    const picks = [];
    for (const name of wanted) {
      const made = await chain.pick(tiny.sha(name));
      await chain.accept(made);
      picks.push(made);
    }
    cache.close();
    return { picks, opened: wanted.filter((name) => opened.includes(tiny.sha(name))), tip: chain.tip() };
  };
}

describe('a chain of picks that remembers', () => {
  it('opens nothing the second time, and says the same', async () => {
    const run = await open(makeTinyFork(temporaryFolder(), { upstream, fork }));

    const first = await run('ours');
    const second = await run('ours');

    expect(first.picks.map(({ result }) => result.status)).toEqual(wanted);
    expect(first.opened).toEqual(wanted);
    expect(second.opened).toEqual([]);
    expect(second.picks).toEqual(first.picks);
    expect(second.tip).toBe(first.tip);
  });

  it('tries anew on a later fork commit only what came to something, and says what it says without memory', async () => {
    const tiny = makeTinyFork(temporaryFolder(), { upstream, fork });
    const run = await open(tiny);
    await run('ours');

    const later = await run('apart');
    const fresh = await run('apart', [], false);

    expect(later.opened).toEqual(['clean']);
    expect(later.picks.map(({ result }) => result)).toEqual(fresh.picks.map(({ result }) => result));
    expect(later.picks[1]?.result.conflicts[0]?.next).toContain(later.tip);
  });

  it.each([
    ['a file that it touches', 'touched', [], ['clean', 'conflict']],
    ['the list of files', 'listed', [], ['clean', 'conflict', 'empty', 'skipped']],
    ['what was imported', 'apart', ['f'.repeat(40)], ['clean', 'conflict', 'empty', 'skipped']],
  ])('tries a commit anew once the fork changed %s', async (_, onto, imported, opened) => {
    const run = await open(makeTinyFork(temporaryFolder(), { upstream, fork }));
    await run('ours');

    const later = await run(onto, imported);

    expect(later.opened).toEqual(opened);
  });
});
