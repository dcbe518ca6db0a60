import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PickView } from '../../../src/sync/pick/pick-view.ts';
import { choiceSigns } from '../../../src/sync/pick/text-signs.ts';
import { compileBrand } from '../../../src/sync/rewrite/brand.ts';
import type { FileKind } from '../../../src/sync/rewrite/file-kind.ts';
import type { Choice } from '../../../src/sync/rewrite/translate.ts';
import { loadPack } from '../../../src/sync/rules/load-pack.ts';

const brand = compileBrand(loadPack(join(import.meta.dirname, '..', '..', '..', 'rules', 'lxd-incus')));
const view = { shop: { brand } } as unknown as PickView;

const choice = (more: Partial<Choice>): Choice => ({
  origin: 'memory',
  upstream: 'lxd',
  fork: 'incus',
  rule: 'lower-name',
  level: 3,
  ...more,
});

const signsOf = (kind: FileKind, one: Choice, isGenerated = false): readonly string[] =>
  choiceSigns(view, 'a', kind, [one], undefined, isGenerated).map(({ name }) => name);

describe('choiceSigns', () => {
  it('calls what the fork did elsewhere a guess, but not in scripts where a rule says the same', () => {
    expect(signsOf('shell', choice({}))).toEqual(['word-guessed']);
    expect(signsOf('shell', choice({ agreed: true }))).toEqual([]);
    expect(signsOf('go', choice({ agreed: true }))).toEqual(['word-guessed']);
    expect(signsOf('shell', choice({ origin: 'rule', agreed: true }))).toEqual(['word-by-rule']);
  });

  it('calls a name that stayed in the very same surroundings no guess, unless it is a package', () => {
    const stayed = choice({ upstream: 'LXD', fork: 'LXD', level: 1 });
    const ofPackage = choice({ upstream: 'lxdCluster.Enabled', fork: 'lxdCluster.Enabled', level: 0 });

    expect(signsOf('go', stayed)).toEqual([]);
    expect(signsOf('go', { ...stayed, level: 2 })).toEqual(['word-guessed']);
    expect(signsOf('go', ofPackage)).toEqual(['word-guessed']);
  });

  it('asks about a word of a generated file that was not seen in its sentence', () => {
    const seen = choice({ origin: 'file', level: 3 });

    expect(signsOf('other', seen, true)).toEqual(['generated-word']);
    expect(signsOf('other', { ...seen, level: 0 }, true)).toEqual([]);
    expect(signsOf('other', { ...seen, origin: 'phrase', level: 0 }, true)).toEqual([]);
    expect(signsOf('other', seen)).toEqual([]);
  });
});
