// A name for what a commit changes, the same for an upstream commit and the fork commit that does the same thing.
import { createHash } from 'node:crypto';
import type { Change, Objects } from '../git/objects.ts';
import { fileMode } from '../git/tree.ts';
import { diffSequences, type Sequence } from '../merge/diff-sequences.ts';
import type { Brand } from '../rewrite/brand.ts';

export interface PatchContext {
  readonly objects: Objects;
  readonly brand: Brand;
  /** Files that say nothing about a change: never brought over, or made by tools. */
  readonly isIgnored: (path: string) => boolean;
}

/** The files' names without brand and folder, and their fate: commits whose shapes differ do different things. */
export function shapeOf(context: PatchContext, changes: readonly Change[]): string | undefined {
  const names = changes
    .filter((change) => !context.isIgnored(change.path))
    .map((change) => `${fateOf(change)} ${context.brand.foldName(change.path)}`)
    .toSorted();
  return names.length === 0 ? undefined : hash(names.join('\n'));
}

function fateOf({ before, after }: Change): string {
  return before === undefined ? 'made' : after === undefined ? 'deleted' : 'changed';
}

/**
 * Removed and added lines of each file with the names of both projects taken out, as patch-id takes out places and
 * blanks. Undefined where nothing of a text changed.
 */
export async function patchKeyOf(
  context: PatchContext,
  changes: readonly Change[],
): Promise<string | undefined> {
  const parts: string[] = [];
  for (const change of changes) {
    if (context.isIgnored(change.path)) continue;
    const body = await describe(context, change);
    if (body === undefined) return undefined;
    parts.push(`${context.brand.foldName(change.path)}\n${body}`);
  }
  const whole = parts.toSorted().join('\0');
  return /^[-+]@?.*\w/m.test(whole) ? hash(whole) : undefined;
}

async function describe(context: PatchContext, change: Change): Promise<string | undefined> {
  const { objects } = context;
  const { before, after } = change;
  if (before?.mode === fileMode.submodule || after?.mode === fileMode.submodule) return undefined;
  const mode = before?.mode === after?.mode ? '' : `${before?.mode ?? 'none'} ${after?.mode ?? 'none'}\n`;
  const [left, right] = await Promise.all([
    before === undefined ? '' : objects.text(before.sha),
    after === undefined ? '' : objects.text(after.sha),
  ]);
  if (left.includes('\0') || right.includes('\0')) return `${mode}${before?.sha} ${after?.sha}`;
  const kind = change.path.endsWith('.go') ? 'go' : 'text';
  const [one, two] = trimCommon(left, right);
  const ids = new Map<string, number>();
  const number = (lines: readonly string[]): Sequence =>
    Int32Array.from(lines, (line) => {
      const known = ids.get(line) ?? ids.size;
      ids.set(line, known);
      return known;
    });
  const fold = (line: string): string => context.brand.foldLine(line, kind);
  const lines: string[] = [];
  for (const edit of diffSequences(number(one), number(two))) {
    for (const line of one.slice(edit.aStart, edit.aEnd)) lines.push(`-${fold(line)}`);
    for (const line of two.slice(edit.bStart, edit.bEnd)) lines.push(`+${fold(line)}`);
  }
  return mode + lines.join('\n');
}

/** The lines of two texts between what they begin and end with alike: most of a file is never cut into lines. */
function trimCommon(left: string, right: string): readonly [readonly string[], readonly string[]] {
  const shorter = Math.min(left.length, right.length);
  let start = sameFrom(shorter, (at, length) => left.slice(at, at + length) === right.slice(at, at + length));
  start = left.lastIndexOf('\n', start - 1) + 1;
  const [leftEnd, rightEnd] = [left.length, right.length];
  let end = sameFrom(
    shorter - start,
    (at, length) =>
      left.slice(leftEnd - at - length, leftEnd - at) === right.slice(rightEnd - at - length, rightEnd - at),
  );
  const next = left.indexOf('\n', left.length - end);
  end = next < 0 ? 0 : left.length - next;
  return [
    left.slice(start, left.length - end).split('\n'),
    right.slice(start, right.length - end).split('\n'),
  ];
}

/** How many characters are the same, found by pieces that are compared as a whole: halved where they differ. */
function sameFrom(limit: number, isSame: (at: number, length: number) => boolean): number {
  let at = 0;
  for (let piece = 4096; piece >= 1; piece = Math.floor(piece / 2))
    while (at < limit && isSame(at, Math.min(piece, limit - at))) at += Math.min(piece, limit - at);
  return at;
}

function hash(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('base64url').slice(0, 20);
}
