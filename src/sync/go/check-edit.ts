// Looks at an edit of a tree's Go files as a compiler would: what it changed, who uses that, and who implements it.

import type { Objects } from '../git/objects.ts';
import { type GoIndex, includesHash, isForeignFile, type PackageFile } from '../rewrite/go/go-index.ts';
import { hashWord } from '../rewrite/go/scan-go.ts';
import { type ChangedNames, changedNames } from './changed-names.ts';
import type { GoChecker } from './check-file.ts';
import type { GoSources } from './go-sources.ts';
import type { GoWorld } from './go-world.ts';
import { isUnreadable, parseDeclarations } from './parse-go.ts';
import { declares, folderOf, type GoDeclarations } from './read-declarations.ts';
import { repeatedKeys } from './repeated-keys.ts';
import { orFault, type TypeFault } from './type-fault.ts';

/** A tree of a repository and what becomes of some of its files. */
export interface GoEdit {
  readonly objects: Pick<Objects, 'text' | 'textIfHere' | 'entry'>;
  readonly sources: GoSources;
  readonly tree: string;
  readonly index: GoIndex;
  /** Blobs by path; undefined for what is deleted. */
  readonly edits: ReadonlyMap<string, string | undefined>;
}

/** What is wrong with a file after the edit. */
export interface FoundFault {
  readonly path: string;
  readonly line: number;
  readonly fault: TypeFault;
}

const everything = (): boolean => true;

interface ReadFile {
  readonly text: string;
  readonly declarations: GoDeclarations;
}

interface ChangedFile {
  readonly path: string;
  readonly before: ReadFile | undefined;
  readonly after: ReadFile | undefined;
}

interface State {
  readonly index: GoIndex;
  readonly changed: ReadonlyMap<string, GoDeclarations | undefined>;
  /** Files of which not all could be found out. */
  readonly unsettled: Set<string>;
}

/** Files elsewhere that are looked at for one pick: a name like `Close` is in hundreds. */
const mostUsers = 60;
/** What a compiler would refuse after the edit and took before it. */
export async function checkEdit(edit: GoEdit): Promise<readonly FoundFault[]> {
  try {
    return await checkReadable(edit);
  } catch (error) {
    // Nested deeper than this process can follow: nothing is known of it.
    if (isUnreadable(error)) return [];
    throw error;
  }
}

async function checkReadable(edit: GoEdit): Promise<readonly FoundFault[]> {
  const { files, faults } = await readChanged(edit);
  const { index } = edit;
  const unsettled = new Set<string>();
  const changed = new Map(files.map((file) => [file.path, file.after?.declarations]));
  const states: States = {
    before: { index, changed: new Map(), unsettled },
    after: { index, changed, unsettled },
  };
  const names = namesByFolder(files);
  const found = [...faults];
  for (const file of files) found.push(...(await checkChanged(edit, states, file, names)));
  for (const user of usersOf(index, states.after, names))
    found.push(...(await checkUser(edit, states, user, names)));
  found.push(...(await checkImplementers(edit, states, names)));
  for (const path of unsettled) found.push({ path, line: 1, fault: notSettled });
  return found;
}

const notSettled: TypeFault = {
  kind: 'not-settled',
  at: 0,
  name: '',
  text: 'its types lead from package to package without an end',
};

interface States {
  readonly before: State;
  readonly after: State;
}

async function readChanged({ objects, sources, tree, edits }: GoEdit): Promise<{
  readonly files: readonly ChangedFile[];
  readonly faults: readonly FoundFault[];
}> {
  const files: ChangedFile[] = [];
  const faults: FoundFault[] = [];
  for (const [path, sha] of edits) {
    if (!path.endsWith('.go') || isForeignFile(path)) continue;
    const entry = await objects.entry(tree, path);
    if (entry?.sha === sha) continue;
    const oldText = entry === undefined ? undefined : await objects.textIfHere(entry.sha);
    const newText = sha === undefined ? undefined : await objects.text(sha);
    const before = readFile(sources, path, entry?.sha, oldText);
    const after = readFile(sources, path, sha, newText);
    if (isFault(before)) continue;
    if (isFault(after)) faults.push(place(path, newText ?? '', after));
    else files.push({ path, before, after });
  }
  return { files, faults };
}

function place(path: string, text: string, fault: TypeFault): FoundFault {
  return { path, line: text.slice(0, fault.at).split('\n').length, fault };
}

