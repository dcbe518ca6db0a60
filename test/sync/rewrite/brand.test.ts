import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileBrand } from '../../../src/sync/rewrite/brand.ts';
import { loadPack } from '../../../src/sync/rules/load-pack.ts';

const pack = loadPack(join(import.meta.dirname, '..', '..', '..', 'rules', 'lxd-incus'));
const words = ['(a+)+$', 'c++', '[x'];

describe('the words of a pack that name the projects', () => {
  it('are words and never expressions', () => {
    const { info } = pack;
    const side = { brands: words, shortForms: words, standIns: words, compounds: words, vowelWords: words };
    const odd = { ...info, upstream: { ...info.upstream, brands: words }, fork: { ...info.fork, ...side } };
    const brand = compileBrand({ ...pack, info: odd });
    const begun = performance.now();
    expect(brand.inText('a'.repeat(50_000))).toBe(false);
    expect(brand.inText('written in C++')).toBe(true);
    expect(brand.foldLine('c++ and [x', 'text')).toBe('@ and @');
    expect(performance.now() - begun).toBeLessThan(5000);
  });

  it.each([
    ['LXD', 'server.', false],
    ['LXD', 'server', false],
    ['LXD', 'observer', false],
    ['lxd', 'since', false],
    ['lxd', 'incremental', false],
    ['LXD', 'Incus.', false],
    ['LXD', 'Incus', true],
    ['lxd01', 'server01', true],
    ['lxddoc', 'gendoc', true],
    ['startDevlxdServer', 'startDevIncusServer', true],
    ['lxdbr0', 'incbr0', true],
    ['lxdbr0', 'incremental', false],
    ['lxc', 'inc', true],
    ['LXC_REMOTE', 'INC_REMOTE', true],
    ['devlxd', '/dev/incus', true],
    ['lxdConfig', 'serverConfig', true],
  ])(
    'tell a spelling of the name from a word that stands in its place: %s, %s',
    (before, after, expected) => {
      expect(compileBrand(pack).plausible(before, after)).toBe(expected);
    },
  );

  it('may be none at all', () => {
    const none = { ...pack.info, upstream: { ...pack.info.upstream, brands: [] } };
    const brand = compileBrand({ ...pack, info: none });
    expect(brand.inText('any text')).toBe(false);
  });
});
