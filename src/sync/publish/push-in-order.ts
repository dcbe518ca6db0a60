// Pushes what a run has to: at once where git can be told at once, else what the branch rests on first.
import type { GitRemote, RefChange } from './git-remote.ts';

/** More refs than these need not fit into the arguments of one git (execve(2): as little as 128 kB). */
const mostAtOnce = 200;

/** Refs of conflicts come first and the branch last: it never stands there without what belongs to it. */
export async function pushInOrder(
  remote: Pick<GitRemote, 'push'>,
  changes: readonly RefChange[],
): Promise<'pushed' | 'moved'> {
  const isConflict = ({ ref }: RefChange): boolean => ref.includes('/conflicts/');
  const sorted = [...changes.filter(isConflict), ...changes.filter((change) => !isConflict(change))];
  for (let at = 0, end = sorted.length % mostAtOnce || mostAtOnce; at < sorted.length; end += mostAtOnce) {
    if ((await remote.push(sorted.slice(at, end))) === 'moved') return 'moved';
    at = end;
  }
  return 'pushed';
}
