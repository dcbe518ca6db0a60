// The declarations of a tree's packages as a check asks for them; what is not read yet is asked for and unknown so far.
import { type GoIndex, type GoPackage, includesHash, type PackageFile } from '../rewrite/go/go-index.ts';
import { defaultName, hashWord } from '../rewrite/go/scan-go.ts';
import { type Answers, createAnswers, type Progress } from './answers.ts';
import { declares, folderOf, type GoDeclarations } from './read-declarations.ts';
import type { StandardLibrary } from './standard-library.ts';
import type { FunctionDeclaration, ImportDeclaration } from './syntax.ts';

/** A tree, with the files that a pick changed; undefined for those that it deleted. */
export interface GoTree {
  readonly index: GoIndex;
  readonly changed: ReadonlyMap<string, GoDeclarations | undefined>;
  /** The declarations of a file of the index that is read already. */
  readonly read: (file: PackageFile) => GoDeclarations | 'unread' | 'unreadable';
  /** Undefined where Go is not installed. */
  readonly library: StandardLibrary | undefined;
}

export type Declared = GoDeclarations | 'unknown' | undefined;

export interface FoundMethod {
  readonly file: GoDeclarations;
  readonly method: FunctionDeclaration;
}

export interface GoWorld {
  /** What an answer hangs on that is not read yet. */
  readonly progress: Progress;
  /** The file that declares a name at the top level of a package; undefined where certainly none does. */
  declaring(folder: string, name: string): Declared;
  method(folder: string, type: string, name: string): FoundMethod | 'unknown' | undefined;
  /** Whether two files that are always built together declare a name, or `Type.Method`. */
  isDoubled(folder: string, name: string): boolean;
  /** Where a package is that a file imports: below the module, or in Go's standard library. */
  folderOf(path: string, importer: GoDeclarations): string | undefined;
  /** Whether what a package lacks here may be in it all the same, in a newer Go. */
  mayLack(folder: string): boolean;
  /** The import that a name of a file means. */
  importCalled(imports: readonly ImportDeclaration[], name: string): ImportDeclaration | undefined;
  /** What an import is called; a guess where only its path is here. */
  importName(spec: ImportDeclaration): { readonly name: string; readonly guessed: boolean };
  /** Files of the index that have to be read for a better answer, since this was asked last. */
  takeWanted(): readonly PackageFile[];
}

