// What folding names of both projects did to a message is found in the fork all the same.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeTinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { commit } from '../../../fixtures/histories/write-history.ts';
import { inCode } from '../../../src/sync/plan/missing-code.ts';
import { compileBrand } from '../../../src/sync/rewrite/brand.ts';
import { loadPack } from '../../../src/sync/rules/load-pack.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const brand = compileBrand(loadPack(join(import.meta.dirname, '../../../rules/lxd-incus')));

test.each([
  ['with an article', 'Failed starting an LXD server', 'Failed starting an Incus server'],
  ['with the name alone', 'Failed to stop LXD in time', 'Failed to stop Incus in time'],
  ['with an address', 'mail root@localhost if not', 'mail root@localhost if not'],
  ['with no name', 'Failed to stop the server', 'Failed to stop the server'],
])('a message %s', async (_, upstream, fork) => {
  const tiny = makeTinyFork(temporaryFolder(), {
    upstream: [],
    fork: [
      commit('own', 'rename', 2500, {
        'a/a.go': `package a\n\nvar x = "${fork}"\n`,
        'b/b.go': 'package b\n',
      }),
    ],
  });
  const piece = brand.foldLine(upstream, 'text');
  const others = new Set([piece, 'Failed starting something else', 'no @ such thing']);

  expect([...(await inCode({ gitDir: tiny.fork, brand, fork: tiny.sha('own') }, others))]).toEqual([piece]);
});

test('very many pieces are not all asked for, and what is not holds nothing back', async () => {
  const tiny = makeTinyFork(temporaryFolder(), { upstream: [], fork: [] });
  const pieces = Array.from({ length: 1_500 }, (_, index) => `someSetting_${index}`);

  const found = await inCode({ gitDir: tiny.fork, brand, fork: tiny.sha('rename') }, new Set(pieces));

  expect(found.size).toBe(500);
  expect(found.has('someSetting_0')).toBe(false);
});
