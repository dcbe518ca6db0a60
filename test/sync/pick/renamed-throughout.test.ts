import { describe, expect, it } from 'vitest';
import { diffSequences } from '../../../src/sync/merge/diff-sequences.ts';
import { renameThroughout } from '../../../src/sync/pick/renamed-throughout.ts';
import { createLineStore } from '../../../src/sync/rewrite/line-store.ts';

const store = createLineStore((line) => line);
const packages = new Set(['request', 'util']);

/** The fork's text after upstream's change from one to the other. */
function rename(before: readonly string[], after: readonly string[], merged: string): string {
  const [base, theirs] = [store.split(before.join('\n')), store.split(after.join('\n'))];
  return renameThroughout(store, { base, theirs, edits: diffSequences(base, theirs) }, merged, packages).text;
}

const calls = (name: string): readonly string[] =>
  ['a', 'b', 'c'].flatMap((key) => [`\t${key} := ${name}(r, "${key}")`, `\tuse(${key})`]);
const own =
  'func queryParam(r int) {}\n\n// queryParam(r) reads.\n\tif queryParam(r, "own") == "queryParam(r)" {\n\t\tx.queryParam(r)\n\t}\n';

describe('renameThroughout', () => {
  it("makes the fork's own calls with what upstream calls now, and touches no text, method or declaration", () => {
    expect(rename(calls('queryParam'), calls('request.QueryParam'), own)).toBe(
      own.replace('if queryParam(', 'if request.QueryParam('),
    );
  });

  it('leaves them where upstream still has such a call, or replaced it by two others', () => {
    const still = [...calls('request.QueryParam'), '\td := queryParam(r, "d")'];
    const mixed = [...calls('request.QueryParam').slice(0, 4), ...calls('other').slice(4)];

    expect(rename([...calls('queryParam'), '\td := queryParam(r, "d")'], still, own)).toBe(own);
    expect(rename(calls('queryParam'), mixed, own)).toBe(own);
  });

  it('leaves them where upstream passes something else, or calls the method of a variable', () => {
    const methods = '\td.Close(1)\n';

    expect(
      rename(
        calls('queryParam'),
        calls('queryParam').map((line) => line.replace('queryParam(r', 'newParam(ctx, r')),
        own,
      ),
    ).toBe(own);
    expect(rename(calls('d.Close'), calls('d.End'), methods)).toBe(methods);
  });

  it('reads a line of very many calls in one go', () => {
    const line = (name: string): string => `\treturn ${`${name}(`.repeat(150_000)}`;

    expect(rename([line('queryParam')], [line('request.QueryParam')], own)).toBe(
      own.replace('if queryParam(', 'if request.QueryParam('),
    );
  });
});