function readFile(
  sources: GoSources,
  path: string,
  sha: string | undefined,
  text: string | undefined,
): ReadFile | TypeFault | undefined {
  if (sha === undefined || text === undefined) return undefined;
  const declarations = sources.read({ path, sha }, text);
  return 'kind' in declarations ? declarations : { text, declarations };
}

function isFault(read: ReadFile | TypeFault | undefined): read is TypeFault {
  return read !== undefined && 'kind' in read;
}

function namesByFolder(files: readonly ChangedFile[]): ReadonlyMap<string, ChangedNames> {
  const names = new Map<string, ChangedNames>();
  for (const folder of new Set(files.map(({ path }) => folderOf(path)))) {
    const here = files.filter(({ path }) => folderOf(path) === folder && !path.endsWith('_test.go'));
    const side = (which: 'before' | 'after') => here.flatMap((file) => file[which]?.declarations ?? []);
    names.set(folder, changedNames(side('before'), side('after')));
  }
  return names;
}

/** What is wrong in a file that the pick changed and was not before. */
async function checkChanged(
  edit: GoEdit,
  states: States,
  file: ChangedFile,
  names: ReadonlyMap<string, ChangedNames>,
): Promise<readonly FoundFault[]> {
  const { path, after, before } = file;
  if (after === undefined || isTestOfItself(after)) return [];
  const known = new Set(before === undefined ? [] : textsOf(before));
  const uses = usesOf(names, folderOf(path), after.declarations);
  const isNew = (text: string): boolean => !known.has(text) || uses(text);
  const faults = await faultsOf(edit, states.after, after, isNew);
  const doubled = await doubledNames(edit, states.after, after, before);
  const all = [...faults, ...doubled];
  if (all.length === 0 || before === undefined) return all.map((fault) => place(path, after.text, fault));
  const old = await faultsOf(edit, states.before, before, everything);
  return newFaults(all, old).map((fault) => place(path, after.text, fault));
}

/** A test from outside of its package has names of its own that the package does not see. */
function isTestOfItself({ declarations }: ReadFile): boolean {
  return declarations.packageName.endsWith('_test');
}

function textsOf({ text, declarations }: ReadFile): readonly string[] {
  return declarations.spans().map((span) => text.slice(span.from, span.to));
}

/** What is wrong in those declarations of a file that are looked at, by their text. */
async function faultsOf(
  edit: GoEdit,
  state: State,
  { text, declarations }: ReadFile,
  isLookedAt: (declaration: string) => boolean,
): Promise<readonly TypeFault[]> {
  const spans = declarations.spans();
  const chosen = new Set(spans.filter((span) => isLookedAt(text.slice(span.from, span.to))));
  const parsed = orFault(() => parseDeclarations(text, [...chosen]));
  if ('kind' in parsed) return [parsed];
  const others = spans.filter((span) => !chosen.has(span));
  let look: (() => readonly TypeFault[]) | undefined;
  const faults = await edit.sources.ask(
    state,
    (checker) => {
      look ??= checker.look({ file: declarations, text, declarations: parsed, others });
      return look();
    },
    () => state.unsettled.add(declarations.path),
  );
  return [...faults, ...repeatedKeys(text, parsed)];
}

/** What stands there now as often as before is not this pick's. */
function newFaults(faults: readonly TypeFault[], before: readonly TypeFault[]): readonly TypeFault[] {
  const counts = new Map<string, number>();
  const keyOf = ({ kind, text }: TypeFault): string => `${kind} ${text}`;
  for (const fault of before) counts.set(keyOf(fault), (counts.get(keyOf(fault)) ?? 0) + 1);
  return faults.filter((fault) => {
    const left = counts.get(keyOf(fault)) ?? 0;
    counts.set(keyOf(fault), left - 1);
    return left <= 0;
  });
}

