import { describe, expect, it } from 'vitest';
import { changedCommandList } from '../../../src/sync/pick/command-lists.ts';
import type { PickView } from '../../../src/sync/pick/pick-view.ts';
import { hashWord } from '../../../src/sync/rewrite/go/scan-go.ts';

const rule = { from: 'config trust add {certificate}', declares: 'cmdTrustAddCertificate' };

/** A fork whose code has the command, or has not. */
const viewOf = (...names: readonly string[]): PickView =>
  ({
    shop: { pack: { commands: [rule] } },
    go: async () => ({
      fork: { hasWord: (hash: number) => names.some((name) => hashWord(name) === hash) },
    }),
  }) as unknown as PickView;

const list = (words: string): string => `      COMPREPLY=( $(compgen -W "${words}" -- $cur) )`;
const script = (label: string, words: string): string =>
  `case $1 in\n    "${label}")\n${list(words)}\n      ;;\nesac\n`;

describe('changedCommandList', () => {
  const view = viewOf('cmdTrustAddCertificate');

  it('names a list of words for a command that the fork takes otherwise', async () => {
    const words = 'add list remove';

    expect(await changedCommandList(view, script('trust', words), [list(words)])).toBe(`trust: ${words}`);
  });

  it('says nothing of another command, of a fork without that, or of a line that is not new', async () => {
    const words = 'add list remove';

    expect(await changedCommandList(view, script('device', words), [list(words)])).toBeUndefined();
    expect(await changedCommandList(view, script('trust', 'list show'), [list('list show')])).toBeUndefined();
    expect(await changedCommandList(viewOf(), script('trust', words), [list(words)])).toBeUndefined();
    expect(await changedCommandList(view, script('trust', words), ['      ;;'])).toBeUndefined();
  });
});
