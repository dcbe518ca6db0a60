// The part that fuzzed programs have in common: inputs by number, each in a group with a seed of its own, and a line about
// what is being done before it is. Usage of such a program: node PROGRAM FOLDER SEED FROM TO
import * as fs from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';

const [folder = '', seed = '0', from = '0', to = '0'] = process.argv.slice(2);

export const scratchFolder = folder;

// Folders of fake machines, too, are where memory is faster than a disk.
process.env['TMPDIR'] = folder;

/** Inputs come in groups with a seed each, so that any of them can be had again without those before it. */
const groupSize = 100;

/** @param use answers with what became of the input, in a word; whatever it throws is a crash */
export async function feed<T>(
  arbitrary: fc.Arbitrary<T>,
  use: (input: T, index: number) => string | Promise<string>,
): Promise<void> {
  for (let index = Number(from); index < Number(to); ) {
    const group = Math.floor(index / groupSize);
    const samples = fc.sample(arbitrary, { seed: Number(seed) + group, numRuns: groupSize });
    // What SQLite holds for statements that nobody has any more is given back between turns of the event loop only.
    await nextTurn();
    for (; index < Math.min(Number(to), (group + 1) * groupSize); index += 1) {
      const input = samples[index % groupSize];
      if (input === undefined) continue;
      say('begin', index);
      const begun = process.cpuUsage();
      try {
        const outcome = await use(input, index);
        say('end', index, cpuMs(begun).toFixed(1), outcome);
      } catch (error) {
        const stack = String(error instanceof Error ? error.stack : error).replaceAll('\n', ' | ');
        say('crash', index, stack, fc.stringify(input).slice(0, 2000));
      }
    }
  }
  say('peak', process.resourceUsage().maxRSS * 1024);
}

function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

/** Synchronous, so that the line is out before what it announces can take the process down. */
function say(...words: readonly (string | number)[]): void {
  fs.writeSync(1, `${words.join('\t')}\n`);
}
