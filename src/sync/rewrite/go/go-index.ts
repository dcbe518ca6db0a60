// What the packages of one tree declare and import; folders that did not change are read once for all trees.

import { intern } from '../../git/intern.ts';
import { createLru } from '../../git/lru.ts';
import type { Folder, Objects } from '../../git/objects.ts';
import { fileMode } from '../../git/tree.ts';
import { type GoFile, type GoFunction, hashWord, localName, readGoFile } from './scan-go.ts';

export interface GoPackage {
  /** Path below the module; empty for its root. */
  readonly folder: string;
  readonly exported: ReadonlySet<string>;
  /** Local name, import path, number of files that import it so; again and again, in one flat list. */
  readonly importedAs: readonly (string | number)[];
  readonly files: readonly PackageFile[];
  readonly tests: readonly PackageFile[];
  hasWord(hash: number): boolean;
  /** Whether one of its files declares this name at top level. */
  declares(hash: number): boolean;
  /** Whether it has a function or method of this name, tests not among them. */
  hasFunction(hash: number): boolean;
}

export interface PackageFile {
  readonly path: string;
  readonly sha: string;
  readonly facts: GoFile;
}

export interface FunctionPlace {
  readonly path: string;
  readonly parameters: number;
  readonly variadic: boolean;
}

export interface GoIndex {
  readonly module: string;
  /** The Go that its go.mod asks for; empty where that is not known. */
  readonly goVersion: string;
  readonly packages: ReadonlyMap<string, GoPackage>;
  /** Import paths used under a local name anywhere in the tree, with the number of files. */
  importPathsFor(local: string): ReadonlyMap<string, number>;
  /** The local name that most files give to an import path, undefined for its own. */
  usualAlias(path: string): string | undefined;
  imports(path: string): boolean;
  functionPlaces(name: string): readonly FunctionPlace[];
  /** Functions and methods of this name, whatever their receiver. */
  callables(name: string): readonly FunctionPlace[];
  /** Whether a word occurs in any Go code of the tree. */
  hasWord(hash: number): boolean;
}

export interface GoIndexer {
  /** The index of a tree, or of those of its files that may be read; `module` is read from its go.mod. */
  index(tree: string, mayRead?: (path: string) => boolean): Promise<GoIndex>;
  /** What one file declares. */
  file(blob: string): Promise<GoFile>;
  /** What all files of a tree's packages declare. */
  files(tree: string): Promise<readonly ReadGoFile[]>;
  /** Takes what another indexer read. */
  learn(files: readonly ReadGoFile[]): void;
}

export interface ReadGoFile {
  readonly sha: string;
  readonly facts: GoFile;
}

interface FolderFacts {
  readonly files: readonly { readonly name: string; readonly sha: string; readonly facts: GoFile }[];
  readonly folders: readonly { readonly name: string; readonly sha: string }[];
}

// Generated and foreign code says nothing about the fork's own packages.
const foreignFolders = new Set(['vendor', 'node_modules', '.git', 'po', 'doc']);

/** Whether the index leaves out a file, by the folders that it is in. */
export function isForeignFile(path: string): boolean {
  return path
    .split('/')
    .slice(0, -1)
    .some((folder) => foreignFolders.has(folder));
}

/**
 * Folders are kept by the files that they hold: those of two trees, and of the folders that changed last some as they
 * were before. Counted as folders, hundreds of versions of the largest would be kept.
 */
const keptFiles = 5000;

/** Remembers what a blob declares, which never changes. */
export interface GoFileCache {
  get(blob: string): GoFile | undefined;
  set(blob: string, file: GoFile): void;
}

