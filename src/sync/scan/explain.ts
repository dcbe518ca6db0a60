// By which evidence a commit is in its state: what was compared, of both sides, so that anybody can look for themselves.
import type { Commit } from '../git/commit.ts';
import type { Objects } from '../git/objects.ts';
import { subjectOf } from './commit-facts.ts';
import type { OpenScan } from './scan-repositories.ts';
import type { ScannedCommit } from './scan-result.ts';

/** Lines for people; everything in them is bytes kept as latin1. Of a barred commit its header alone is read. */
export async function explainCommit(
  objects: Objects,
  open: OpenScan,
  commit: ScannedCommit,
): Promise<readonly string[]> {
  const own = await objects.commit(commit.sha);
  const lines = [
    `${commit.sha} ${commit.subject}`,
    `branch ${commit.branch}`,
    `state ${commit.state} (${commit.by}): ${commit.reason}`,
  ];
  return [...lines, ...(await evidenceOf(objects, open, commit, own)), ...licenceOf(commit)];
}

function licenceOf({ evidence }: ScannedCommit): readonly string[] {
  return (evidence ?? []).map((line) => `licence: ${line}`);
}

async function evidenceOf(
  objects: Objects,
  open: OpenScan,
  commit: ScannedCommit,
  own: Commit,
): Promise<readonly string[]> {
  switch (commit.by) {
    case 'fork-trailer':
    case 'upstream-trailer':
    case 'made-after':
    case 'author-and-date':
    case 'older-in-fork':
    case 'shared-trailer':
    case 'shared-author-and-date':
    case 'shared-change':
    case 'same-change':
    case 'shared-patch':
    case 'twin':
    case 'backport':
    case 'kept':
      return [
        describe('upstream', own),
        ...(await other(objects, 'by upstream', commit.via)),
        ...(await other(objects, 'in the fork', commit.fork)),
        placeInFork(open, commit.fork),
      ];
    case 'decision':
      return [`file decisions/${commit.sha}.yaml`, ...(await other(objects, 'in the fork', commit.fork))];
    case 'twin-pending':
      return [describe('upstream', own), ...(await other(objects, 'by upstream', commit.via))];
    case 'rule':
      return [describe('upstream', own), ...(await other(objects, 'takes back', commit.via))];
    case 'licence':
      return [];
    case 'incomplete':
      return [
        ...(commit.merge === undefined ? [] : [`merge ${commit.merge}`]),
        ...(commit.missing ?? []).map(({ sha, subject, reason }) => `missing ${sha} ${subject} (${reason})`),
      ];
    case 'nothing':
      return nothingFound(open, own);
  }
}

/** What was looked for and is not there. */
function nothingFound({ fork, shared, upstream }: OpenScan, own: Commit): readonly string[] {
  return [
    describe('upstream', own),
    `no trailer: none of ${fork.commits.length} commits of the fork since the fork point names it, and it names none of them`,
    `no author and date: none of them and of ${shared.size} from before has both`,
    `no twin: no recognised one of ${upstream.commits.length} upstream commits has its author and date or is named by it`,
    'no same change: no commit of the fork with these files removes and adds the same lines',
    'no decision, and no rule of the pack, leaves it out',
  ];
}

async function other(objects: Objects, side: string, sha: string | undefined): Promise<readonly string[]> {
  const found = sha === undefined ? undefined : await objects.commitIfHere(sha);
  return found === undefined ? [] : [describe(side, found)];
}

function describe(side: string, commit: Commit): string {
  const { sha, author, message } = commit;
  const named = [...message.matchAll(/\(cherry picked from [^)\n]{1,400}\)/g)].map(([text]) => text);
  const said = named.map((text) => `; ${text}`).join('');
  return `${side} ${sha}: ${author.email}, ${author.time} ${author.zone}, ${subjectOf(message)}${said}`;
}

/** Which part of the fork's history holds a commit. */
function placeInFork({ fork, shared, scan }: OpenScan, sha: string | undefined): string {
  if (sha === undefined) return 'no commit of the fork';
  if (shared.find(sha) !== undefined) return `${sha} is the fork point, or an ancestor of it`;
  const visible = fork.visibleFrom(scan.fork);
  return visible[fork.indexOf.get(sha) ?? -1] === 1
    ? `${sha} is an ancestor of the fork's ${scan.fork}`
    : `${sha} is on another branch of the fork`;
}
