// A command of this program on a state folder, which may be another one than the one in use.
import { ownCommandWith } from '../core/program-name.ts';
import { usualState } from './usual-state.ts';

/** For a person to copy into a shell. */
export function commandOn(state: string, ...words: readonly string[]): string {
  return ownCommandWith(state === usualState ? [] : ['--state', state], ...words);
}
