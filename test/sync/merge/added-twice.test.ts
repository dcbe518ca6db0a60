import { describe, expect, it } from 'vitest';
import { findAddedTwice, type TwiceContext } from '../../../src/sync/merge/added-twice.ts';
import { mergeLines } from '../../../src/sync/merge/merge-lines.ts';
import { createLineStore } from '../../../src/sync/rewrite/line-store.ts';

const store = createLineStore((line) => line);

function merge(base: string, ours: string, theirs: string, more: Partial<TwiceContext> = {}) {
  const context: TwiceContext = { kind: 'go', driver: 'text', ...more };
  const sides = { base: store.split(base), ours: store.split(ours), theirs: store.split(theirs) };
  const twice = findAddedTwice(store, sides, context);
  const merged = mergeLines(
    store,
    sides.base,
    sides.ours,
    sides.theirs,
    { driver: context.driver, go: context.kind === 'go' },
    twice,
  );
  return {
    text: store.join(merged.lines),
    open: merged.open.map(({ twice: again }) => again),
    settled: merged.settled,
  };
}

const lines = (...all: readonly string[]): string => all.map((line) => `${line}\n`).join('');
const body = (...all: readonly string[]): string =>
  lines('func (d *lxc) Receive() error {', ...all.map((line) => `\t${line}`), '}');

