// Opens what puts lines of one upstream file into the words of the fork: everything that a pick knows about them.
import { fileMode } from '../git/tree.ts';
import type { Sequence } from '../merge/diff-sequences.ts';
import { type FileKind, fileKind } from '../rewrite/file-kind.ts';
import { createSymbolFinder, type GoContext, upstreamFolder } from '../rewrite/go/go-names.ts';
import { hashWord, type ImportSpec, localName, parseImports } from '../rewrite/go/scan-go.ts';
import { learnPhrases } from '../rewrite/phrases.ts';
import {
  createTranslator,
  findPaths,
  type Translator,
  type TranslatorContext,
} from '../rewrite/translate.ts';
import { matchesAnyGlob } from '../rules/glob.ts';
import type { CommandRule } from '../rules/model.ts';
import { applySpans } from '../rules/words.ts';
import type { FileStudy, PickView, RenamedLines } from './pick-view.ts';
import { askNeighbours, countNeighbours, studyNeighbours } from './study-file.ts';
import { findSuccessors, isGone } from './successors.ts';

interface TranslatorSources {
  readonly from: string;
  /** The fork's path. */
  readonly path: string;
  readonly study: FileStudy | undefined;
  readonly go: GoContext | undefined;
  readonly theirs: string;
  readonly ours: string;
  /** Lines that will be translated: paths named in them are looked up beforehand. */
  readonly lines: readonly string[];
}

export async function openTranslator(view: PickView, sources: TranslatorSources): Promise<Translator> {
  const { go } = sources;
  const theirImports: readonly ImportSpec[] = go === undefined ? [] : parseImports(sources.theirs);
  const ourImports = go === undefined ? [] : parseImports(sources.ours);
  const kind = fileKind(sources.from);
  const memory = view.memory.view(kind);
  const isNew = sources.study === undefined;
  const isScript = kind === 'shell' && sources.lines.some((line) => view.shop.brand.inText(line));
  const neighbours = isNew || isScript ? await studyNeighbours(view, sources.from) : [];
  return createTranslator({
    path: sources.from,
    kind,
    brand: view.shop.brand,
    words: view.shop.words,
    commands: await commandsFor(view, kind, sources),
    file: sources.study,
    neighbours: isNew ? askNeighbours(neighbours) : undefined,
    ...(isScript && !isNew ? { beside: askNeighbours(neighbours) } : {}),
    memory: { ...memory, phrase: (key) => view.phrases.get(key) ?? memory.phrase(key) },
    ...(await renamedText(view, kind, sources, neighbours)),
    symbol: go === undefined ? undefined : createSymbolFinder(go, theirImports, ourImports),
    ...(go === undefined
      ? {}
      : {
          successors: await findSuccessors(view, go, theirImports, sources.lines),
          gone: (name) => isGone(go, name),
        }),
    qualifiers: new Set(
      go === undefined ? [] : theirImports.filter((spec) => isRenamed(go, spec.path)).map(localName),
    ),
    ...ownName(view, sources.from, sources.path),
    paths: await namedPaths(view, sources.from, sources.lines),
    name: view.shop.pack.info.upstream.name,
  });
}

export function rememberPhrases(
  view: PickView,
  theirs: Sequence,
  carried: Sequence,
  added: ReadonlySet<string>,
): void {
  const { store, pack } = view.shop;
  for (const [index, id] of theirs.entries()) {
    const line = store.line(id);
    if (!added.has(line)) continue;
    for (const { key, value } of learnPhrases(line, store.line(carried[index] ?? 0), pack.info.upstream.name))
      view.phrases.set(key, value);
  }
}

/** What the file is called on both sides, without its ending, where a part of that is upstream's name and was renamed. */
function ownName(view: PickView, from: string, path: string): Pick<TranslatorContext, 'own'> {
  const { brands } = view.shop.pack.info.upstream;
  const stem = (of: string): string => of.slice(of.lastIndexOf('/') + 1).replace(/(?:_test)?\.\w+$/, '');
  const [before, after] = [stem(from), stem(path)];
  const isPart = view.shop.brand.inText(before) && !brands.includes(before.toLowerCase());
  return isPart && before !== after ? { own: { from: before, to: after } } : {};
}

/** Whether names of a package may be called otherwise in the fork. */
function isRenamed(go: GoContext, path: string): boolean {
  if (upstreamFolder(go, path) !== undefined) return true;
  return go.symbols.some((rule) => rule.foreign === true && rule.package === path);
}

/** Rules for commands that may stand in these lines, of which the fork's code takes the new form. */
async function commandsFor(
  view: PickView,
  kind: FileKind,
  { from, lines }: TranslatorSources,
): Promise<readonly CommandRule[]> {
  if (kind === 'go') return [];
  const inLines = view.shop.pack.commands.filter((rule) => {
    const words = rule.from.split(' ').filter((word) => !word.startsWith('{'));
    const isHere = (line: string): boolean => words.every((word) => line.includes(word));
    return (rule.files === undefined || matchesAnyGlob(rule.files, from)) && lines.some(isHere);
  });
  if (!inLines.some((rule) => rule.declares !== undefined)) return inLines;
  const { fork } = await view.go();
  return inLines.filter(({ declares }) => declares === undefined || fork.hasWord(hashWord(declares)));
}

