// The process that fuzz.ts watches: damages database directories and reads them; says on each line what it is doing.
// Usage: node fuzz-databases.ts FOLDER SEED FROM TO
import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { mutatedCopy, mutation } from '../dqlite/mutation.ts';
import { originals } from '../dqlite/originals.ts';
import { holdPromises } from '../dqlite/promises.ts';
import { extremes } from './extremes.ts';

const [folder = '', seed = '0', from = '0', to = '0'] = process.argv.slice(2);
const small = originals(fs.mkdtempSync(join(folder, 'small-')), 'small');
const all = originals(fs.mkdtempSync(join(folder, 'all-')), 'all');

/** Small directories are damaged more often than large ones: they are read in a tenth of the time. */
const input = fc.tuple(
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...small) },
    { weight: 1, arbitrary: fc.constantFrom(...all) },
  ),
  fc.array(mutation, { minLength: 1, maxLength: 4 }),
);

/** Inputs come in groups with a seed each, so that any of them can be had again without those before it. */
const groupSize = 100;

for (let index = Number(from); index < Number(to); ) {
  const group = Math.floor(index / groupSize);
  const samples = fc.sample(input, { seed: Number(seed) + group, numRuns: groupSize });
  for (; index < Math.min(Number(to), (group + 1) * groupSize); index += 1) {
    const extreme = extremes[index];
    const [original, mutations] = samples[index % groupSize] ?? [small[0] ?? '', []];
    let target = join(folder, 'input');
    if (extreme === undefined) mutatedCopy(original, target, mutations);
    else target = extreme(folder);
    let slowest = 0;
    const watched = <T>(use: () => T): T => {
      say('begin', index);
      const begun = performance.now();
      try {
        return use();
      } finally {
        slowest = Math.max(slowest, performance.now() - begun);
        say('done', index);
      }
    };
    try {
      const outcome = holdPromises(target, watched);
      say('end', index, slowest.toFixed(1), outcome);
    } catch (error) {
      const stack = String(error instanceof Error ? error.stack : error).replaceAll('\n', ' | ');
      say('crash', index, stack, extreme === undefined ? show(mutations) : `extreme ${index}`);
    }
    fs.rmSync(target, { recursive: true });
  }
}
say('peak', process.resourceUsage().maxRSS * 1024);

/** Synchronous, so that the line is out before what it announces can take the process down. */
function say(...words: readonly (string | number)[]): void {
  fs.writeSync(1, `${words.join('\t')}\n`);
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner));
}
