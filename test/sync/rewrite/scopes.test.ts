import { describe, expect, it } from 'vitest';
import { scopeFinder } from '../../../src/sync/rewrite/scopes.ts';

/** The scope of the place that a word begins at. */
const scopeOf = (path: string, line: string, word = 'lxd') =>
  scopeFinder(path, 'other', line)(line.indexOf(word));

describe('scopes of files that are no code, page or script', () => {
  it.each([
    ['Makefile', '\tcd lxd && go build', 'cli'],
    ['doc/Makefile', 'lxd: all', 'code'],
    ['rules.mk', 'NAME = lxd', 'code'],
    ['Makefile', '\tgo build # lxd', 'comment'],
    ['Makefile', '# lxd', 'comment'],
  ])('in makefiles: %s %j', (path, line, expected) => {
    expect(scopeOf(path, line)).toBe(expected);
  });

  it.each([
    ['a.yml', '      run: lxd --version', 'cli'],
    ['a.yaml', '  - run: lxd', 'cli'],
    ['a.yml', '        lxd init --auto', 'cli'],
    ['a.yml', '    name: lxd', 'code'],
    ['a.yml', '  lxd:', 'code'],
    ['a.yml', '    name: one # lxd', 'comment'],
    ['a.yml', '    image: https://example.org/lxd', 'url'],
    ['a.yml', '      curl -s lxd/1.0', 'url'],
  ])('in YAML: %s %j', (path, line, expected) => {
    expect(scopeOf(path, line)).toBe(expected);
  });

  it('in others nobody knows more of them', () => {
    expect(scopeOf('lxd.conf', 'name = lxd # lxd')).toBe('code');
    expect(scopeOf('lxd.conf', 'LXD_DIR=/x', 'LXD_DIR')).toBe('env');
  });
});
