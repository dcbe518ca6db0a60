// What Go's standard library declares, from the sources of the Go that is installed; read only where somebody asks.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../../core/failure.ts';
import type { InstalledGo } from '../build/find-go.ts';
import { intern } from '../git/intern.ts';
import { builtOnLinux } from './build-constraint.ts';
import { declares, type GoDeclarations, readDeclarations } from './read-declarations.ts';
import { orFault } from './type-fault.ts';

export interface StandardLibrary {
  /** What its packages are called in an index of packages; undefined for what is not in there. */
  folderOf(importPath: string): string | undefined;
  has(folder: string): boolean;
  /** The file that declares a name, or `Type.Method`; undefined where certainly none does. */
  declaring(folder: string, name: string): GoDeclarations | 'unknown' | undefined;
  /** Whether code for a version of Go may name what is not in here. */
  isOlderThan(goVersion: string): boolean;
}

interface Outline {
  /** For each name the files that may declare it, of those that Linux has whatever the processor is. */
  readonly files: ReadonlyMap<string, readonly string[]>;
  /** Names that other files declare: of those nothing is known. */
  readonly others: ReadonlySet<string>;
}

const nothing: Outline = { files: new Map(), others: new Set() };
/** No folder of a module begins like this. */
const prefix = 'go:';
/** The compiler knows these by heart; their sources say something else. */
const magic = new Set(['C', 'unsafe', 'builtin']);

export function openStandardLibrary({ root, version }: InstalledGo): StandardLibrary {
  const minor = minorOf(version);
  const packages = new Map<string, Outline | undefined>();
  const files = new Map<string, GoDeclarations | 'unreadable'>();
  const answers = new Map<string, GoDeclarations | 'unknown' | undefined>();

  const source = (folder: string, name: string): string =>
    readFileSync(join(root, 'src', folder.slice(prefix.length), name), 'latin1');

  const outline = (folder: string): Outline | undefined => {
    if (!packages.has(folder)) packages.set(folder, readOutline(folder));
    return packages.get(folder);
  };

  const readOutline = (folder: string): Outline | undefined => {
    const found = new Map<string, string[]>();
    const others = new Set<string>();
    for (const name of goFiles(join(root, 'src', folder.slice(prefix.length)))) {
      const text = source(folder, name);
      const isHere = builtOnLinux(name, text) === 'yes';
      for (const declared of namesIn(text)) {
        const list = found.get(declared);
        if (!isHere) others.add(declared);
        else if (list === undefined) found.set(declared, [name]);
        else list.push(name);
      }
    }
    return found.size + others.size === 0 ? undefined : { files: found, others };
  };

  const read = (folder: string, name: string): GoDeclarations | 'unreadable' => {
    const path = `${folder}/${name}`;
    const known = files.get(path);
    if (known !== undefined) return known;
    const read = orFault(() => readDeclarations(path, source(folder, name)));
    const made = 'kind' in read ? 'unreadable' : read;
    files.set(path, made);
    return made;
  };

  /** Whether an exported name stands in a package all the same, in a declaration that is laid out in another way. */
  const mayBeHidden = (folder: string, name: string): boolean =>
    /^[A-Z]\w*$/.test(name) &&
    goFiles(join(root, 'src', folder.slice(prefix.length))).some(
      (file) =>
        new RegExp(`\\b${name}\\b`).test(source(folder, file)) && mayDeclare(read(folder, file), name),
    );

  const find = (folder: string, name: string): GoDeclarations | 'unknown' | undefined => {
    const { files: candidates, others } = outline(folder) ?? nothing;
    const holding: GoDeclarations[] = [];
    for (const one of candidates.get(name) ?? []) {
      const file = read(folder, one);
      if (file === 'unreadable') return 'unknown';
      if (holds(file, name)) holding.push(file);
    }
    if (holding.length > 0) return (holding.length === 1 ? holding[0] : undefined) ?? 'unknown';
    return others.has(name) || mayBeHidden(folder, name) ? 'unknown' : undefined;
  };

  return {
    folderOf(importPath) {
      // Packages of others have a dot in their first part; those of the library never do.
      if (magic.has(importPath) || !/^[a-z][a-z0-9]*(?:\/[a-z0-9_]+)*$/.test(importPath)) return undefined;
      const folder = prefix + importPath;
      return outline(folder) === undefined ? undefined : folder;
    },
    has: (folder) => folder.startsWith(prefix),
    declaring(folder, name) {
      const key = `${folder} ${name}`;
      if (!answers.has(key)) answers.set(key, find(folder, name));
      return answers.get(key);
    },
    isOlderThan: (goVersion) =>
      minor === undefined || minor < (minorOf(goVersion) ?? Number.POSITIVE_INFINITY),
  };
}

/** Of `go1.22.3` and `1.22rc1` the 22; what a patch brings has no new names. */
function minorOf(version: string): number | undefined {
  const found = /^(?:go)?1\.(\d+)/.exec(version)?.[1];
  return found === undefined ? undefined : Number(found);
}

function goFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.go') && !entry.name.endsWith('_test.go'))
      .map(({ name }) => name)
      .filter((name) => !/^[_.]/.test(name))
      .toSorted();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

/** Names as gofmt lays their declarations out; some too many do no harm. */
function namesIn(source: string): ReadonlySet<string> {
  const names = new Set<string>();
  // A part of a text would keep the whole of it.
  const add = (name: string): unknown => names.add(intern(name));
  const outer =
    /^(?:func \((?:\w+ )?\*?(\w+)(?:\[[^\]]*\])?\) (\w+)|(?:func|type) (\w+)|(?:var|const) (\w+(?:, \w+)*)|(?:var|const|type) \(\n([\s\S]*?)^\))/gm;
  for (const [, receiver, method, name, values, group] of source.matchAll(outer)) {
    if (receiver !== undefined) add(`${receiver}.${method}`);
    if (name !== undefined) add(name);
    const lists = [values, ...(group ?? '').split('\n').map((line) => /^\t(\w+(?:, \w+)*)/.exec(line)?.[1])];
    for (const list of lists) for (const one of list?.split(', ') ?? []) add(one);
  }
  return names;
}

function holds(file: GoDeclarations, name: string): boolean {
  const dot = name.indexOf('.');
  if (dot < 0) return declares(file, name);
  return file.methods.get(name.slice(0, dot))?.has(name.slice(dot + 1)) === true;
}

function mayDeclare(file: GoDeclarations | 'unreadable', name: string): boolean {
  return file === 'unreadable' || declares(file, name);
}
