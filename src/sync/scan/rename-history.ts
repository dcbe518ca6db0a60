// Where the files of a history went: renames and deletions commit by commit, followed by whoever can see them.
import { Failure } from '../../core/failure.ts';
import { run } from '../../core/run.ts';
import { gitEnvironment } from '../git/git-environment.ts';
import type { History, Visible } from '../git/history.ts';
import { timeLimit } from '../git/time-limit.ts';

interface Move {
  readonly index: number;
  /** Undefined: the file was deleted. */
  readonly to: string | undefined;
}

export interface Whereabouts {
  readonly path: string;
  /** The commit that deleted the file where it was last, if one did. */
  readonly deletedBy: string | undefined;
}

/** One commit's change of one file. */
export interface FileTouch {
  readonly index: number;
  /** Blob before; undefined where the commit made the file. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

export interface RenameHistory {
  /** Follows a path from before commit number `since` on. */
  follow(path: string, visible: Visible, since?: number): Whereabouts;
  /** Where a path came from, read backwards from the newest commit that is visible. */
  origin(path: string, visible: Visible): string;
  /** Commits that changed a file under this name, merges not among them, oldest first. */
  changes(path: string): readonly FileTouch[];
  /** Changes of the files that `isWanted` names, between two commits where told, oldest first. */
  touched(
    isWanted: (path: string) => boolean,
    first?: number,
    last?: number,
  ): readonly { readonly path: string; readonly touch: FileTouch }[];
  /** Adds what a commit did that came after all others. */
  append(
    index: number,
    moved: readonly { readonly from: string; readonly to: string | undefined }[],
    touched: readonly {
      readonly path: string;
      readonly before: string | undefined;
      readonly after: string | undefined;
    }[],
  ): void;
  /** Commits that could not be compared with their parent, since objects are not here. */
  readonly unread: number;
}

/** Remembers what git said about a commit, which never changes. */
export interface MovesCache {
  get(comparison: string): string | undefined;
  set(comparison: string, fields: string): void;
}

/** What git says about each comparison of a history; undefined where objects are not here. */
export type Moves = readonly (string | undefined)[];

interface Comparison {
  /** A commit, or a merge and what it was merged into, as git reads it. */
  readonly of: string;
  /** Of closed commits no file is read: only what moved without a change is a move there. */
  readonly closed: boolean;
}

function comparisonsOf(history: History, closed: ReadonlySet<string>): readonly Comparison[] {
  // A merge is compared with its first parent: that finds a move that its commits made in two steps.
  return history.commits
    .filter((commit) => commit.parents.length > 0)
    .map((commit) => ({
      of: commit.parents.length === 1 ? commit.sha : `${commit.sha} ${commit.parents[0]}`,
      closed: closed.has(commit.sha),
    }));
}

/** Reads the moves with git's own rename detection (half of the content unchanged, no limit on candidates). */
export async function readMoves(
  gitDir: string,
  history: History,
  cache: MovesCache,
  closed: ReadonlySet<string> = new Set(),
): Promise<Moves> {
  const comparisons = comparisonsOf(history, closed);
  const known = new Map<string, string>();
  for (const one of comparisons) {
    const fields = one.closed ? undefined : cache.get(one.of);
    if (fields !== undefined) known.set(one.of, fields);
  }
  const asked = comparisons.filter((one) => !known.has(one.of));
  const answers = new Map<string, string>();
  for (const isClosed of [false, true]) {
    const part = asked.filter((one) => one.closed === isClosed).map((one) => one.of);
    await askMoves(gitDir, part, isClosed ? '-M100%' : '-M50%', answers);
  }
  for (const one of asked) {
    const fields = answers.get(one.of);
    if (fields === undefined) continue;
    // Of a closed commit nothing is kept, not even the names of its files.
    if (!one.closed) cache.set(one.of, fields);
    known.set(one.of, fields);
  }
  return comparisons.map((one) => known.get(one.of));
}

