// Where the files of a history went: renames and deletions commit by commit, followed by whoever can see them.
import { run } from '../../core/run.ts';
import { gitEnvironment } from '../git/git-environment.ts';
import type { History, Visible } from '../git/history.ts';

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
  /** Adds what a commit did that came after all others. */
  append(
    index: number,
    moves: readonly { readonly from: string; readonly to: string | undefined }[],
    touched: readonly {
      readonly path: string;
      readonly before: string | undefined;
      readonly after: string | undefined;
    }[],
  ): void;
  /** Commits that could not be compared with their parent, since objects are not here. */
  readonly unread: number;
}

const timeoutMs = 300_000;

/**
 * Reads the moves with git's own rename detection (half of the content unchanged, no limit on candidates). Of closed
 * commits no file is read: only what moved without a change is a move there.
 */
export async function loadRenameHistory(
  gitDir: string,
  history: History,
  closed: ReadonlySet<string> = new Set(),
): Promise<RenameHistory> {
  // A merge is compared with what it was merged into: that finds a move that its commits made in two steps.
  const listed = (isClosed: boolean): readonly string[] =>
    history.commits
      .filter((commit) => commit.parents.length > 0 && closed.has(commit.sha) === isClosed)
      .map((commit) => (commit.parents.length === 1 ? commit.sha : `${commit.sha} ${commit.parents[0]}`));
  const isMerge = (sha: string): boolean =>
    (history.commits[history.indexOf.get(sha) ?? -1]?.parents.length ?? 0) > 1;
  const forward = new Map<string, Move[]>();
  const backward = new Map<string, { readonly index: number; readonly from: string }[]>();
  const touches = new Map<string, FileTouch[]>();
  const onEntry: OnEntry = (sha, entry) => {
    const index = history.indexOf.get(sha) ?? 0;
    const merge = isMerge(sha);
    const { status, from, to, before, after } = entry;
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
  };
  const unread =
    (await readMoves(gitDir, listed(false), '-M50%', onEntry)) +
    (await readMoves(gitDir, listed(true), '-M100%', onEntry));
  for (const list of touches.values()) list.sort((left, right) => left.index - right.index);
  for (const list of forward.values()) list.sort((left, right) => left.index - right.index);
  for (const list of backward.values()) list.sort((left, right) => left.index - right.index);
  return {
    unread,
    append(index, moves, touched) {
      for (const { from, to } of moves) {
        push(forward, from, { index, to });
        if (to !== undefined) push(backward, to, { index, from });
      }
      for (const { path, before, after } of touched) push(touches, path, { index, before, after });
    },
    changes: (path) => touches.get(path) ?? [],
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

type OnEntry = (commit: string, entry: RawEntry) => void;

function isNone(sha: string): boolean {
  return /^0+$/.test(sha);
}

/** Halves the list around commits whose objects are missing, so that one of them does not hide the others. */
async function readMoves(
  gitDir: string,
  commits: readonly string[],
  similarity: string,
  onEntry: OnEntry,
): Promise<number> {
  if (commits.length === 0) return 0;
  const result = await run(
    [
      'git',
      `--git-dir=${gitDir}`,
      ...['diff-tree', '--stdin', '-r', '-z', '--raw', '--no-abbrev', similarity, '-l0'],
    ],
    { timeoutMs, env: gitEnvironment, input: Buffer.from(`${commits.join('\n')}\n`), accept: 'any' },
  );
  if (result.status === 0) {
    parseMoves(result.stdout.toString('latin1'), onEntry);
    return 0;
  }
  if (commits.length === 1) return 1;
  const half = commits.length >> 1;
  const first = await readMoves(gitDir, commits.slice(0, half), similarity, onEntry);
  return first + (await readMoves(gitDir, commits.slice(half), similarity, onEntry));
}

function parseMoves(output: string, onEntry: OnEntry): void {
  const fields = output.split('\0');
  let commit = '';
  for (let index = 0; index < fields.length; index += 1) {
    const field = fields[index] ?? '';
    if (!field.startsWith(':')) {
      if (field !== '') commit = field;
      continue;
    }
    const [, , before = '', after = '', code = ''] = field.split(' ');
    const status = code.slice(0, 1);
    const from = fields[index + 1] ?? '';
    const renamed = status === 'R' || status === 'C';
    const to = renamed ? (fields[index + 2] ?? '') : from;
    onEntry(commit, { status, from, to, before, after });
    index += renamed ? 2 : 1;
  }
}
