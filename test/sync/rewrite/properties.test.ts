import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatTree, parseTree } from '../../../src/sync/git/tree.ts';
import { diffSequences } from '../../../src/sync/merge/diff-sequences.ts';
import { mergeLines } from '../../../src/sync/merge/merge-lines.ts';
import { alignLines } from '../../../src/sync/rewrite/align.ts';
import { compileBrand } from '../../../src/sync/rewrite/brand.ts';
import { carryFile } from '../../../src/sync/rewrite/carry.ts';
import { createEvidence } from '../../../src/sync/rewrite/evidence.ts';
import { createLineStore } from '../../../src/sync/rewrite/line-store.ts';
import { tokenize, tokenizeQuoted } from '../../../src/sync/rewrite/tokens.ts';
import { createTranslator, type Translator } from '../../../src/sync/rewrite/translate.ts';
import { loadPack } from '../../../src/sync/rules/load-pack.ts';
import { applySpans, compileWords } from '../../../src/sync/rules/words.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const pack = loadPack(join(import.meta.dirname, '..', '..', '..', 'rules', 'lxd-incus'));
const brand = compileBrand(pack);
const words = compileWords(pack.words, pack.protected);
const store = createLineStore(brand.foldLine);

const piece = fc.oneof(
  fc.constantFrom(...pack.words.map((rule) => rule.from), ...pack.protected.flatMap((rule) => rule.words)),
  fc.constantFrom(
    'lxd',
    'LXD',
    'lxc',
    'incus',
    'Incus',
    'a',
    'an',
    'shared.IsTrue',
    'x',
    '(',
    ' ',
    ' ',
    '/',
    '-',
    '_',
    '"',
    '.',
  ),
  fc.string({ unit: 'binary-ascii', maxLength: 3 }).map((text) => text.replaceAll('\n', '')),
);
const line = fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join(''));
// Apart: "Dqlite" and "xd" make "Cowsqlxd", and a word that arises where two others meet is nobody's.
const sentence = fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join(' '));
const text = fc.array(line, { maxLength: 14 }).map((lines) => lines.join('\n'));

function translatorFor(path: string): Translator {
  return createTranslator({
    path,
    kind: 'doc',
    brand,
    words,
    file: { evidence: createEvidence(brand), lines: new Map() },
    neighbours: undefined,
    memory: {
      evidence: createEvidence(brand),
      visible: () => true,
      line: () => undefined,
      phrase: () => undefined,
    },
    symbol: undefined,
    qualifiers: new Set(),
    paths: new Map(),
    renamed: true,
    name: pack.info.upstream.name,
  });
}

/** What a pick makes of one file, from the alignment to the merge. */
function carryOver(base: string, theirs: string, ours: string) {
  const [b, t, o] = [store.split(base), store.split(theirs), store.split(ours)];
  const alignment = alignLines(store, b, o, 'text');
  const carried = carryFile(store, { base: b, theirs: t }, o, alignment, translatorFor('doc/a.md'), {
    kind: 'text',
  });
  const merged = mergeLines(store, carried.base, o, carried.theirs, { driver: 'text', go: false });
  return { text: store.join(merged.lines), open: merged.open };
}

describe('cutting a line into tokens', () => {
  it('loses no character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), line, (odd, usual) => {
        for (const one of [odd, usual])
          for (const cut of [tokenize, tokenizeQuoted]) expect(cut(one).join('')).toBe(one);
      }),
    );
  });
});

describe('the word rules of the pack', () => {
  it('change nothing in what they have written', () => {
    const rewrite = (of: string): string =>
      applySpans(
        of,
        words.match(of, 'doc/a.md', () => 'prose'),
      );
    fc.assert(
      fc.property(sentence, (one) => {
        const once = rewrite(one);
        expect(rewrite(once)).toBe(once);
      }),
      { numRuns: 400 },
    );
  });

  it('cover no character twice, and protected words not at all', () => {
    fc.assert(
      fc.property(line, (one) => {
        let end = 0;
        for (const span of words.match(one, 'doc/a.md', () => 'prose')) {
          expect(span.start).toBeGreaterThanOrEqual(end);
          end = span.end;
          if (span.fixed) expect(span.to).toBe(one.slice(span.start, span.end));
        }
      }),
    );
  });
});