/** Names that a file declares anew and that another file of its package has as well. */
async function doubledNames(
  edit: GoEdit,
  state: State,
  file: ReadFile,
  before: ReadFile | undefined,
): Promise<readonly TypeFault[]> {
  const own = file.declarations;
  if (own.conditional || own.path.endsWith('_test.go')) return [];
  const fresh: { readonly name: string; readonly at: number }[] = [];
  const old = before?.declarations;
  const add = (name: string, at: number, wasThere: boolean): void => {
    if (!wasThere && !['_', 'init', 'main'].includes(name)) fresh.push({ name, at });
  };
  for (const [name, { at }] of [...own.types, ...own.functions])
    add(name, at, old !== undefined && declares(old, name));
  for (const [name, { declaration }] of own.values)
    add(name, declaration.names[0]?.at ?? 0, old !== undefined && declares(old, name));
  for (const [type, methods] of own.methods)
    for (const [name, { at }] of methods)
      add(`${type}.${name}`, at, old?.methods.get(type)?.has(name) === true);
  if (fresh.length === 0) return [];
  return edit.sources.ask(
    state,
    (_, world) =>
      fresh
        .filter(({ name }) => world.isDoubled(own.folder, name))
        .map(({ name, at }) => ({ kind: 'declared-twice', at, name, text: name })),
    () => state.unsettled.add(own.path),
  );
}

/** Whether a text uses one of the names that changed, as far as the file that it is in can see them. */
function usesOf(
  names: ReadonlyMap<string, ChangedNames>,
  folder: string,
  file: { readonly imports: readonly { readonly path: string }[] },
): (text: string) => boolean {
  const words = new Set<string>();
  for (const [home, { top, members }] of names) {
    const sees =
      home === folder || file.imports.some(({ path }) => path === home || path.endsWith(`/${home}`));
    if (sees) for (const name of top) words.add(name);
    for (const name of members) words.add(name);
  }
  if (words.size === 0) return () => false;
  const pattern = new RegExp(`(?<!\\w)(?:${[...words].join('|')})(?!\\w)`);
  return (text) => pattern.test(text);
}

/** Files that the pick left alone and that use what it changed; those nearest to it first. */
function usersOf(
  index: GoIndex,
  after: State,
  names: ReadonlyMap<string, ChangedNames>,
): readonly PackageFile[] {
  const near: PackageFile[] = [];
  const far: PackageFile[] = [];
  const hashes = (of: ReadonlySet<string>) => [...of].map(hashWord);
  const wanted = [...names].map(([folder, { top, members }]) => ({
    folder,
    path: folder === '' ? index.module : `${index.module}/${folder}`,
    top: hashes(top),
    members: hashes(members),
  }));
  if (wanted.every(({ top, members }) => top.length === 0 && members.length === 0)) return [];
  for (const found of index.packages.values())
    for (const file of [...found.files, ...found.tests]) {
      if (after.changed.has(file.path)) continue;
      const has = (hash: number): boolean => includesHash(file.facts.words, hash);
      for (const { folder, path, top, members } of wanted) {
        const sees = folder === found.folder || file.facts.imports.some((one) => one.path === path);
        if (!(sees && top.some(has)) && !members.some(has)) continue;
        (sees ? near : far).push(file);
        break;
      }
    }
  return [...near, ...far].slice(0, mostUsers);
}

async function checkUser(
  edit: GoEdit,
  { before, after }: States,
  user: PackageFile,
  names: ReadonlyMap<string, ChangedNames>,
): Promise<readonly FoundFault[]> {
  const { path } = user;
  const file = readFile(edit.sources, path, user.sha, await edit.objects.text(user.sha));
  if (file === undefined || isFault(file) || isTestOfItself(file)) return [];
  const uses = usesOf(names, folderOf(path), file.declarations);
  const faults = await faultsOf(edit, after, file, uses);
  if (faults.length === 0) return [];
  const old = await faultsOf(edit, before, file, uses);
  return newFaults(faults, old).map((fault) => place(path, file.text, fault));
}

interface Pair {
  readonly folder: string;
  readonly type: string;
  readonly home: string;
  readonly wanted: string;
}

/** Types of the fork that were an interface before the pick and are not after it. */
async function checkImplementers(
  edit: GoEdit,
  { before, after }: States,
  names: ReadonlyMap<string, ChangedNames>,
): Promise<readonly FoundFault[]> {
  const pairs: Pair[] = [];
  for (const [home, { interfaces, receivers }] of names) {
    for (const wanted of interfaces)
      for (const one of await implementers(edit, before, home, wanted)) pairs.push({ ...one, home, wanted });
    for (const type of receivers)
      for (const one of await interfacesOf(edit, before, home)) pairs.push({ ...one, folder: home, type });
  }
  if (pairs.length === 0) return [];
  const ask = (state: State) =>
    edit.sources.ask(
      state,
      (checker, world) => pairs.map((pair) => missingIn(checker, world, pair)),
      () => noteFolders(edit, state, [...names.keys()]),
    );
  const [were, are] = [await ask(before), await ask(after)];
  const found: FoundFault[] = [];
  for (const [number, pair] of pairs.entries()) {
    const [was, is] = [were[number], are[number]];
    if (was?.missing !== undefined || is?.missing === undefined || was === undefined) continue;
    const { path, missing } = is;
    const text =
      `${pair.type} is no ${pair.wanted} any more: ` +
      (missing.differs ? `its method ${missing.name} is another` : `it has no method ${missing.name}`);
    const source = await textAfter(edit, path);
    found.push(place(path, source, { kind: 'not-implemented', at: is.at, name: missing.name, text }));
  }
  return found;
}

