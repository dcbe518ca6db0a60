import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rewriteMessage } from '../../../src/sync/pick/rewrite-message.ts';
import type { PackInfo } from '../../../src/sync/rules/model.ts';

const info: PackInfo = {
  name: 'lxd-incus',
  description: '',
  forkPoint: '',
  forkPointTime: 0,
  subjectPrefix: '[lxd-import] ',
  committer: 'Picker <picker@example.org>',
  upstream: { name: 'LXD', repository: 'canonical/lxd', modules: [], brands: ['lxd', 'lxc'] },
  fork: {
    name: 'Incus',
    repository: 'lxc/incus',
    modules: [],
    brands: ['incus'],
    shortForms: [],
    standIns: [],
    compounds: [],
    vowelWords: [],
  },
};
const sha = 'a'.repeat(40);
const rewrite = (message: string): string => rewriteMessage(message, info, [], sha);

describe('rewriteMessage', () => {
  it('repeats none of the mistakes that were made by hand', () => {
    // lxc/incus 7445e14c84 and 1497aa239e: the tag twice.
    expect(rewrite('[lxd-import] [lxd-import] lxd: Fix\n').split('\n')[0]).toBe('[lxd-import] lxd: Fix');
    // lxc/incus ebfcef816d: the binding of liblxc became a thing that does not exist.
    const binding = 'doc: add a note about go-lxc build issue when LXC_DEVEL=1\n';
    expect(rewrite(binding)).toContain('about go-lxc build issue when LXC_DEVEL=1');
    // lxc/incus 48071b1efc and 782e28d4fe: links to threads of upstream's became links to nowhere.
    for (const link of [
      'https://github.com/canonical/lxd/pull/12566',
      'https://github.com/canonical/lxd/pull/12348',
    ])
      expect(rewrite(`a\n\nSee ${link}\n`)).toContain(`See ${link}`);
    // 30 messages with "Fixes #N" and 37 with "#N": numbers of upstream's in the fork's repository.
    expect(rewrite('a\n\nFixes #12345\n')).toContain('Fixes upstream: canonical/lxd#12345');
    expect(rewrite('a\n\nRelated to #99, and closes: #7\n')).toContain(
      'Related to canonical/lxd#99, and closes upstream: canonical/lxd#7',
    );
  });

  it('never doubles the tag', () => {
    expect(rewrite('[lxd-import] lxd: Fix\n').split('\n')[0]).toBe('[lxd-import] lxd: Fix');
  });

  it('keeps the names of other projects and links to upstream', () => {
    const message = 'doc: go-lxc and LXC_DEVEL=1\n\nSee https://github.com/canonical/lxd/pull/12566.\n';
    expect(rewrite(message)).toContain(
      'go-lxc and LXC_DEVEL=1\n\nSee https://github.com/canonical/lxd/pull/12566.',
    );
  });

  it('lets no keyword close an issue, whatever it points at', () => {
    for (const reference of [
      '#12',
      'canonical/lxd#12',
      'GH-12',
      'https://github.com/canonical/lxd/issues/12',
    ])
      for (const keyword of ['Fixes', 'closes', 'Resolved:', 'FIX'])
        expect(rewrite(`a\n\n${keyword} ${reference}\n`)).not.toMatch(
          /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?[ \t]+(?:[\w./-]*#\d|GH-\d|https:)/i,
        );
  });

  it('says whose issue a bare number is', () => {
    expect(rewrite('a (#34)\n\nsee #5 and other/repo#6\n')).toContain('see canonical/lxd#5 and other/repo#6');
  });

  it('adds the trailer to the block of trailers, once, and signs for nobody', () => {
    const message = rewrite('a\n\nSigned-off-by: A <a@example.org>\n');
    expect(message.endsWith(`Signed-off-by: A <a@example.org>\n(cherry picked from commit ${sha})\n`)).toBe(
      true,
    );
    expect(rewrite('a\n')).toBe(`[lxd-import] a\n\n(cherry picked from commit ${sha})\n`);
    expect(message.match(/Signed-off-by/g)).toHaveLength(1);
  });

  it('ends in the trailer and one newline, whatever comes in', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(rewrite(text).endsWith(`(cherry picked from commit ${sha})\n`)).toBe(true);
      }),
    );
  });
});
