// Signs for Go that no compiler would take after a pick, and what of it is upstream's own half of a change.
import { checkEdit, type FoundFault } from '../go/check-edit.ts';
import type { FileOutcome } from './pick-files.ts';
import type { PickView } from './pick-view.ts';
import type { Sign } from './sign.ts';

/** A pick that breaks more has been understood before all of it is listed. */
const mostShown = 12;

/**
 * What the fork does not take after the pick and took before it. Where more commits of the same pull request follow, what
 * upstream's own tree does not take either, in the same place, is left to those.
 */
export async function checkTypes(
  view: PickView,
  outcomes: readonly FileOutcome[],
  moreFollows: boolean,
): Promise<readonly Sign[]> {
  const { objects, goSources: sources } = view.shop;
  // Two files of upstream may end in one of the fork's: the last says what it is.
  const edits = new Map<string, string | undefined>();
  for (const { path, edit } of outcomes)
    if (path.endsWith('.go') && edit !== undefined) edits.set(path, edit === 'delete' ? undefined : edit.sha);
  if (edits.size === 0) return [];
  const { fork: index } = await view.go();
  const found = await checkEdit({ objects, sources, tree: view.onto.tree, index, edits });
  if (found.length === 0 || !moreFollows) return signsOf(found);
  const halves = await halvesOf(view);
  const isHalf = (one: FoundFault): boolean =>
    halves.has(keyOf(one)) || halves.has(keyOf({ ...one, path: '*' }));
  return signsOf(found.map((one) => (isHalf(one) ? { ...one, half: true } : one)));
}

interface Judged extends FoundFault {
  readonly half?: boolean;
}

function keyOf({ path, fault }: FoundFault): string {
  return `${path} ${fault.kind} ${fault.name}`;
}

/** What upstream's commit breaks in upstream's own tree, by where the fork has it. */
async function halvesOf(view: PickView): Promise<ReadonlySet<string>> {
  // Files that nobody may look at are not looked at, and a half then is a doubt.
  if (view.scope !== 'tree' || view.upstreamBefore === undefined) return new Set();
  const edits = new Map<string, string | undefined>();
  for (const { kind, path, toPath, after } of view.changes) {
    if (kind === 'deleted' || kind === 'moved') edits.set(path, undefined);
    if (kind !== 'deleted') edits.set(toPath, after?.sha);
  }
  const { objects, goSources: sources } = view.shop;
  const index = await view.upstreamIndex();
  const found = await checkEdit({ objects, sources, tree: view.upstreamBefore.tree, index, edits });
  const halves = new Set<string>();
  for (const one of found) {
    const { path } = await view.resolver.existing(one.path);
    // Of a file that the fork took apart, its name alone says what became of it.
    halves.add(keyOf({ ...one, path: path ?? '*' }));
  }
  return halves;
}

/** Each fault once; those that nobody else mends come first. */
export function signsOf(found: readonly Judged[]): readonly Sign[] {
  const signs = new Map<string, Sign>();
  for (const { path, line, fault, half = false } of found) {
    const name = half ? 'half' : fault.kind;
    const key = `${path} ${name} ${fault.text}`;
    if (!signs.has(key)) signs.set(key, { path, name, detail: `line ${line}: ${fault.text}` });
  }
  const all = [...signs.values()];
  const halves = all.filter(({ name }) => name === 'half');
  return [...all.filter(({ name }) => name !== 'half'), ...halves].slice(0, mostShown);
}

/** Whether the line-by-line look at a file found what this check names with its place. */
export function isSaidBy(typed: readonly Sign[], { path, name, detail }: Sign): boolean {
  if (name !== 'name-unknown' && name !== 'arguments-differ' && name !== 'not-go') return false;
  const word = /(?:^|\.)([A-Za-z_]\w*)(?:\(\d+\)| is .*)?$/.exec(detail)?.[1];
  if (word === undefined) return false;
  return typed.some(
    (sign) => sign.path === path && sign.name !== 'half' && new RegExp(`\\b${word}\\b`).test(sign.detail),
  );
}