/** Of what is asked of whole packages, the files of them that the pick changed. */
function noteFolders({ edits }: GoEdit, { unsettled }: State, folders: readonly string[]): void {
  for (const path of edits.keys()) if (folders.includes(folderOf(path))) unsettled.add(path);
}

async function textAfter({ objects, tree, edits }: GoEdit, path: string): Promise<string> {
  const sha = edits.has(path) ? edits.get(path) : (await objects.entry(tree, path))?.sha;
  return sha === undefined ? '' : objects.text(sha);
}

interface Missing {
  readonly path: string;
  readonly at: number;
  readonly missing: { readonly name: string; readonly differs: boolean } | undefined;
}

/** Undefined where one of the two is not known. */
function missingIn(checker: GoChecker, world: GoWorld, pair: Pair): Missing | undefined {
  const of = (folder: string, name: string) => {
    const file = world.declaring(folder, name);
    if (file === undefined || file === 'unknown') return undefined;
    const declaration = file.types.get(name);
    const type = checker.typerOf(file).declaredType(name);
    return declaration === undefined || type.kind !== 'type'
      ? undefined
      : { file, declaration, type: type.of };
  };
  const [one, other] = [of(pair.folder, pair.type), of(pair.home, pair.wanted)];
  if (one === undefined || other === undefined) return undefined;
  // What is embedded and not known may have any method.
  if (checker.rules.underlying(other.type).kind !== 'interface') return undefined;
  const missing = checker.rules.missingMethod(one.type, other.type);
  return { path: one.file.path, at: one.declaration.at, missing };
}

/** Types with a method of an interface, in its package and in those that import it. */
async function implementers(
  edit: GoEdit,
  state: State,
  home: string,
  wanted: string,
): Promise<readonly { readonly folder: string; readonly type: string }[]> {
  const methods = new Set(
    await edit.sources.ask(
      state,
      (checker, world) => {
        const file = world.declaring(home, wanted);
        if (file === undefined || file === 'unknown') return [];
        const type = checker.typerOf(file).declaredType(wanted);
        return type.kind === 'type' ? checker.rules.methodNames(type.of) : [];
      },
      () => noteFolders(edit, state, [home]),
    ),
  );
  const path = home === '' ? state.index.module : `${state.index.module}/${home}`;
  const out = new Map<string, { readonly folder: string; readonly type: string }>();
  for (const { folder, files } of state.index.packages.values()) {
    const isNear =
      folder === home || files.some(({ facts }) => facts.imports.some((one) => one.path === path));
    // A single method is had by many that nobody means by it.
    if (!isNear || methods.size < (folder === home ? 1 : 2)) continue;
    for (const { facts } of files)
      for (const { name } of facts.functions) {
        const dot = name.indexOf('.');
        if (dot < 0 || !methods.has(name.slice(dot + 1))) continue;
        const type = name.slice(0, dot);
        out.set(`${folder} ${type}`, { folder, type });
      }
  }
  return [...out.values()];
}

/** The interfaces of a package that have more than one method. */
async function interfacesOf(
  edit: GoEdit,
  state: State,
  home: string,
): Promise<readonly { readonly home: string; readonly wanted: string }[]> {
  const files = state.index.packages.get(home)?.files ?? [];
  const out: { readonly home: string; readonly wanted: string }[] = [];
  for (const { path, sha, facts } of files) {
    if (!includesHash(facts.words, hashWord('interface'))) continue;
    const text = await edit.objects.text(sha);
    if (!/\binterface \{\n/.test(text)) continue;
    const file = readFile(edit.sources, path, sha, text);
    if (file === undefined || isFault(file)) continue;
    for (const [wanted, { type }] of file.declarations.types)
      if (type.kind === 'interface' && type.methods.length + type.embedded.length > 1)
        out.push({ home, wanted });
  }
  return out;
}
