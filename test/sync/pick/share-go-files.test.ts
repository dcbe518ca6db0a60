import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../src/sync/gate/licence-gate.ts';
import type { Commit } from '../../../src/sync/git/commit.ts';
import { openMailbox } from '../../../src/sync/pick/partner.ts';
import { shareGoFiles } from '../../../src/sync/pick/share-go-files.ts';
import { syncFailure } from '../../../src/sync/problem.ts';
import { createGoIndexer } from '../../../src/sync/rewrite/go/go-index.ts';
import { memoryObjects } from '../go/memory-tree.ts';

const cleared: Verdict = { cleared: true, scope: 'tree', evidence: [] };

/** Two threads share and then index both trees: how often each file was read, and what the index of upstream declares. */
async function shareInTwo(verdict: Verdict, missing?: 'fork') {
  const memory = memoryObjects();
  const trees = {
    fork: memory.add({ 'go.mod': 'module example.org/onyx\n', 'a.go': 'package a\n\nfunc Ours() {}\n' }),
    before: memory.add({ 'go.mod': 'module example.org/quartz\n', 'a.go': 'package a\n\nfunc Old() {}\n' }),
    after: memory.add({ 'go.mod': 'module example.org/quartz\n', 'a.go': 'package a\n\nfunc New() {}\n' }),
  };
  const read: string[] = [];
  const commit = (sha: string, tree: string, parents: readonly string[]): Commit =>
    ({ sha, tree, parents }) as Partial<Commit> as Commit;
  const commits = new Map([
    ['fork', commit('fork', trees.fork, [])],
    ['before', commit('before', trees.before, [])],
    ['after', commit('after', trees.after, ['before'])],
  ]);
  const open = () => ({
    objects: {
      ...memory.objects,
      commit: async (sha: string) => {
        const found = commits.get(sha);
        if (found === undefined || sha === missing) throw syncFailure({ code: 'object-missing', sha });
        return found;
      },
      text: async (sha: string) => {
        const text = await memory.objects.text(sha);
        if (text.startsWith('package')) read.push(text.split(/[ (]/)[2] ?? '');
        return text;
      },
    },
    judge: async () => verdict,
  });
  const begun = openMailbox(0, (name, value) => helping.deliver(name, structuredClone(value)));
  const helping = openMailbox(1, (name, value) => begun.deliver(name, structuredClone(value)));
  const sides = [begun, helping].map(({ partner }) => {
    const side = open();
    return { partner, side, indexer: createGoIndexer(side.objects) };
  });

  await Promise.all(
    sides.map(({ partner, side, indexer }) =>
      shareGoFiles(partner, { ...side, indexer }, { upstream: 'after', onto: 'fork' }),
    ),
  );
  const readInSharing = [...read].sort();
  const functions = await Promise.all(
    sides.map(async ({ indexer }) => {
      const [fork, before] = [await indexer.index(trees.fork), await indexer.index(trees.before)];
      return [fork, before].flatMap((index) => index.callables('Ours').concat(index.callables('Old')).length);
    }),
  );
  return { readInSharing, readInAll: read.sort(), functions };
}

describe('Go files that two threads need', () => {
  it('are read by one of them', async () => {
    const { readInSharing, readInAll, functions } = await shareInTwo(cleared);

    expect(readInSharing).toEqual(['Old', 'Ours']);
    expect(readInAll).toEqual(['Old', 'Ours']);
    expect(functions).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });

  it.each([
    ['is not cleared', { cleared: false, reason: 'closed' }],
    ['is cleared in part', { cleared: true, scope: ['client'], evidence: [] }],
  ] satisfies [string, Verdict][])('are not looked at where upstream %s', async (_, verdict) => {
    const { readInSharing } = await shareInTwo(verdict);

    expect(readInSharing).toEqual(['Ours']);
  });

  it('that are not here stop nobody', async () => {
    const { readInSharing, functions } = await shareInTwo(cleared, 'fork');

    expect(readInSharing).toEqual(['Old']);
    expect(functions).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });
});
