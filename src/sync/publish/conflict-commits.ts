// Both sides of a conflict as commits: with them `git cherry-pick` brings the conflict back anywhere.
import { formatCommit } from '../git/commit.ts';
import { editTree, type TreeEdits } from '../git/object-writer.ts';
import { fileMode } from '../git/tree.ts';
import type { Engine } from '../pick/open-engine.ts';
import type { DetailedPick } from '../pick/pick-commit.ts';
import { rewriteMessage } from '../pick/rewrite-message.ts';
import type { ConflictRefs } from './branch-refs.ts';

type Edits = Map<string, { readonly mode: string; readonly sha: string } | undefined>;

/** `base` is the fork with upstream's old text, in the words of the fork, in the open files; `theirs` has the new. */
export async function makeConflictCommits(engine: Engine, pick: DetailedPick): Promise<ConflictRefs> {
  const { objects, writer, pack } = engine;
  const { result, outcomes } = pick;
  const [upstream, onto] = await Promise.all([objects.commit(result.upstream), objects.commit(result.onto)]);
  const base: Edits = new Map();
  const theirs: Edits = new Map();
  for (const { path, edit, open, sides } of outcomes) {
    if (edit !== undefined) theirs.set(path, edit === 'delete' ? undefined : edit);
    if (open === undefined || sides === undefined) continue;
    const mode = (await objects.entry(onto.tree, path))?.mode ?? fileMode.file;
    const put = (text: string) => ({ mode, sha: writer.put('blob', Buffer.from(text, 'latin1')) });
    base.set(path, put(sides.base));
    theirs.set(path, put(sides.theirs));
  }
  const committer = {
    who: pack.info.committer,
    email: '',
    time: upstream.committer.time,
    zone: upstream.committer.zone,
  };
  const commit = (parent: string, tree: string, message: string): string =>
    writer.put(
      'commit',
      formatCommit({
        tree,
        parents: [parent],
        author: upstream.author,
        committer,
        encoding: upstream.encoding,
        message,
      }),
    );
  const write = (tree: string, edits: TreeEdits): Promise<string> => editTree(objects, writer, tree, edits);
  const baseTree = await write(onto.tree, base);
  const baseSha = commit(onto.sha, baseTree, `Before ${result.upstream}, in the words of the fork\n`);
  const message = rewriteMessage(upstream.message, pack.info, pack.messages, upstream.sha);
  const theirsSha = commit(baseSha, await write(baseTree, theirs), message);
  return { upstream: result.upstream, base: baseSha, theirs: theirsSha };
}
