import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { matchesAnyGlob } from '../../../src/sync/rules/glob.ts';
import { loadPack } from '../../../src/sync/rules/load-pack.ts';

const pack = loadPack(join(import.meta.dirname, '..', '..', '..', 'rules', 'lxd-incus'));

describe("upstream's licence texts", () => {
  it.each(pack.info.licence?.files ?? [])('never come over: %s, of the project or of a folder', (name) => {
    const skipped = pack.skip.flatMap((rule) => rule.files ?? []);

    expect([name, `client/${name}`, `shared/a/${name}`].map((path) => matchesAnyGlob(skipped, path))).toEqual(
      [true, true, true],
    );
  });

  it('are files of that very name, and no others', () => {
    const rule = pack.skip.find(({ id }) => id === 'licence-texts');

    expect(matchesAnyGlob(rule?.files ?? [], 'doc/COPYING-terms.md')).toBe(false);
  });
});
