// Commands of this very program as they are printed: its own file by its whole path, and what it needs to find the same again.
import { resolve } from 'node:path';
import { wordsOf } from '../core/program-name.ts';
import { shellWord } from '../core/text.ts';

export interface GivenOptions {
  readonly upstream?: string;
  readonly fork?: string;
  readonly rules?: string;
  readonly cache?: string;
  /** Of `pick`: from the fork into upstream. */
  readonly reverse?: boolean;
}

/** What the command that runs was given; there is one in a process. */
let given: GivenOptions = {};

export function rememberGiven(options: GivenOptions): void {
  given = options;
}

/** What a printed command is to be given again; none of it is used by a command that does not know it. */
const known = {
  nothing: [],
  rules: ['rules'],
  repositories: ['upstream', 'fork', 'rules', 'cache'],
} as const;

/** This program with these words, for a person to copy into a shell. */
export function ownCall(words: readonly string[], needs: keyof typeof known): string {
  const options = known[needs].flatMap((name) => {
    const value = given[name];
    return value === undefined ? [] : [`--${name}`, resolve(value)];
  });
  const start = wordsOf({ script: process.argv[1] ?? '', node: process.execPath });
  return [...start, ...words, ...options].map(shellWord).join(' ');
}

/**
 * What to do next as the engine says it (`fork-sync checkout SHA DIR …`: that is kept, and the same everywhere), as it can
 * be called here; other advice stays as it is. Both are bytes kept as latin1.
 */
export function asCalled(next: string): string {
  const [program, verb = '', ...words] = next.split(' ');
  if (program !== 'fork-sync') return next;
  const named = words.map((word) => (word === 'DIR' ? `solve-${(words[0] ?? '').slice(0, 12)}` : word));
  const back = verb === 'pick' && given.reverse === true ? ['--reverse'] : [];
  return Buffer.from(ownCall([verb, ...named, ...back], 'repositories'), 'utf8').toString('latin1');
}
