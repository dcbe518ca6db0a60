// Marks before a word that the fork's page has dropped throughout, and that upstream's new lines bring.
import type { FileStudy } from './pick-view.ts';

/** Seen less often, that may be the way of one line. */
const fewest = 3;
/** A mark before a word, with what stands before it: `/server` in a list of pages, `</server>` behind a title. */
const markPattern = /(?<![\w)\]}"'`])([^\w\s])(?=[A-Za-z])/g;

/**
 * Marks that upstream's lines have before a word where the fork's have none, wherever the two have the same line: a list
 * of pages by `server` instead of `/server`. Lines are told from each other by what follows the mark.
 */
export function droppedMark({ lines: known }: FileStudy, lines: readonly string[]): string | undefined {
  const times = new Map<string, { dropped: number; kept: number }>();
  for (const line of lines)
    for (const [, mark = ''] of line.matchAll(markPattern)) times.set(mark, { dropped: 0, kept: 0 });
  if (times.size === 0) return undefined;
  for (const [before, after] of known) {
    if (after === undefined) continue;
    for (const match of before.matchAll(markPattern)) {
      const count = times.get(match[1] ?? '');
      if (count === undefined) continue;
      if (after.includes(match[0] + before.slice(match.index + 1).split(/\W/)[0])) count.kept += 1;
      else if (before.slice(0, match.index) + before.slice(match.index + 1) === after) count.dropped += 1;
    }
  }
  return [...times].find(([, { dropped, kept }]) => dropped >= fewest && kept === 0)?.[0];
}
