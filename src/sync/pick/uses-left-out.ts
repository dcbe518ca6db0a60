// What a commit's new lines use of a file of the same commit that did not come over: half of a change, in any language.
import { matchesAnyGlob } from '../rules/glob.ts';
import type { FileOutcome } from './pick-files.ts';
import type { PickView } from './pick-view.ts';
import type { Sign } from './sign.ts';
import { sign } from './text-signs.ts';

/** How scripts, Makefiles and Python define a name; a compiler of Go's is asked elsewhere. */
export const definition =
  /^\s*(?:(?:export|local|readonly|def|function|class) \s*)?([A-Za-z_]\w{3,})\s*(?:\(|[:+?]?=(?!=))/;

/** Signs for new lines with a name that upstream defines in a file that was left out, and the fork's file does not have. */
export async function findUsesOfLeftOut(
  view: PickView,
  outcomes: readonly FileOutcome[],
): Promise<readonly Sign[]> {
  const { objects } = view.shop;
  const defined = new Map<string, string>();
  const isText = (path: string): boolean => !path.endsWith('.go') && !isGenerated(view, path);
  for (const { how, from } of outcomes) {
    const change = view.changes.find(({ path }) => path === from);
    if (how !== 'dropped' || change?.after === undefined || !isText(from)) continue;
    const [before, after] = [
      change.before === undefined ? '' : await objects.text(change.before.sha),
      await objects.text(change.after.sha),
    ];
    const known = new Set(before.split('\n'));
    for (const line of after.split('\n')) {
      const name = known.has(line) ? undefined : definition.exec(line)?.[1];
      if (name !== undefined && !defined.has(name)) defined.set(name, from);
    }
  }
  if (defined.size === 0) return [];
  const signs: Sign[] = [];
  for (const { path, added = [], edit } of outcomes) {
    if (added.length === 0 || edit === undefined || edit === 'delete' || !isText(path)) continue;
    const entry = await objects.entry(view.onto.tree, path);
    const ours = entry === undefined ? '' : await objects.text(entry.sha);
    const own = new Set(added.map((line) => definition.exec(line)?.[1]));
    for (const name of new Set(added.flatMap((line) => line.match(/[A-Za-z_]\w{3,}/g) ?? []))) {
      const from = defined.get(name);
      if (from !== undefined && !own.has(name) && !ours.includes(name))
        signs.push(sign(path, 'uses-left-out', `${name} (${from})`));
    }
  }
  return signs;
}

function isGenerated(view: PickView, path: string): boolean {
  return view.shop.pack.merge.some((rule) => rule.driver === 'generated' && matchesAnyGlob(rule.files, path));
}
