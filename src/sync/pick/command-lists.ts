// Lists of the words that may follow a command, as completions have them: the fork has others where a command changed.
import { hashWord } from '../rewrite/go/scan-go.ts';
import type { PickView } from './pick-view.ts';

const listPattern = /\bcompgen -W "([^"$]+)"/;
/** Lines above a list in which the command stands that it completes. */
const reach = 4;

/** The list among upstream's new lines that names a command of which the fork's code takes another form. */
export async function changedCommandList(
  view: PickView,
  theirs: string,
  added: readonly string[],
): Promise<string | undefined> {
  const isAdded = new Set(added.filter((line) => listPattern.test(line)));
  if (isAdded.size === 0) return undefined;
  const lines = theirs.split('\n');
  const { fork } = await view.go();
  for (const [index, line] of lines.entries()) {
    const words = isAdded.has(line) ? (listPattern.exec(line)?.[1] ?? '').split(' ') : [];
    const above = lines.slice(Math.max(0, index - reach), index).join('\n');
    for (const { from, declares } of view.shop.pack.commands) {
      const [command, word] = from
        .split(' ')
        .filter((part) => /^[a-z]/.test(part))
        .slice(-2);
      if (command === undefined || word === undefined || !words.includes(word)) continue;
      if (!above.includes(`"${command}"`)) continue;
      if (declares === undefined || fork.hasWord(hashWord(declares))) return `${command}: ${words.join(' ')}`;
    }
  }
  return undefined;
}
