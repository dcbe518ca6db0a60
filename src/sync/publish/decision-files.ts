// Decisions of people as files on the branch: read from a commit's tree, and put there by one commit on top.
import { stringify } from 'yaml';
import { formatCommit } from '../git/commit.ts';
import { editTree, type ObjectWriter, type TreeEdits } from '../git/object-writer.ts';
import type { Objects } from '../git/objects.ts';
import { fileMode } from '../git/tree.ts';
import { writtenHere } from '../other-format.ts';

/** Files by name; undefined takes one away. */
export type DecisionChanges = ReadonlyMap<string, string | undefined>;

interface Said {
  readonly upstream: string;
  readonly by: string;
  readonly on: string;
  readonly why: string;
}

export type NewDecision =
  | (Said & { readonly decision: 'skip'; readonly reason: string })
  | (Said & { readonly decision: 'take'; readonly fork: string })
  | (Said & { readonly decision: 'park' });

const decisionName = /^[0-9a-f]{40}\.yaml$/;

export function decisionFile(upstream: string): string {
  return `${upstream}.yaml`;
}

export function formatDecision(decision: NewDecision): string {
  return stringify({ ...writtenHere, ...decision }, { lineWidth: 100 });
}

export interface ProposedRule {
  readonly from: string;
  readonly to: string;
  readonly by: string;
  readonly on: string;
  readonly said: string;
}

/** A proposal is for people to read: no rule comes into force by a comment. */
export function formatProposal(rule: ProposedRule): string {
  return stringify({ ...writtenHere, proposal: 'rule', ...rule }, { lineWidth: 100 });
}

/** All files of a folder of a commit, as they are; nothing where the folder is not there. */
export async function readDecisionFiles(
  objects: Objects,
  commit: string,
  folder: string,
): Promise<ReadonlyMap<string, string>> {
  const { tree } = await objects.commit(commit);
  const entry = await objects.entry(tree, folder);
  const files = new Map<string, string>();
  if (entry?.mode !== fileMode.tree) return files;
  for (const [name, { mode, sha }] of await objects.folder(entry.sha))
    if (mode === fileMode.file) files.set(name, await objects.text(sha));
  return files;
}

/** Only files that are decisions: proposals stand beside them. */
export function onlyDecisions(files: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...files].filter(([name]) => decisionName.test(name)));
}

export interface DecisionCommit {
  readonly parent: string;
  readonly folder: string;
  /** What should stand in the folder; files that are there and not named here stay. */
  readonly changes: DecisionChanges;
  readonly committer: string;
  /** Seconds since 1970: the newest of the comments, so that the same comments give the same sha. */
  readonly time: number;
}

/** The commit on top of the picks; `parent` itself where nothing changes. */
export async function makeDecisionCommit(
  objects: Objects,
  writer: ObjectWriter,
  wanted: DecisionCommit,
): Promise<string> {
  const { tree } = await objects.commit(wanted.parent);
  const edits: TreeEdits = new Map(
    [...wanted.changes].map(([name, text]) => [
      `${wanted.folder}/${name}`,
      text === undefined
        ? undefined
        : { mode: fileMode.file, sha: writer.put('blob', Buffer.from(text, 'latin1')) },
    ]),
  );
  const after = await editTree(objects, writer, tree, edits);
  if (after === tree) return wanted.parent;
  const who = { who: wanted.committer, email: '', time: wanted.time, zone: '+0000' };
  const names = [...wanted.changes.keys()].toSorted().map((name) => `- ${name.replace(/\.yaml$/, '')}`);
  return writer.put(
    'commit',
    formatCommit({
      tree: after,
      parents: [wanted.parent],
      author: who,
      committer: who,
      encoding: undefined,
      message: `Decisions about upstream commits\n\n${names.join('\n')}\n`,
    }),
  );
}