export function createGoWorld(tree: GoTree): GoWorld {
  const wanted = new Set<PackageFile>();
  const progress: Progress = { misses: 0, round: 1 };
  const { index, changed, library } = tree;
  const changedIn = new Map<string, GoDeclarations[]>();
  for (const [path, file] of changed) {
    const folder = folderOf(path);
    const list = changedIn.get(folder) ?? [];
    // A test from outside of its package declares for itself.
    if (file !== undefined && !file.packageName.endsWith('_test')) list.push(file);
    changedIn.set(folder, list);
  }

  const isOurs = (file: PackageFile): boolean => !changed.has(file.path);

  /** All that declare it, conditional ones only where nothing else does. */
  const choose = (found: readonly GoDeclarations[]): Declared => {
    const [first] = found;
    if (found.length < 2) return first;
    const certain = found.filter((file) => !file.conditional);
    return certain.length === 1 ? certain[0] : 'unknown';
  };

  const findAll = (
    folder: string,
    name: string,
    holds: (file: GoDeclarations) => boolean,
  ): GoDeclarations[] | 'unknown' => {
    const found = (changedIn.get(folder) ?? []).filter(holds);
    for (const file of holdersIn(index.packages.get(folder), name).files) {
      if (!isOurs(file)) continue;
      const read = tree.read(file);
      if (read === 'unread') {
        wanted.add(file);
        progress.misses += 1;
      }
      if (read === 'unread' || read === 'unreadable') return 'unknown';
      if (holds(read)) found.push(read);
    }
    return found;
  };
  const search = (folder: string, name: string, holds: (file: GoDeclarations) => boolean): Declared => {
    const found = findAll(folder, name, holds);
    if (found === 'unknown') return found;
    if (found.length === 0 && holdersIn(index.packages.get(folder), name).tests.some(isOurs))
      return 'unknown';
    return choose(found);
  };

  const declaring = (folder: string, name: string): Declared =>
    search(folder, name, (file) => declares(file, name));
  const homes = new Map<string, Answers<string, Declared>>();
  const remembered = (folder: string, name: string, find: () => Declared): Declared => {
    const known = homes.get(folder) ?? createAnswers<string, Declared>(progress);
    homes.set(folder, known);
    return known.find(name, find);
  };
  const importsBy = new Map<readonly ImportDeclaration[], Map<string, ImportDeclaration | undefined>>();

  /** The package clause of an import below the module. */
  const ownName = (path: string): string | undefined => {
    if (!path.startsWith(`${index.module}/`)) return undefined;
    const folder = path.slice(index.module.length + 1);
    return index.packages.get(folder)?.files[0]?.facts.packageName ?? changedIn.get(folder)?.[0]?.packageName;
  };

  const importCalled: GoWorld['importCalled'] = (imports, name) => {
    const certain = imports.find(({ alias, path }) => (alias ?? ownName(path) ?? defaultName(path)) === name);
    if (certain !== undefined) return certain;
    // Of somebody else's package only its path is here: its name is in there somehow.
    return imports.find(
      ({ alias, path }) =>
        alias === undefined &&
        ownName(path) === undefined &&
        path.includes('.') &&
        path.toLowerCase().includes(name.toLowerCase()),
    );
  };

  const importName: GoWorld['importName'] = ({ alias, path }) => {
    const own = alias ?? ownName(path);
    return { name: own ?? defaultName(path), guessed: own === undefined && path.includes('.') };
  };

  const isOld = once(() => library?.isOlderThan(index.goVersion) !== false);
  const mayLack = (folder: string): boolean => library?.has(folder) === true && isOld();
  const inLibrary = (folder: string, name: string): Declared =>
    library?.declaring(folder, name) ?? (isExported(name) && isOld() ? 'unknown' : undefined);

  return {
    progress,
    takeWanted() {
      const files = [...wanted];
      progress.round += 1;
      wanted.clear();
      return files;
    },
    importName,
    mayLack,
    declaring: (folder, name) =>
      library?.has(folder) === true
        ? inLibrary(folder, name)
        : remembered(folder, name, () => declaring(folder, name)),
    method(folder, type, name) {
      const whole = `${type}.${name}`;
      const file =
        library?.has(folder) === true
          ? inLibrary(folder, whole)
          : remembered(folder, whole, () =>
              search(folder, whole, (one) => one.methods.get(type)?.has(name) === true),
            );
      if (file === undefined || file === 'unknown') return file;
      const method = file.methods.get(type)?.get(name);
      return method === undefined ? 'unknown' : { file, method };
    },
    isDoubled(folder, name) {
      const dot = name.indexOf('.');
      const [type, method] = [name.slice(0, dot), name.slice(dot + 1)];
      const found = findAll(folder, name, (file) =>
        dot < 0 ? declares(file, name) : file.methods.get(type)?.has(method) === true,
      );
      if (found === 'unknown') return false;
      const together = found.filter((file) => !file.conditional && !file.path.endsWith('_test.go'));
      return new Set(together.map(({ packageName }) => packageName)).size < together.length;
    },
    folderOf(path, importer) {
      if (path === index.module) return '';
      if (!path.startsWith(`${index.module}/`))
        // What other systems have of a package is not read.
        return importer.elsewhere ? undefined : library?.folderOf(path);
      const folder = path.slice(index.module.length + 1);
      return index.packages.has(folder) || changedIn.has(folder) ? folder : undefined;
    },
    importCalled(imports, name) {
      const known = importsBy.get(imports) ?? new Map<string, ImportDeclaration | undefined>();
      importsBy.set(imports, known);
      if (!known.has(name)) known.set(name, importCalled(imports, name));
      return known.get(name);
    },
  };
}

/** The files of a package that may declare a name, or `Type.Method`. */
interface Holders {
  readonly files: readonly PackageFile[];
  readonly tests: readonly PackageFile[];
}

const nobody: Holders = { files: [], tests: [] };
/** A package is the same one for all trees that hold it, and picks ask it for the same names. */
const holders = new WeakMap<GoPackage, Map<string, Holders>>();

function holdersIn(home: GoPackage | undefined, name: string): Holders {
  if (home === undefined) return nobody;
  const known = holders.get(home) ?? new Map<string, Holders>();
  holders.set(home, known);
  const before = known.get(name);
  if (before !== undefined) return before;
  const dot = name.indexOf('.');
  const hash = hashWord(dot < 0 ? name : name.slice(0, dot));
  // Words of one letter are not among those of a file.
  const mayHold =
    dot < 0
      ? ({ facts }: PackageFile) => includesHash(facts.declared, hash)
      : ({ facts }: PackageFile) =>
          (dot < 2 || includesHash(facts.words, hash)) && facts.functions.some((one) => one.name === name);
  const [files, tests] = [home.files.filter(mayHold), home.tests.filter(mayHold)];
  const made = files.length === 0 && tests.length === 0 ? nobody : { files, tests };
  known.set(name, made);
  return made;
}

function once(find: () => boolean): () => boolean {
  let found: boolean | undefined;
  return () => (found ??= find());
}

/** Others than these are no business of whoever imports a package, and its own are all here. */
function isExported(name: string): boolean {
  return /^(?:\w+\.)?[A-Z]\w*$/.test(name);
}
