// What scanning has to know of a commit: enough to recognise it, and nothing of what it changes or explains.
import { createHash } from 'node:crypto';
import type { Commit } from '../git/commit.ts';
import type { History, HistoryCommit } from '../git/history.ts';

export interface CommitFacts extends HistoryCommit {
  /** Author e-mail and author date as one key; the same on both sides of an import. */
  readonly identity: string;
  readonly subject: string;
  /** Commits that trailers say it was picked from. */
  readonly pickedFrom: readonly string[];
  /** Commits of another project after which it says it was made. */
  readonly madeAfter: readonly string[];
  /** Commits that it says it reverts. */
  readonly reverts: readonly string[];
}

const pickTrailer = /^\(cherry picked from (?:commit )?(?:https:\/\/[^\s()]{1,300}\/)?([0-9a-f]{40})\)\r?$/gm;
const revertLine = /^This reverts commit ([0-9a-f]{40})\b/gm;
/** `Inspired-by: https://github.com/lxc/incus/commit/…`, or a commit of a pull request there; several on one line. */
const inspiredBy = /^Inspired[ -]by:?[ \t]+(https:\/\/.{1,2000})$/gim;
const commitAddress = /https:\/\/[^\s()]{1,300}\/(?:commit|pull\/\d+\/commits)\/([0-9a-f]{40})(?![0-9a-f])/g;
const longestSubject = 1000;

/** The facts of a commit; its message goes no further than its subject. */
export function factsOf(commit: Commit): CommitFacts {
  const { sha, parents, author, committer, message } = commit;
  const named = (pattern: RegExp): readonly string[] =>
    [...message.matchAll(pattern)].map((match) => copyOf(match[1] ?? ''));
  return {
    sha,
    parents: parents.map(copyOf),
    committer: { time: committer.time },
    identity: createHash('sha256')
      .update(`${author.email}\0${author.time}`, 'latin1')
      .digest('base64url')
      .slice(0, 16),
    subject: copyOf(subjectOf(message)),
    pickedFrom: named(pickTrailer),
    madeAfter: [...message.matchAll(inspiredBy)].flatMap(([, line = '']) =>
      [...line.matchAll(commitAddress)].map((match) => copyOf(match[1] ?? '')),
    ),
    reverts: named(revertLine),
  };
}

/** A piece of a text keeps all of that text in memory; a copy does not. */
function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** The first line with text, as git has it; one of 100 kB is cut. */
export function subjectOf(message: string): string {
  const line = /[^\s][^\n]*/.exec(message)?.[0]?.trimEnd() ?? '';
  return line.length > longestSubject ? `${line.slice(0, longestSubject)}...` : line;
}

/** The same history with facts in place of commits. */
export function factsOfHistory(history: History): History<CommitFacts> {
  return { ...history, commits: history.commits.map(factsOf) };
}