describe('aligning', () => {
  it('pairs a text with itself line by line', () => {
    fc.assert(
      fc.property(text, (one) => {
        const lines = store.split(one);
        const { exact } = alignLines(store, lines, lines, 'text');
        expect([...exact]).toEqual(Array.from(lines, (_, index) => index));
      }),
    );
  });

  it('never crosses, and calls equal only what folds to the same', () => {
    fc.assert(
      fc.property(text, text, (one, two) => {
        const [left, right] = [store.split(one), store.split(two)];
        const [leftKeys, rightKeys] = [store.fold(left, 'text'), store.fold(right, 'text')];
        const { exact, alike } = alignLines(store, left, right, 'text');
        let last = -1;
        for (const [index, other] of exact.entries()) {
          const place = other >= 0 ? other : alike.get(index);
          if (place === undefined) continue;
          expect(place).toBeGreaterThan(last);
          last = place;
          if (other >= 0) expect(rightKeys[other]).toBe(leftKeys[index]);
        }
      }),
    );
  });
});

describe('comparing', () => {
  it('gives edits that turn one text into the other', () => {
    fc.assert(
      fc.property(text, text, (one, two) => {
        const [left, right] = [store.split(one), store.split(two)];
        const made: number[] = [];
        let at = 0;
        for (const edit of diffSequences(left, right)) {
          made.push(...left.subarray(at, edit.aStart), ...right.subarray(edit.bStart, edit.bEnd));
          at = edit.aEnd;
        }
        made.push(...left.subarray(at));
        expect(store.join(made)).toBe(two);
      }),
    );
  });
});

describe('carrying a file over', () => {
  it('leaves the fork alone where upstream changed nothing', () => {
    fc.assert(
      fc.property(text, text, (upstream, fork) => {
        expect(carryOver(upstream, upstream, fork)).toEqual({ text: fork, open: [] });
      }),
    );
  });

  it("takes upstream's change as it is where nothing has another name", () => {
    const plain = fc
      .array(fc.constantFrom('one', 'two words', 'three', '', '  four'), { maxLength: 12 })
      .map((lines) => lines.join('\n'));
    fc.assert(
      fc.property(plain, plain, (base, theirs) => {
        expect(carryOver(base, theirs, base)).toEqual({ text: theirs, open: [] });
      }),
    );
  });
});

describe('merging', () => {
  it('makes what git makes, or leaves it to a person where the two may differ', () => {
    // Lines that occur once: where lines repeat, programs differ in what they take for the same line.
    const folder = temporaryFolder();
    const numbered = Array.from({ length: 16 }, (_, index) => `line ${index}\n`);
    const edits = fc.array(fc.tuple(fc.nat(15), fc.constantFrom('', 'new\n', 'other\nlines\n')), {
      maxLength: 3,
    });
    const apply = (changes: readonly (readonly [number, string])[], mark: string): string =>
      numbered
        .map((one, index) => changes.find(([at]) => at === index)?.[1].replaceAll('\n', `${mark}\n`) ?? one)
        .join('');
    fc.assert(
      fc.property(edits, edits, (one, two) => {
        const [base, ours, theirs] = [numbered.join(''), apply(one, '!'), apply(two, '?')];
        for (const [name, content] of Object.entries({ base, ours, theirs }))
          writeFileSync(join(folder, name), content);
        const git = spawnSync('git', ['merge-file', '-p', 'ours', 'base', 'theirs'], {
          cwd: folder,
          encoding: 'utf8',
        });
        const merged = mergeLines(store, store.split(base), store.split(ours), store.split(theirs), {
          driver: 'text',
          go: false,
        });
        if (git.status === 0)
          expect({ open: merged.open, text: store.join(merged.lines) }).toEqual({
            open: [],
            text: git.stdout,
          });
        else expect(merged.open.length + merged.settled.length).toBeGreaterThan(0);
      }),
      { numRuns: 60 },
    );
  });
});

describe('trees', () => {
  it("are read back as they were written, in git's order", () => {
    const name = fc
      .string({ unit: 'binary-ascii', minLength: 1, maxLength: 6 })
      .filter((one) => !/[\0/]/.test(one));
    const entry = fc.record({
      mode: fc.constantFrom('40000', '100644', '100755', '120000', '160000'),
      name,
      sha: fc
        .array(fc.constantFrom(...'0123456789abcdef'), { minLength: 40, maxLength: 40 })
        .map((digits) => digits.join('')),
    });
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: (one) => one.name, maxLength: 12 }), (entries) => {
        const read = parseTree(formatTree(entries));
        expect(read.toSorted((left, right) => (left.name < right.name ? -1 : 1))).toEqual(
          entries.toSorted((left, right) => (left.name < right.name ? -1 : 1)),
        );
        expect(formatTree(read)).toEqual(formatTree(entries));
      }),
    );
  });
});