/** Follows files through what git said about each commit. */
export function openRenameHistory(history: History, moves: Moves): RenameHistory {
  const comparisons = comparisonsOf(history, new Set());
  const isMerge = (sha: string): boolean =>
    (history.commits[history.indexOf.get(sha) ?? -1]?.parents.length ?? 0) > 1;
  const forward = new Map<string, Move[]>();
  const backward = new Map<string, { readonly index: number; readonly from: string }[]>();
  const touches = new Map<string, FileTouch[]>();
  for (const [place, comparison] of comparisons.entries()) {
    const sha = comparison.of.slice(0, 40);
    const index = history.indexOf.get(sha) ?? 0;
    const merge = isMerge(sha);
    for (const { status, from, to, before, after } of parseMoves(moves[place] ?? '')) {
      if (!merge)
        push(touches, to, {
          index,
          before: isNone(before) ? undefined : before,
          after: isNone(after) ? undefined : after,
        });
      if (status === 'R') {
        push(forward, from, { index, to });
        push(backward, to, { index, from });
      } else if (status === 'D' && !merge) push(forward, from, { index, to: undefined });
    }
  }
  for (const list of touches.values()) list.sort((left, right) => left.index - right.index);
  for (const list of forward.values()) list.sort((left, right) => left.index - right.index);
  for (const list of backward.values()) list.sort((left, right) => left.index - right.index);
  return {
    unread: moves.filter((fields) => fields === undefined).length,
    append(index, moved, touched) {
      for (const { from, to } of moved) {
        push(forward, from, { index, to });
        if (to !== undefined) push(backward, to, { index, from });
      }
      for (const { path, before, after } of touched) push(touches, path, { index, before, after });
    },
    changes: (path) => touches.get(path) ?? [],
    touched(isWanted, first = 0, last = Number.MAX_SAFE_INTEGER) {
      const found: { readonly path: string; readonly touch: FileTouch }[] = [];
      for (const [path, list] of touches) {
        if (!isWanted(path)) continue;
        for (const touch of list)
          if (touch.index >= first && touch.index <= last) found.push({ path, touch });
      }
      return found.sort((left, right) => left.touch.index - right.touch.index);
    },
    follow(start, visible, since = -1) {
      let path = start;
      let after = since;
      for (;;) {
        const moves = forward.get(path);
        if (moves === undefined) return { path, deletedBy: undefined };
        const next = moves.find((move) => move.index > after && visible[move.index] === 1);
        if (next === undefined) return { path, deletedBy: undefined };
        if (next.to === undefined) {
          // Deleted and perhaps made again later: a rename that comes after is followed.
          const revived = moves.find(
            (move) => move.index > after && visible[move.index] === 1 && move.to !== undefined,
          );
          if (revived?.to === undefined) return { path, deletedBy: history.commits[next.index]?.sha };
          path = revived.to;
          after = revived.index;
          continue;
        }
        path = next.to;
        after = next.index;
      }
    },
    origin(start, visible) {
      let path = start;
      let before = Number.MAX_SAFE_INTEGER;
      for (;;) {
        const moves = backward.get(path)?.filter((move) => move.index < before && visible[move.index] === 1);
        const last = moves?.at(-1);
        if (last === undefined) return path;
        path = last.from;
        before = last.index;
      }
    },
  };
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

interface RawEntry {
  readonly status: string;
  readonly from: string;
  readonly to: string;
  readonly before: string;
  readonly after: string;
}

function isNone(sha: string): boolean {
  return /^0+$/.test(sha);
}

/** As git's small caches are for the reader of objects; renames compare a few blobs of one commit. */
const smallMemory = ['-c', 'core.deltaBaseCacheLimit=16m', '-c', 'core.packedGitLimit=32m'];

/** So many comparisons come out as less than what a text can hold. */
const mostAtOnce = 20_000;

/** What git prints; or why not: objects are missing, or it is more than is taken at once. */
async function askGit(
  gitDir: string,
  comparisons: readonly string[],
  similarity: '-M50%' | '-M100%',
): Promise<Buffer | 'missing' | 'too much'> {
  try {
    const { status, stdout } = await run(
      [
        ...(['git', `--git-dir=${gitDir}`, ...smallMemory] as const),
        ...['diff-tree', '--stdin', '--always', '-r', '-z', '--raw', '--no-abbrev', similarity, '-l0'],
      ],
      {
        timeoutMs: timeLimit(600_000, comparisons.length, 200),
        env: gitEnvironment,
        input: Buffer.from(`${comparisons.join('\n')}\n`),
        accept: 'any',
      },
    );
    return status === 0 ? stdout : 'missing';
  } catch (error) {
    // One commit alone that is too much is named with the limit.
    const tooMuch = error instanceof Failure && error.problem.code === 'command-output-too-large';
    if (tooMuch && comparisons.length > 1) return 'too much';
    throw error;
  }
}

/** Halves the list around commits whose objects are missing, so that one of them does not hide the others. */
async function askMoves(
  gitDir: string,
  comparisons: readonly string[],
  similarity: '-M50%' | '-M100%',
  answers: Map<string, string>,
): Promise<void> {
  if (comparisons.length === 0) return;
  const answer = comparisons.length > mostAtOnce ? 'too much' : await askGit(gitDir, comparisons, similarity);
  if (typeof answer !== 'string') {
    splitAnswers(answer.toString('latin1'), comparisons, answers);
    return;
  }
  if (comparisons.length === 1) return;
  const half = comparisons.length >> 1;
  await askMoves(gitDir, comparisons.slice(0, half), similarity, answers);
  await askMoves(gitDir, comparisons.slice(half), similarity, answers);
}

/** Cuts git's answer into that of each comparison: its sha, then its entries, each with its paths. */
function splitAnswers(output: string, comparisons: readonly string[], answers: Map<string, string>): void {
  const fields = output.split('\0');
  let at = 0;
  for (const comparison of comparisons) {
    if (fields[at] !== comparison.slice(0, 40))
      throw new Error(`git diff-tree answered ${fields[at]} for ${comparison}`);
    const from = at + 1;
    at = from;
    while (fields[at]?.startsWith(':') === true) at += isMove(fields[at] ?? '') ? 3 : 2;
    answers.set(comparison, fields.slice(from, at).join('\0'));
  }
}

function isMove(field: string): boolean {
  return /^[RC]/.test(field.slice(field.lastIndexOf(' ') + 1));
}

function parseMoves(text: string): readonly RawEntry[] {
  const fields = text === '' ? [] : text.split('\0');
  const entries: RawEntry[] = [];
  for (let at = 0; at < fields.length; at += 1) {
    const field = fields[at] ?? '';
    const [, , before = '', after = '', code = ''] = field.split(' ');
    const from = fields[at + 1] ?? '';
    const to = isMove(field) ? (fields[at + 2] ?? '') : from;
    entries.push({ status: code.slice(0, 1), from, to, before, after });
    at += isMove(field) ? 2 : 1;
  }
  return entries;
}
