// Real and hand-made directories with random damage: only results that agree with each other, and known failures.
import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mutatedCopy, mutation } from './mutation.ts';
import { originals } from './originals.ts';
import { holdPromises } from './promises.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();

describe('a damaged directory', () => {
  it('is read, salvaged or refused, and never crashes the reader', () => {
    const folders = originals(folder, 'small');
    const seen = new Set<string>();
    let count = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...folders),
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        (original, mutations) => {
          count += 1;
          const target = join(folder, `mutated-${count}`);
          mutatedCopy(original, target, mutations);
          seen.add(holdPromises(target));
          fs.rmSync(target, { recursive: true });
        },
      ),
      { numRuns: 400 },
    );
    expect([...seen].sort()).toEqual(['read', 'refused', 'salvaged']);
  });
});