/** Whether the text around was renamed throughout, and with it all of the fork: its documentation came last. */
async function renamedText(
  view: PickView,
  kind: FileKind,
  { study, lines }: TranslatorSources,
  neighbours: readonly FileStudy[],
): Promise<Pick<TranslatorContext, 'renamed' | 'throughout'>> {
  const around = isRenamedText(
    (study === undefined ? neighbours : [study]).map((one) => countRenamed(view, one)),
  );
  const throughout =
    around && lines.some((line) => view.shop.brand.inText(line)) && (await isForkRenamed(view));
  return { renamed: kind === 'go' ? throughout : around, throughout };
}

/** Whether the fork's documentation was renamed, as far as a sample of the pages says that both had when they parted. */
function isForkRenamed(view: PickView): Promise<boolean> {
  const { renamedTrees, renamedPages, forkPointNames } = view.shop;
  const known = renamedTrees.get(view.onto.tree);
  if (known !== undefined) return known;
  const pages = [...forkPointNames].flatMap(([folder, names]) => {
    const page = names.filter((name) => name.endsWith('.md')).length;
    return page === 0 ? [] : [{ folder, page }];
  });
  const [most] = pages.toSorted((left, right) => right.page - left.page);
  const made =
    most === undefined
      ? Promise.resolve(true)
      : countNeighbours(view, `${most.folder === '' ? '' : `${most.folder}/`}.md`, renamedPages, (study) =>
          countRenamed(view, study),
        ).then(isRenamedText);
  renamedTrees.set(view.onto.tree, made);
  return made;
}

/** How many lines of the fork's copy have taken up a word that the rules would rename, and how many have not. */
function countRenamed(view: PickView, { lines }: FileStudy): RenamedLines {
  const { words } = view.shop;
  let renamed = 0;
  let left = 0;
  for (const [line, spelt] of lines) {
    if (spelt === undefined || !words.mayMatch(line)) continue;
    if (
      applySpans(
        line,
        words.match(line, '', () => 'prose'),
      ) === line
    )
      continue;
    if (spelt === line) left += 1;
    else renamed += 1;
  }
  return { renamed, left };
}

/** Whether the fork's copies have taken up nearly every word that the rules would rename. */
function isRenamedText(counts: readonly RenamedLines[]): boolean {
  const renamed = counts.reduce((sum, count) => sum + count.renamed, 0);
  const left = counts.reduce((sum, count) => sum + count.left, 0);
  return renamed > 0 && left * 10 <= renamed;
}

/** Upstream paths that lines name, with their places in the fork where those differ. */
async function namedPaths(
  view: PickView,
  from: string,
  lines: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const paths = new Map<string, string>();
  const seen = new Set<string>();
  for (const line of lines)
    for (const { path } of findPaths(from, fileKind(from), line)) {
      if (seen.has(path)) continue;
      seen.add(path);
      const place = await namedPlace(view, path);
      if (place !== undefined && place !== path) paths.set(path, place);
    }
  return paths;
}

/**
 * Words of lines that begin like a path of the repository, in a folder that the fork has under another name, and that
 * name nothing there: what a script makes for itself, or a file that is still to come.
 */
export async function unplacedPaths(
  view: PickView,
  from: string,
  lines: readonly string[],
): Promise<readonly string[]> {
  const { objects, brand } = view.shop;
  const unplaced = new Set<string>();
  for (const line of lines) {
    if (!brand.inText(line)) continue;
    for (const { path } of findPaths(from, fileKind(from), line)) {
      const folder = path.slice(0, path.indexOf('/'));
      if (!path.includes('/') || unplaced.has(path) || !brand.inText(folder)) continue;
      const [there, here] = await Promise.all([
        objects.entry(view.upstream.tree, folder),
        objects.entry(view.onto.tree, folder),
      ]);
      if (there?.mode !== fileMode.tree || here !== undefined) continue;
      if ((await namedPlace(view, path)) === undefined) unplaced.add(path);
    }
  }
  return [...unplaced];
}

async function namedPlace(view: PickView, path: string): Promise<string | undefined> {
  const { objects } = view.shop;
  const entry = await objects.entry(view.upstream.tree, path);
  if (entry?.mode === fileMode.tree) return view.resolver.folder(path);
  if (entry !== undefined)
    return (await view.resolver.existing(path)).path ?? (await view.resolver.fresh(path)).path;
  // A file that is made later, in a folder that is there: Makefiles and scripts name such. `lxd/1.0` is none: no file
  // of that folder is called so.
  const folder = await objects.entry(view.upstream.tree, path.slice(0, path.lastIndexOf('/')));
  if (folder?.mode !== fileMode.tree) return undefined;
  const ending = fileEnding(path);
  const files = [...(await objects.folder(folder.sha)).values()].filter(({ mode }) => mode !== fileMode.tree);
  const isUsual = ending !== undefined && files.some(({ name }) => fileEnding(name) === ending);
  return isUsual ? (await view.resolver.fresh(path)).path : undefined;
}

function fileEnding(path: string): string | undefined {
  return /\.([A-Za-z]\w*)$/.exec(path)?.[1];
}