describe('what both sides added in two places', () => {
  it('stands once: a statement that the fork has elsewhere in the function is there', () => {
    const base = body('a()', 'b()', 'c()', 'd()', 'e()');
    const ours = body('s := d.State()', 'a()', 'b()', 'c()', 'd()', 'e()');
    const theirs = body('a()', 'b()', 'c()', 's := d.State()', 'd()', 'e()');

    const merged = merge(base, ours, theirs);

    expect(merged).toEqual({ text: ours, open: [], settled: ['already-there'] });
  });

  it('is a conflict where only a part of it is there', () => {
    const base = body('a()', 'b()', 'c()', 'd()');
    const ours = body('var conn io.Reader', 'a()', 'b()', 'c()', 'd()');
    const theirs = body('a()', 'b()', 'c()', 'var conn io.Reader', 'conn = open()', 'd()');

    const merged = merge(base, ours, theirs);

    expect(merged).toEqual({ text: ours, open: [true], settled: [] });
  });

  it('is none in another function, nor a line that comes up again and again', () => {
    const other = lines('func Other() {', '\ts := d.State()', '}');
    const base = body('a()', 'b()', 'c()', 'd()') + other;
    const theirs = body('a()', 'b()', 'c()', 's := d.State()', 'd()') + other;
    const often = body('if err != nil {', '\treturn err', '}', 'a()', 'b()', 'c()', 'd()') + other;
    const oftenTheirs = body('a()', 'b()', 'c()', 'd()', 'if err != nil {', '\treturn err', '}') + other;

    expect(merge(base, base, theirs)).toMatchObject({ text: theirs, open: [] });
    expect(merge(base, often, oftenTheirs)).toMatchObject({ open: [], settled: [] });
  });

  it('is a function, a field or a key of the same name, whatever else is in it', () => {
    const cases: readonly (readonly [string, string, string])[] = [
      [
        lines('func A() {', '}', '', 'func B() {', '}'),
        lines('func Twice() int {', '\treturn 1', '}', '', 'func A() {', '}', '', 'func B() {', '}'),
        lines('func A() {', '}', '', 'func B() {', '}', '', 'func Twice() int {', '\treturn 2', '}'),
      ],
      [
        lines('type T struct {', '\ta int', '\tb int', '\tc int', '}'),
        lines('type T struct {', '\tid string', '\ta int', '\tb int', '\tc int', '}'),
        lines('type T struct {', '\ta int', '\tb int', '\tc int', '\tid int', '}'),
      ],
      [
        lines('var remotes = map[string]Remote{', '\t"local": Local,', '\t"x": X,', '\t"y": Y,', '}'),
        lines(
          'var remotes = map[string]Remote{',
          '\t"images": I,',
          '\t"local": Local,',
          '\t"x": X,',
          '\t"y": Y,',
          '}',
        ),
        lines(
          'var remotes = map[string]Remote{',
          '\t"local": Local,',
          '\t"x": X,',
          '\t"y": Y,',
          '\t"images": Images,',
          '}',
        ),
      ],
    ];
    for (const [base, ours, theirs] of cases)
      expect(merge(base, ours, theirs)).toMatchObject({ text: ours, open: [true] });
  });

  it('is a field by a name that the fork has for another one of upstream', () => {
    const base = lines('type T struct {', '\tNeeds string', '\tid int', '}');
    const theirs = lines('type T struct {', '\tNeeds string', '\tNeeds string', '\tid int', '}');

    expect(merge(base, base, theirs)).toMatchObject({ text: base, open: [true] });
  });

  it('is what another file of the package declares', () => {
    const base = lines('func A() {', '}');
    const theirs = lines('func A() {', '}', '', 'func Twice() {', '}');
    const declaredElsewhere = (name: string): boolean => name === 'Twice';

    expect(merge(base, base, theirs, { declaredElsewhere })).toMatchObject({ text: base, open: [true] });
    expect(merge(base, base, theirs)).toMatchObject({ text: theirs, open: [] });
  });

  it('is what stands in the middle of a line of the fork, or on several', () => {
    const qemu = (...all: readonly string[]): string => body('args := []string{', ...all, '}', 'a()', 'b()');
    const one = '\t"-nodefaults", "-accel", "kvm", "-cpu", "host",';
    const base = qemu('\t"-nodefaults", "-cpu", "host",', '\t"-x",', '\t"-y",');
    const ours = qemu(one, '\t"-x",', '\t"-y",');
    const twoLines = qemu(
      '\t"-nodefaults", "-cpu", "host",',
      '\t"-x",',
      '\t"-y",',
      '\t"-accel",',
      '\t"kvm",',
    );
    const oneLine = qemu('\t"-nodefaults", "-cpu", "host",', '\t"-x",', '\t"-y",', '\t"-accel", "kvm",');

    expect(merge(base, ours, twoLines)).toEqual({ text: ours, open: [], settled: ['already-there'] });
    expect(merge(base, ours, oneLine)).toEqual({ text: ours, open: [], settled: ['already-there'] });
    // The other way round, beside what upstream changes in the line itself.
    expect(merge(base, twoLines, ours)).toMatchObject({ text: twoLines, open: [true] });
  });

  it('is no pair of elements that the fork had before, or that stands in another function', () => {
    const call = (...all: readonly string[]): string => body('run("-accel", "kvm")', 'a()', 'b()', ...all);
    const other = lines('func Other() {', '\trun("-accel", "kvm", "-y")', '}');
    const base = body('a()', 'b()', 'c()');
    const theirs = body('a()', 'b()', 'run("-x", "-accel", "kvm")', 'c()');

    expect(merge(call('c()'), call('c()', 'd()'), call('x("-accel", "kvm")', 'c()'))).toMatchObject({
      text: call('x("-accel", "kvm")', 'c()', 'd()'),
      open: [],
    });
    expect(merge(base, base + other, theirs)).toMatchObject({ text: theirs + other, open: [] });
  });

  it('is a statement that is deferred', () => {
    const base = body('a()', 'b()', 'c()', 'd()');
    const ours = body('a()', 'defer unlock()', 'b()', 'c()', 'd()');
    const theirs = body('a()', 'b()', 'c()', 'defer unlock()', 'd()');

    expect(merge(base, ours, theirs)).toEqual({ text: ours, open: [], settled: ['already-there'] });
  });

  it('is an entry of a list, wherever it was appended', () => {
    const base = lines('run_test test_a', 'x', 'y', 'run_test test_b');
    const ours = lines('run_test test_new', 'run_test test_a', 'x', 'y', 'run_test test_b');
    const theirs = lines('run_test test_a', 'x', 'y', 'run_test test_b', 'run_test test_new');

    const merged = merge(base, ours, theirs, { kind: 'shell', driver: 'ordered-list' });

    expect(merged).toMatchObject({ text: ours, open: [], settled: ['already-there'] });
  });
});
