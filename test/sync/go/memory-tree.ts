// Trees of Go files in memory, read by the same index and the same checks as those of a repository.
import type { InstalledGo } from '../../../src/sync/build/find-go.ts';
import { hashObject } from '../../../src/sync/git/object-writer.ts';
import type { Folder, Objects } from '../../../src/sync/git/objects.ts';
import { fileMode, type TreeEntry } from '../../../src/sync/git/tree.ts';
import { checkEdit } from '../../../src/sync/go/check-edit.ts';
import { createGoSources } from '../../../src/sync/go/go-sources.ts';
import { createGoIndexer } from '../../../src/sync/rewrite/go/go-index.ts';

export type Files = Readonly<Record<string, string>>;

/** What a tree of these files would no longer take, were some of them others: `file:line kind text`. */
export async function faultsOf(
  before: Files,
  after: Readonly<Record<string, string | undefined>>,
  go?: InstalledGo,
): Promise<readonly string[]> {
  const memory = memoryObjects();
  const tree = memory.add({ 'go.mod': 'module example.org/onyx\n', ...before });
  const edits = new Map(
    Object.entries(after).map(([path, text]) => [path, text === undefined ? undefined : memory.blob(text)]),
  );
  const index = await createGoIndexer(memory.objects).index(tree);
  const { objects } = memory;
  const found = await checkEdit({ objects, sources: createGoSources(objects, go), tree, index, edits });
  return found.map(({ path, line, fault }) => `${path}:${line} ${fault.kind} ${fault.text}`);
}

export function memoryObjects() {
  const texts = new Map<string, string>();
  const folders = new Map<string, Folder>();
  const blob = (text: string): string => {
    const sha = hashObject('blob', Buffer.from(text, 'latin1'));
    texts.set(sha, text);
    return sha;
  };
  const add = (files: Files): string => {
    const entries = new Map<string, TreeEntry>();
    const inner = new Map<string, Record<string, string>>();
    for (const [path, text] of Object.entries(files)) {
      const [first = '', ...rest] = path.split('/');
      if (rest.length === 0) entries.set(first, { mode: fileMode.file, name: first, sha: blob(text) });
      else inner.set(first, { ...inner.get(first), [rest.join('/')]: text });
    }
    for (const [name, content] of inner) entries.set(name, { mode: fileMode.tree, name, sha: add(content) });
    const sha = hashObject('blob', Buffer.from(JSON.stringify([...entries])));
    folders.set(sha, entries);
    return sha;
  };
  const known = <T>(map: ReadonlyMap<string, T>, sha: string): T => {
    const found = map.get(sha);
    if (found === undefined) throw new Error(`nothing is called ${sha}`);
    return found;
  };
  const entry = async (tree: string, path: string): Promise<TreeEntry | undefined> => {
    let at: TreeEntry | undefined = { mode: fileMode.tree, name: '', sha: tree };
    for (const part of path.split('/')) at = at === undefined ? undefined : folders.get(at.sha)?.get(part);
    return at;
  };
  const objects: Pick<Objects, 'text' | 'textIfHere' | 'entry' | 'folder' | 'compare'> = {
    text: async (sha) => known(texts, sha),
    textIfHere: async (sha) => texts.get(sha),
    folder: async (sha) => known(folders, sha),
    entry,
    compare: async () => [],
  };
  return { objects, blob, add };
}
