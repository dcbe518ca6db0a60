// Names that an upstream commit renames throughout, and that the fork no longer uses in a place: nothing is left to rename.
import { diffSequences } from '../merge/diff-sequences.ts';
import type { OpenHunk } from '../merge/merge-lines.ts';
import { isWord, tokenize } from '../rewrite/tokens.ts';
import type { PickView } from './pick-view.ts';

/** Replacements of one name by another that a commit makes less often are no renaming. */
const fewest = 3;

interface Rename {
  readonly from: string;
  readonly to: string;
}

/** The name that all hunks do nothing but rename, where none of the fork's sides has it. */
export async function renamedAway(view: PickView, hunks: readonly OpenHunk[]): Promise<Rename | undefined> {
  const { store } = view.shop;
  let found: Rename | undefined;
  for (const { base, ours, theirs } of hunks) {
    if (base.length !== theirs.length) return undefined;
    for (const [index, id] of base.entries()) {
      const other = theirs[index];
      if (other === undefined || other === id) continue;
      const rename = renameIn(store.line(id), store.line(other));
      if (rename === undefined || (found !== undefined && found.from !== rename.from)) return undefined;
      found = rename;
    }
    const from = found?.from;
    if (from === undefined || ours.some((id) => tokenize(store.line(id)).includes(from))) return undefined;
  }
  return found !== undefined && (await timesRenamed(view, found)) >= fewest ? found : undefined;
}

/** What one line has in place of a name of another, if that is all they differ in. */
function renameIn(before: string, after: string): Rename | undefined {
  const [one, two] = [tokenize(before), tokenize(after)];
  if (one.length !== two.length) return undefined;
  let rename: Rename | undefined;
  for (const [index, from] of one.entries()) {
    const to = two[index] ?? '';
    if (from === to) continue;
    if (!isWord(from) || !isWord(to) || (rename !== undefined && rename.from !== from)) return undefined;
    rename = { from, to };
  }
  return rename;
}

/** Lines of the whole commit that it changes in this way. */
async function timesRenamed(view: PickView, { from, to }: Rename): Promise<number> {
  const { objects, store } = view.shop;
  let times = 0;
  for (const { before, after } of view.changes) {
    if (before === undefined || after === undefined || before.sha === after.sha) continue;
    const [old, now] = [
      store.split(await objects.text(before.sha)),
      store.split(await objects.text(after.sha)),
    ];
    for (const edit of diffSequences(old, now)) {
      if (edit.aEnd - edit.aStart !== edit.bEnd - edit.bStart) continue;
      for (let step = 0; step < edit.aEnd - edit.aStart; step += 1) {
        const rename = renameIn(
          store.line(old[edit.aStart + step] ?? 0),
          store.line(now[edit.bStart + step] ?? 0),
        );
        if (rename?.from === from && rename.to === to) times += 1;
      }
    }
  }
  return times;
}