export function createGoIndexer(
  objects: Pick<Objects, 'text' | 'folder' | 'entry' | 'compare'>,
  cache?: GoFileCache,
): GoIndexer {
  const blobs = createLru<string, Promise<GoFile>>(1600);
  const indexes = createLru<string, Promise<GoIndex>>(4);

  const learned = new Map<string, GoFile>();
  const readOnce = async (sha: string): Promise<GoFile> => {
    const given = learned.get(sha);
    if (given !== undefined) {
      // From now on it is among the blobs.
      learned.delete(sha);
      return shareNames(given);
    }
    const known = cache?.get(sha);
    if (known !== undefined) return shareNames(known);
    const file = readGoFile(await objects.text(sha));
    cache?.set(sha, file);
    return file;
  };
  const readFile = (sha: string): Promise<GoFile> => {
    const known = blobs.get(sha);
    if (known !== undefined) return known;
    const made = readOnce(sha);
    blobs.set(sha, made);
    return made;
  };
  const readFolder = async (sha: string): Promise<FolderFacts> => {
    const entries: Folder = await objects.folder(sha);
    const goFiles = [...entries.values()].filter(
      (entry) =>
        entry.name.endsWith('.go') && entry.mode !== fileMode.tree && entry.mode !== fileMode.submodule,
    );
    const files = await Promise.all(
      goFiles.map(async (entry) => ({
        name: entry.name,
        sha: entry.sha,
        facts: await readFile(entry.sha),
      })),
    );
    const inner = [...entries.values()].filter(
      (entry) => entry.mode === fileMode.tree && !foreignFolders.has(entry.name),
    );
    return { files, folders: inner.map((entry) => ({ name: entry.name, sha: entry.sha })) };
  };
  // All packages below a folder; what lies below one that did not change is not walked again.
  const below = createLru<string, Promise<readonly GoPackage[]>>(keptFiles);
  const collect = (path: string, sha: string): Promise<readonly GoPackage[]> => {
    const key = `${path}\0${sha}`;
    const known = below.get(key);
    if (known !== undefined) return known;
    const made = collectFolder(path, sha, (files) => below.set(key, made, files + 1));
    below.set(key, made);
    return made;
  };
  const collectFolder = async (
    path: string,
    sha: string,
    weigh: (files: number) => void,
  ): Promise<readonly GoPackage[]> => {
    const facts = await readFolder(sha);
    weigh(facts.files.length);
    const own = facts.files.length > 0 ? [makePackage(path, facts)] : [];
    const inner = await Promise.all(
      facts.folders.map((one) => collect(path === '' ? one.name : `${path}/${one.name}`, one.sha)),
    );
    return [...own, ...inner.flat()];
  };
  const build = async (tree: string): Promise<GoIndex> => {
    const [goMod, found] = await Promise.all([objects.entry(tree, 'go.mod'), collect('', tree)]);
    const modText = goMod === undefined ? '' : await objects.text(goMod.sha);
    const sorted = new Map(
      found.map((one) => [one.folder, one] as const).sort(([left], [right]) => (left < right ? -1 : 1)),
    );
    const said = (word: string): string => new RegExp(`^${word} (\\S+)`, 'm').exec(modText)?.[1] ?? '';
    return makeIndex(said('module'), said('go'), sorted);
  };
  const buildReadable = async (tree: string, mayRead: (path: string) => boolean): Promise<GoIndex> => {
    const byFolder = new Map<
      string,
      { readonly name: string; readonly sha: string; readonly facts: GoFile }[]
    >();
    for (const { path, after } of await objects.compare(undefined, tree)) {
      if (!path.endsWith('.go') || after === undefined || after.mode === fileMode.submodule) continue;
      if (!mayRead(path)) continue;
      const slash = path.lastIndexOf('/');
      const folder = path.slice(0, Math.max(0, slash));
      const list = byFolder.get(folder) ?? [];
      list.push({ name: path.slice(slash + 1), sha: after.sha, facts: await readFile(after.sha) });
      byFolder.set(folder, list);
    }
    const packagesHere = [...byFolder].map(
      ([folder, files]) => [folder, makePackage(folder, { files, folders: [] })] as const,
    );
    // The module's name stands in a file that may be closed; one that is imported by it is all the same to us.
    return makeIndex('', '', new Map(packagesHere.sort(([left], [right]) => (left < right ? -1 : 1))));
  };
  const index: GoIndexer['index'] = (tree, mayRead) => {
    if (mayRead !== undefined) return buildReadable(tree, mayRead);
    const known = indexes.get(tree);
    if (known !== undefined) return known;
    const made = build(tree);
    indexes.set(tree, made);
    return made;
  };
  return {
    file: readFile,
    index,
    async files(tree) {
      const found = await index(tree);
      return [...found.packages.values()].flatMap(({ files, tests }) =>
        [...files, ...tests].map(({ sha, facts }) => ({ sha, facts })),
      );
    },
    learn(files) {
      for (const { sha, facts } of files) if (blobs.get(sha) === undefined) learned.set(sha, facts);
    },
  };
}

