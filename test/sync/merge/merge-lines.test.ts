import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeLines } from '../../../src/sync/merge/merge-lines.ts';
import { createLineStore } from '../../../src/sync/rewrite/line-store.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const store = createLineStore((line) => line);
const merge = (
  base: string,
  ours: string,
  theirs: string,
  driver: 'text' | 'append-list' = 'text',
  deletedByFork = false,
) => {
  const merged = mergeLines(store, store.split(base), store.split(ours), store.split(theirs), {
    driver,
    go: false,
    deletedByFork,
  });
  return { ...merged, text: store.join(merged.lines), marked: store.join(merged.marked) };
};
/** The same where the fork is known to have deleted what it lacks. */
const mergeDeleted = (base: string, ours: string, theirs: string) => merge(base, ours, theirs, 'text', true);
const text = fc
  .array(fc.constantFrom('a', 'b', 'c', 'd', 'e', ''), { maxLength: 12 })
  .map((lines) => lines.map((line) => `${line}\n`).join(''));

describe('mergeLines', () => {
  it('takes the side that changed when the other did not', () => {
    fc.assert(
      fc.property(text, text, (base, changed) => {
        expect(merge(base, base, changed).text).toBe(changed);
        expect(merge(base, changed, base).text).toBe(changed);
        expect(merge(base, changed, changed).text).toBe(changed);
      }),
    );
  });

  it('spaces lines as upstream does where that is all it did, in the words of the fork', () => {
    const base =
      'type Query struct {\n\tName string `json:"name" yaml:"name"`\n\tID   int    `json:"id" yaml:"id"`\n}\n';
    const theirs = base.replace('`json:"id" yaml', '`json:"id"   yaml');
    const ours = base.replace('type Query', 'type SQLQuery').replace('Name string', 'Text string');

    const merged = merge(base, ours, theirs);

    expect(merged.text).toBe(ours.replace('`json:"id" yaml', '`json:"id"   yaml'));
  });

  it('agrees with git merge-file on changes that are apart', () => {
    // Arrange: lines that differ from each other, each side changing another part.
    const folder = temporaryFolder();
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);
    const change = fc.record({
      at: fc.integer({ min: 0, max: 12 }),
      to: fc.constantFrom('new', 'new\nand more', ''),
    });
    fc.assert(
      fc.property(change, change, (one, two) => {
        const edit = (at: number, to: string): string =>
          lines
            .toSpliced(at, 1, ...(to === '' ? [] : to.split('\n')))
            .map((line) => `${line}\n`)
            .join('');
        const [base, ours, theirs] = [edit(99, ''), edit(one.at, one.to), edit(two.at + 15, two.to)];
        for (const [name, content] of Object.entries({ base, ours, theirs }))
          writeFileSync(join(folder, name), content);
        // Act
        const git = spawnSync('git', ['merge-file', '-p', 'ours', 'base', 'theirs'], {
          cwd: folder,
          encoding: 'utf8',
        });
        // Assert
        expect(git.status).toBe(0);
        expect(merge(base, ours, theirs)).toMatchObject({ text: git.stdout, open: [] });
      }),
      { numRuns: 40 },
    );
  });

  it('puts entries of an ordered list behind what the fork has in their place, each once', () => {
    const entry = (name: string): string => `\t{name: "${name}", run: ${name}},\n`;
    const list = (...names: string[]): string => `list{\n${names.map(entry).join('')}}\n`;
    const ordered = (base: string, ours: string, theirs: string) => {
      const merged = mergeLines(store, store.split(base), store.split(ours), store.split(theirs), {
        driver: 'ordered-list',
        entries: ['{name:'],
        go: false,
      });
      return { ...merged, text: store.join(merged.lines) };
    };
    expect(ordered(list('a', 'b'), list('a', 'b', 'own'), list('a', 'b', 'new'))).toMatchObject({
      text: list('a', 'b', 'own', 'new'),
      settled: ['put-in-order'],
    });
    expect(ordered(list('a', 'b'), list('a', 'own'), list('a', 'b', 'new')).text).toBe(
      list('a', 'own', 'new'),
    );
    expect(ordered(list('a'), list('a', 'new', 'own'), list('a', 'new')).text).toBe(list('a', 'new', 'own'));
    // What is no entry goes to the other ways, or stays open.
    expect(
      ordered(list('a'), list('a').replace('}', '\tone()\n}'), list('a').replace('}', '\ttwo()\n}')).open,
    ).toHaveLength(1);
  });

  it('keeps a file without a final newline as it is, and a carriage return in its line', () => {
    expect(merge('a\r\nb\r\nc', 'a\r\nb\r\nc', 'x\r\nb\r\nc').text).toBe('x\r\nb\r\nc');
    expect(merge('a\nb\nc\nd\ne', 'A\nb\nc\nd\ne', 'a\nb\nc\nd\ne\n').text).toBe('A\nb\nc\nd\ne\n');
  });

  it('leaves a hunk open where both sides wrote other words in one place, and shows all three sides', () => {
    const merged = merge('keep\none\nkeep\n', 'keep\ntwo\nkeep\n', 'keep\nthree\nkeep\n');
    expect(merged.open).toHaveLength(1);
    expect(merged.text).toBe('keep\ntwo\nkeep\n');
    expect(merged.marked).toBe(
      'keep\n<<<<<<< fork\ntwo\n||||||| upstream before, rewritten\none\n=======\nthree\n>>>>>>> upstream after, rewritten\nkeep\n',
    );
  });

  it('names the way in which a hunk was settled', () => {
    expect(merge('call(a, b)\n', 'call(a, c)\n', 'call(x, b)\n')).toMatchObject({
      text: 'call(x, c)\n',
      settled: ['within-line'],
    });
    expect(merge('a = 1\n', 'a  =  1\n', 'a = 2\n')).toMatchObject({ text: 'a = 2\n', settled: ['blanks'] });
    expect(merge('x\na\nb\n', 'x\n', 'x\na\nB\n')).toMatchObject({
      text: 'x\n',
      settled: ['touching-deletion'],
    });
  });

  it('deletes what upstream deleted where the fork had changed little of it, beside what the fork deleted', () => {
    const lines = (...names: string[]): string => names.map((name) => `${name}\n`).join('');
    const part = ['def build():', 'run the first tool', 'run the second tool', 'run the third tool', 'done'];
    const own = part.with(2, 'run the fork tool');

    const merged = mergeDeleted(
      lines('keep', 'if topical:', 'set tags', ...part),
      lines('keep', ...own),
      lines('keep', 'if topical:', 'set tags'),
    );
    const rewrittenByFork = mergeDeleted(
      lines('keep', 'if topical:', ...part),
      lines('keep', 'def build():', 'A', 'B', 'C', 'done'),
      lines('keep', 'if topical:'),
    );

    expect(merged).toMatchObject({ text: 'keep\n', settled: ['upstream-deleted'], open: [] });
    expect(rewrittenByFork.open).toHaveLength(1);
  });

  it('makes changes of single lines in what the fork left of a stretch, and of no others', () => {
    const merged = mergeDeleted(
      'first tls driver\nfirst rbac driver\nsecond rbac driver\n',
      'first tls driver\n',
      'new first tls driver\nnew first rbac driver\nsecond rbac driver, changed\n',
    );
    expect(merged).toMatchObject({
      text: 'new first tls driver\n',
      settled: ['touching-deletion'],
      open: [],
    });
  });

  it('takes lines that upstream wrote anew, without those that the fork had deleted among the old ones', () => {
    const merged = mergeDeleted(
      'one\n"sphinx_design",\ntwo\nthree\n',
      'one\ntwo\nthree\n',
      "first\n'sphinx_design',\nsecond\n",
    );
    expect(merged).toMatchObject({ text: 'first\nsecond\n', settled: ['rewritten'], open: [] });
  });

  it('leaves out single changes in what the fork replaced by something else, and asks where it is alike', () => {
    const base = 'ask for a password\nread the answer\nstore the answer\n';
    const theirs = base.replace('read', 'fetch');
    const other = mergeDeleted(base, 'use tokens\n', theirs);
    const alike = mergeDeleted(base, 'print the answer\n', theirs);
    const more = mergeDeleted(base, 'use tokens\n', base.replace('store', 'check it\nstore'));

    expect(other).toMatchObject({ text: 'use tokens\n', settled: ['touching-deletion'], open: [] });
    // What the fork only lacks so far is not deleted.
    expect(merge(base, 'use tokens\n', theirs).open).toHaveLength(1);
    expect(alike.open).toHaveLength(1);
    expect(more.open).toHaveLength(1);
  });

  it('appends what upstream appended behind what the fork has', () => {
    const merged = merge(
      '# L\n\n## one\n',
      '# L\n\n## one\n\n## ours\n',
      '# L\n\n## one\n\n## theirs\n',
      'append-list',
    );
    expect(merged).toMatchObject({ text: '# L\n\n## one\n\n## ours\n\n## theirs\n', open: [] });
  });
});
