import { describe, expect, it } from 'vitest';
import { coreFailure } from '../../../src/core/core-problem.ts';
import { buildBranch } from '../../../src/sync/build/broken-picks.ts';
import type { GoBuild, GoBuilder } from '../../../src/sync/build/go-builder.ts';

const picks = Array.from({ length: 16 }, (_, index) => ({
  upstream: `u${index}`,
  commit: `c${index}`,
  files: [{ path: 'a/a.go' }, { path: 'b/b.go' }],
}));

/** Builds in which a folder does not build from the pick of a number on; after `most` builds there is no time. */
function builderOf(
  since: Readonly<Record<string, number>>,
  most = Number.POSITIVE_INFINITY,
): GoBuilder & { readonly built: string[] } {
  const built: string[] = [];
  return {
    built,
    async build(commit): Promise<GoBuild> {
      if (built.length >= most)
        throw coreFailure({ code: 'command-timeout', argv: ['go', 'build'], limitMs: 1, printed: '' });
      built.push(commit);
      const place = commit === 'base' ? -1 : Number(commit.slice(1));
      const failed = Object.entries(since).flatMap(([folder, first]) =>
        place >= first ? [[folder, `${folder} is broken`] as const] : [],
      );
      return { packages: ['a', 'b'], failed: new Map(failed), unknown: new Map() };
    },
    close() {},
  };
}

describe('the pick since which a package does not build', () => {
  it('is found with few builds', async () => {
    const builder = builderOf({ a: 11, b: 3 });

    const { broken } = await buildBranch(builder, 'base', picks);

    expect(broken).toEqual([
      { upstream: 'u3', folder: 'b', why: 'b is broken' },
      { upstream: 'u11', folder: 'a', why: 'a is broken' },
    ]);
    // Both ends, and at most four for each of the two.
    expect(builder.built.length).toBeLessThanOrEqual(2 + 2 * 4);
  });

  it('is said as far as there was time to look', async () => {
    const { broken } = await buildBranch(builderOf({ a: 11 }, 3), 'base', picks);

    expect(broken).toEqual([
      {
        upstream: 'u15',
        folder: 'a',
        why: 'a is broken\n(or since one of the 7 picks before: no time was left)',
      },
    ]);
  });
});