/** The same names occur in hundreds of files: one copy of each. */
function shareNames(file: GoFile): GoFile {
  return {
    ...file,
    packageName: intern(file.packageName),
    imports: file.imports.map(({ alias, path }) => ({
      alias: alias === undefined ? undefined : intern(alias),
      path: intern(path),
    })),
    exported: file.exported.map(intern),
    functions: file.functions.map(({ name, parameters, variadic }) => ({
      name: intern(name),
      parameters,
      variadic,
    })),
  };
}

function makePackage(folder: string, facts: FolderFacts): GoPackage {
  const exported = new Set<string>();
  const importedAs = new Map<string, Map<string, number>>();
  const files: PackageFile[] = [];
  const tests: PackageFile[] = [];
  for (const { name, sha, facts: file } of facts.files) {
    for (const one of file.exported) exported.add(one);
    for (const found of file.imports) {
      const local = localName(found);
      const paths = importedAs.get(local) ?? new Map<string, number>();
      paths.set(found.path, (paths.get(found.path) ?? 0) + 1);
      importedAs.set(local, paths);
    }
    const path = folder === '' ? name : `${folder}/${name}`;
    (name.endsWith('_test.go') ? tests : files).push({ path, sha, facts: file });
  }
  const words = facts.files.map((file) => file.facts.words);
  const functions = Uint32Array.from(
    new Set(files.flatMap((file) => file.facts.functions.map((found) => hashWord(bareName(found))))),
  ).sort();
  return {
    folder,
    exported,
    importedAs: [...importedAs].flatMap(([local, paths]) =>
      [...paths].flatMap(([path, count]) => [local, path, count]),
    ),
    files,
    tests,
    hasWord: (hash) => words.some((set) => includesHash(set, hash)),
    declares: (hash) => facts.files.some((file) => includesHash(file.facts.declared, hash)),
    hasFunction: (hash) => includesHash(functions, hash),
  };
}

/** Whether sorted hashes hold one. */
export function includesHash(sorted: Uint32Array, value: number): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === value;
}

function makeIndex(module: string, goVersion: string, packages: ReadonlyMap<string, GoPackage>): GoIndex {
  const aliases = new Map<string, Map<string, number>>();
  let aliasesRead = false;
  const readAliases = (): void => {
    if (aliasesRead) return;
    aliasesRead = true;
    for (const found of packages.values())
      for (const { local, path, count } of importsOf(found)) {
        const names = aliases.get(path) ?? new Map<string, number>();
        names.set(local, (names.get(local) ?? 0) + count);
        aliases.set(path, names);
      }
  };
  return {
    module,
    goVersion,
    packages,
    importPathsFor(local) {
      const out = new Map<string, number>();
      for (const found of packages.values())
        for (const one of importsOf(found))
          if (one.local === local) out.set(one.path, (out.get(one.path) ?? 0) + one.count);
      return out;
    },
    usualAlias(path) {
      readAliases();
      const names = [...(aliases.get(path) ?? [])].sort((left, right) => right[1] - left[1]);
      return names[0]?.[0];
    },
    imports(path) {
      readAliases();
      return aliases.has(path);
    },
    callables: (name) => placesOf(packages, name, () => true),
    functionPlaces: (name) =>
      placesOf(packages, name.slice(name.indexOf('.') + 1), (found) => found.name === name),
    hasWord(hash) {
      for (const found of packages.values()) if (found.hasWord(hash)) return true;
      return false;
    },
  };
}

function* importsOf(
  found: GoPackage,
): Generator<{ readonly local: string; readonly path: string; readonly count: number }> {
  for (let at = 0; at < found.importedAs.length; at += 3)
    yield {
      local: String(found.importedAs[at]),
      path: String(found.importedAs[at + 1]),
      count: Number(found.importedAs[at + 2]),
    };
}

function placesOf(
  packages: ReadonlyMap<string, GoPackage>,
  bare: string,
  fits: (found: GoFunction) => boolean,
): readonly FunctionPlace[] {
  const out: FunctionPlace[] = [];
  const hash = hashWord(bare);
  for (const { files, hasFunction } of packages.values()) {
    if (!hasFunction(hash)) continue;
    for (const { path, facts } of files)
      for (const found of facts.functions)
        if (bareName(found) === bare && fits(found))
          out.push({ path, parameters: found.parameters, variadic: found.variadic });
  }
  return out;
}

function bareName(found: GoFunction): string {
  return found.name.slice(found.name.indexOf('.') + 1);
}
