// Merges one text file of an upstream commit into the fork's copy, or makes the fork's version of a new file.
import { fileMode } from '../git/tree.ts';
import type { Sequence } from '../merge/diff-sequences.ts';
import { mergeLines, type OpenHunk } from '../merge/merge-lines.ts';
import type { HunkDriver } from '../merge/resolve-hunk.ts';
import { alignLines } from '../rewrite/align.ts';
import { type Carried, carryFile } from '../rewrite/carry.ts';
import { createEvidence } from '../rewrite/evidence.ts';
import { type FileKind, fileKind } from '../rewrite/file-kind.ts';
import { fixImports } from '../rewrite/go/fix-imports.ts';
import { createSymbolFinder, type GoContext, upstreamFolder } from '../rewrite/go/go-names.ts';
import {
  findImportBlock,
  type ImportSpec,
  localName,
  parseImports,
  parseSpec,
  withImportBlock,
  withoutMadeBlock,
} from '../rewrite/go/scan-go.ts';
import type { FoldKind, LineStore } from '../rewrite/line-store.ts';
import { learnPhrases } from '../rewrite/phrases.ts';
import { type Choice, createTranslator, findPaths, type Translator } from '../rewrite/translate.ts';
import { applySpans } from '../rules/words.ts';
import { checkGo } from './check-go.ts';
import { leftOutLines } from './left-out.ts';
import type { FileStudy, PickView } from './pick-view.ts';
import { renamedAway } from './renamed-away.ts';
import type { Sign, SignName } from './sign.ts';

export interface TextSides {
  /** Upstream's path, which decides what kind of file it is. */
  readonly from: string;
  /** The fork's path. */
  readonly path: string;
  readonly base: { readonly sha: string; readonly text: string };
  readonly theirs: { readonly sha: string; readonly text: string };
  readonly ours: { readonly sha: string; readonly text: string };
  readonly driver: HunkDriver;
  readonly entries?: readonly string[];
}

export interface MergedText {
  readonly text: string;
  readonly open: readonly OpenHunk[];
  readonly signs: readonly Sign[];
  /** Upstream's own lines that were added or changed, and what they became (for the checks that come after). */
  readonly added: readonly string[];
  /** All sides in the fork's words, where hunks are open. */
  readonly sides?: OpenSides;
}

/** What a person needs to finish a file. */
export interface OpenSides {
  readonly base: string;
  readonly theirs: string;
  readonly marked: string;
}

/** Merges upstream's change of a file into the fork's copy. */
export async function mergeTextFile(view: PickView, files: TextSides): Promise<MergedText> {
  const { store } = view.shop;
  const kind = fileKind(files.from);
  const fold: FoldKind = kind === 'go' ? 'go' : 'text';
  const blocked = kind === 'go' ? withImportBlocks(files) : undefined;
  const sides = blocked ?? files;
  const cut = blocked !== undefined;
  const body = (lines: Sequence): Sequence => (cut ? withoutBlockLines(store, lines) : lines);
  const baseLines = store.splitBlob(sides.base.sha, sides.base.text);
  const base = body(baseLines);
  const near = { text: sides.base.text, lines: baseLines };
  const theirs = body(store.splitBlob(sides.theirs.sha, sides.theirs.text, near));
  const ours = body(store.splitBlob(sides.ours.sha, sides.ours.text));
  const study = studyFile(view, `${fold} ${sides.base.sha} ${sides.ours.sha} ${cut}`, base, ours, fold);
  const go = kind === 'go' ? await view.go() : undefined;
  const added = addedLines(view, base, theirs);
  const translator = await openTranslator(view, {
    from: sides.from,
    study,
    go,
    theirs: sides.theirs.text,
    ours: sides.ours.text,
    lines: added,
  });
  const carried = carryFile(store, { base, theirs }, ours, study.alignment, translator, fold);
  const merged = mergeLines(store, carried.base, ours, carried.theirs, {
    driver: sides.driver,
    entries: sides.entries ?? [],
    go: kind === 'go',
  });
  const settled = merged.open.length === 0 ? undefined : await keepOurs(view, sides, merged.open);
  // Open hunks keep the fork's text.
  const open = settled === undefined ? merged.open : [];
  const signs: Sign[] = [
    ...(settled === undefined ? [] : [settled]),
    ...merged.settled.map((how) => sign(sides.path, how, '')),
    ...(carried.overlaid ? [sign(sides.path, 'overlaid', '')] : []),
    ...choiceSigns(view, sides.path, kind, carried.choices),
    ...differenceSigns(sides.path, carried, study),
  ];
  if (kind === 'go') rememberPhrases(view, theirs, carried.theirs, new Set(added));
  let text = withoutLooseEnd(store.join(merged.lines), sides);
  if (go !== undefined && cut) {
    const block = findImportBlock(sides.ours.text);
    const fixed = fixImports(
      {
        merged: text.replace('import (\n)\n', () => sides.ours.text.slice(block?.start, block?.end)),
        ours: sides.ours.text,
        upstreamBase: sides.base.text,
        upstreamTheirs: sides.theirs.text,
      },
      go,
    );
    text = withoutMadeBlock(fixed.text, files.ours.text);
    signs.push(...importSigns(sides.path, fixed));
  }
  if (go !== undefined && open.length === 0)
    signs.push(
      ...checkGo({
        path: sides.path,
        from: sides.from,
        theirs: cut ? withoutBlock(sides.theirs.text) : sides.theirs.text,
        edits: carried.edits,
        carried: (line) => store.line(carried.theirs[line] ?? 0),
        merged: text,
        ours: sides.ours.text,
        go,
        declared: await view.declared(),
      }),
    );
  if (open.length === 0) return { text, open, signs, added };
  const whole = (lines: Sequence | readonly number[]): string =>
    cut ? store.join(lines).replace('import (\n)\n', () => importsOf(sides.ours.text)) : store.join(lines);
  const openSides = {
    base: whole(carried.base),
    theirs: whole(carried.theirs),
    marked: whole(merged.marked),
  };
  return { text, open, signs, added, sides: openSides };
}

/** Why the fork's text stands in all hunks that are open, where it does. */
async function keepOurs(
  view: PickView,
  sides: TextSides,
  hunks: readonly OpenHunk[],
): Promise<Sign | undefined> {
  const leftOut = await leftOutLines(view, sides.from, hunks);
  if (leftOut !== undefined) return sign(sides.path, 'left-out', `${leftOut.rule}: ${leftOut.sha}`);
  const renamed = await renamedAway(view, hunks);
  return renamed === undefined
    ? undefined
    : sign(sides.path, 'renamed-away', `${renamed.from} → ${renamed.to}`);
}

/** The fork's version of a file that upstream made. */
export async function makeTextFile(
  view: PickView,
  from: string,
  path: string,
  theirs: string,
): Promise<MergedText> {
  const { store } = view.shop;
  const kind = fileKind(from);
  const go = kind === 'go' ? await view.go() : undefined;
  const lines = theirs.split('\n');
  const translator = await openTranslator(view, {
    from,
    study: undefined,
    go,
    theirs,
    ours: '',
    lines,
  });
  const block = go === undefined ? undefined : findImportBlock(theirs);
  const choices: Choice[] = [];
  const translate = (part: string): string =>
    part
      .split('\n')
      .map((line) => {
        const made = translator.translate(line);
        choices.push(...made.choices);
        return store.line(store.id(made.text));
      })
      .join('\n');
  if (go === undefined || block === undefined)
    return {
      text: translate(theirs),
      open: [],
      signs: [sign(path, newFileSign(kind), ''), ...choiceSigns(view, path, kind, choices)],
      added: lines,
    };
  // Upstream's own packages are imported anew, by what the translated code asks of them.
  const foreign = block.lines.filter((line) => {
    const spec = parseSpec(line);
    return spec === undefined || upstreamFolder(go, spec.path) === undefined;
  });
  const head = translate(theirs.slice(0, block.start));
  const tail = translate(theirs.slice(block.end));
  const fixed = fixImports(
    {
      merged: `${head}import (\n${foreign.map((line) => `${line}\n`).join('')})\n${tail}`,
      ours: undefined,
      upstreamBase: undefined,
      upstreamTheirs: theirs,
    },
    go,
  );
  return {
    text: fixed.text,
    open: [],
    signs: [
      sign(path, newFileSign(kind), ''),
      ...choiceSigns(view, path, kind, choices),
      ...importSigns(path, fixed),
      ...checkGo({
        path,
        from,
        theirs: head + tail,
        edits: [{ aStart: 0, aEnd: 0, bStart: 0, bEnd: (head + tail).split('\n').length }],
        carried: carriedLine(head + tail),
        merged: fixed.text,
        ours: undefined,
        go,
        declared: await view.declared(),
      }),
    ],
    added: lines,
  };
}

function newFileSign(kind: FileKind): SignName {
  if (kind === 'go') return 'new-code';
  return kind === 'doc' ? 'new-doc' : 'new-file';
}

function carriedLine(text: string): (line: number) => string {
  const lines = text.split('\n');
  return (line) => lines[line] ?? '';
}

/** The merge without blank lines at its end, where neither side has any: what stood behind them is gone. */
function withoutLooseEnd(text: string, { ours, theirs }: TextSides): string {
  const loose = /\n\n+$/;
  return loose.test(ours.text) || loose.test(theirs.text) ? text : text.replace(loose, '\n');
}

function importsOf(text: string): string {
  const block = findImportBlock(text);
  return block === undefined ? '' : text.slice(block.start, block.end);
}

function sign(path: string, name: Sign['name'], detail: string): Sign {
  return { path, name, detail };
}

/** All three sides with an import block each; a side that got one counts as another text. */
function withImportBlocks(files: TextSides): TextSides | undefined {
  const change = (side: TextSides['base']): TextSides['base'] | undefined => {
    const text = withImportBlock(side.text);
    if (text === undefined) return undefined;
    return text === side.text ? side : { sha: `${side.sha} with imports`, text };
  };
  const [base, theirs, ours] = [files.base, files.theirs, files.ours].map(change);
  if (base === undefined || theirs === undefined || ours === undefined) return undefined;
  return { ...files, base, theirs, ours };
}

/** The lines without those between `import (` and its closing parenthesis. */
function withoutBlockLines(store: LineStore, lines: Sequence): Sequence {
  const from = lines.indexOf(store.id('import ('));
  const to = lines.indexOf(store.id(')'), from);
  if (from < 0 || to < 0) return lines;
  const out = new Int32Array(from + 1 + lines.length - to);
  out.set(lines.subarray(0, from + 1));
  out.set(lines.subarray(to), from + 1);
  return out;
}

function withoutBlock(text: string): string {
  const block = findImportBlock(text);
  return block === undefined ? text : `${text.slice(0, block.start)}import (\n)\n${text.slice(block.end)}`;
}

/** Aligns the fork's copy with upstream's and learns its spellings; kept for files that many commits touch. */
function studyFile(view: PickView, key: string, base: Sequence, ours: Sequence, fold: FoldKind): FileStudy {
  const { store, brand, studies } = view.shop;
  const known = studies.get(key);
  if (known !== undefined) return known;
  const alignment = alignLines(store, base, ours, fold);
  const evidence = createEvidence(brand);
  const lines = new Map<string, string | undefined>();
  const learn = (upstreamLine: number, forkLine: number): void => {
    const before = store.line(base[upstreamLine] ?? 0);
    const after = store.line(ours[forkLine] ?? 0);
    if (before !== after || brand.inEither(before)) evidence.learn(before, after);
    const trimmed = before.trim();
    if (trimmed === '') return;
    const spelt = after.trim();
    lines.set(trimmed, lines.has(trimmed) && lines.get(trimmed) !== spelt ? undefined : spelt);
  };
  for (const [line, forkLine] of alignment.exact.entries()) if (forkLine >= 0) learn(line, forkLine);
  for (const [line, forkLine] of alignment.alike) learn(line, forkLine);
  const study = { alignment, evidence, lines };
  studies.set(key, study, base.length + ours.length);
  return study;
}

function addedLines(view: PickView, base: Sequence, theirs: Sequence): readonly string[] {
  const before = new Set(base);
  return Array.from(theirs)
    .filter((line) => !before.has(line))
    .map((line) => view.shop.store.line(line));
}

function rememberPhrases(
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

interface TranslatorSources {
  readonly from: string;
  readonly study: FileStudy | undefined;
  readonly go: GoContext | undefined;
  readonly theirs: string;
  readonly ours: string;
  /** Lines that will be translated: paths named in them are looked up beforehand. */
  readonly lines: readonly string[];
}

async function openTranslator(view: PickView, sources: TranslatorSources): Promise<Translator> {
  const { go } = sources;
  const theirImports: readonly ImportSpec[] = go === undefined ? [] : parseImports(sources.theirs);
  const ourImports = go === undefined ? [] : parseImports(sources.ours);
  const kind = fileKind(sources.from);
  const memory = view.memory.view(kind);
  const neighbours = sources.study === undefined ? await studyNeighbours(view, sources.from) : [];
  return createTranslator({
    path: sources.from,
    kind,
    brand: view.shop.brand,
    words: view.shop.words,
    file: sources.study,
    neighbours: sources.study === undefined ? askNeighbours(neighbours) : undefined,
    memory: { ...memory, phrase: (key) => view.phrases.get(key) ?? memory.phrase(key) },
    renamed: kind !== 'go' && isRenamedText(view, sources.study === undefined ? neighbours : [sources.study]),
    symbol: go === undefined ? undefined : createSymbolFinder(go, theirImports, ourImports),
    qualifiers: new Set(
      go === undefined ? [] : theirImports.filter((spec) => isRenamed(go, spec.path)).map(localName),
    ),
    paths: await namedPaths(view, sources.lines),
    name: view.shop.pack.info.upstream.name,
  });
}

/** Whether names of a package may be called otherwise in the fork. */
function isRenamed(go: GoContext, path: string): boolean {
  if (upstreamFolder(go, path) !== undefined) return true;
  return go.symbols.some((rule) => rule.foreign === true && rule.package === path);
}

/** Upstream paths that lines name, with their places in the fork where those differ. */
async function namedPaths(view: PickView, lines: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const paths = new Map<string, string>();
  const seen = new Set<string>();
  for (const line of lines)
    for (const { path } of findPaths(line)) {
      if (seen.has(path)) continue;
      seen.add(path);
      const place = await namedPlace(view, path);
      if (place !== undefined && place !== path) paths.set(path, place);
    }
  return paths;
}

const mostNeighbours = 14;
const largestNeighbour = 120_000;

/** Whether the fork's copies have taken up nearly every word that the rules would rename. */
function isRenamedText(view: PickView, studies: readonly FileStudy[]): boolean {
  const { words } = view.shop;
  let renamed = 0;
  let left = 0;
  for (const { lines } of studies)
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
  return renamed > 0 && left * 10 <= renamed;
}

async function studyNeighbours(view: PickView, from: string): Promise<readonly FileStudy[]> {
  const kind = fileKind(from);
  const studies: FileStudy[] = [];
  for (const sibling of await view.resolver.siblings(from)) {
    if (studies.length >= mostNeighbours) break;
    const study = await studyNeighbour(view, sibling.upstream, sibling.fork, kind === 'go' ? 'go' : 'text');
    if (study !== undefined) studies.push(study);
  }
  return studies;
}

/** Majority of what the fork's copies of the files next to a new one say, narrow contexts only. */
function askNeighbours(
  studies: readonly FileStudy[],
): (tokens: readonly string[], index: number) => string | undefined {
  return (tokens, index) => {
    const votes = new Map<string, number>();
    for (const study of studies) {
      const found = study.evidence.find(tokens, index, { from: 0, to: 3 });
      if (found !== undefined) votes.set(found.value, (votes.get(found.value) ?? 0) + 1);
    }
    const total = [...votes.values()].reduce((sum, count) => sum + count, 0);
    const [best] = [...votes].toSorted((left, right) => right[1] - left[1]);
    return best !== undefined && best[1] / total >= 0.6 ? best[0] : undefined;
  };
}

async function studyNeighbour(
  view: PickView,
  upstream: string,
  fork: string,
  fold: FoldKind,
): Promise<FileStudy | undefined> {
  const { objects, store } = view.shop;
  const forkPoint = await objects.commitIfHere(view.shop.pack.info.forkPoint);
  if (forkPoint === undefined) return undefined;
  const [before, now] = await Promise.all([
    objects.entry(forkPoint.tree, upstream),
    objects.entry(view.onto.tree, fork),
  ]);
  if (before === undefined || now === undefined || now.mode === fileMode.tree) return undefined;
  const [theirs, ours] = await Promise.all([objects.text(before.sha), objects.text(now.sha)]);
  if (theirs.length > largestNeighbour || theirs.includes('\0') || ours.includes('\0')) return undefined;
  return studyFile(
    view,
    `${fold} ${before.sha} ${now.sha} false`,
    store.split(theirs),
    store.split(ours),
    fold,
  );
}

async function namedPlace(view: PickView, path: string): Promise<string | undefined> {
  const { objects } = view.shop;
  const entry = await objects.entry(view.upstream.tree, path);
  if (entry?.mode === fileMode.tree) return view.resolver.folder(path);
  if (entry !== undefined)
    return (await view.resolver.existing(path)).path ?? (await view.resolver.fresh(path)).path;
  // A file that is made later, in a folder that is there: Makefiles and scripts name such.
  const folder = await objects.entry(view.upstream.tree, path.slice(0, path.lastIndexOf('/')));
  return folder?.mode === fileMode.tree ? (await view.resolver.fresh(path)).path : undefined;
}

/** Signs about words that name the project: nothing else is renamed on anybody's judgement. */
function choiceSigns(
  view: PickView,
  path: string,
  kind: FileKind,
  choices: readonly Choice[],
): readonly Sign[] {
  return choices.flatMap((choice): readonly Sign[] => {
    if (!view.shop.brand.inText(choice.upstream)) return [];
    const detail = `${choice.upstream} -> ${choice.fork}`;
    const name = wordSign(choice.origin);
    return [
      ...(name === undefined ? [] : [sign(path, name, detail)]),
      ...(kind === 'doc' && view.shop.brand.inText(choice.fork)
        ? [sign(path, 'word-left-in-doc', detail)]
        : []),
    ];
  });
}

function wordSign(origin: Choice['origin']): SignName | undefined {
  if (origin === 'rule' || origin === 'symbol') return 'word-by-rule';
  if (origin === 'kept') return 'word-kept';
  if (origin === 'memory' || origin === 'memory-word' || origin === 'file-word') return 'word-guessed';
  return undefined;
}

function differenceSigns(path: string, carried: Carried, study: FileStudy): readonly Sign[] {
  const { exact } = study.alignment;
  const differs = (from: number, to: number): boolean => {
    for (let line = Math.max(0, from); line < Math.min(exact.length, to); line += 1)
      if ((exact[line] ?? -1) < 0) return true;
    return false;
  };
  const signs: Sign[] = [];
  if (carried.edits.some((edit) => differs(edit.aStart, edit.aEnd)))
    signs.push(sign(path, 'line-differs', ''));
  if (carried.edits.some((edit) => differs(edit.aStart - 3, edit.aEnd + 3)))
    signs.push(sign(path, 'context-differs', ''));
  return signs;
}

function importSigns(
  path: string,
  fixed: {
    readonly changed: boolean;
    readonly unresolved: readonly string[];
    readonly guessed: readonly string[];
  },
): readonly Sign[] {
  return [
    ...(fixed.changed ? [sign(path, 'imports-changed', '')] : []),
    ...fixed.guessed.map((name) => sign(path, 'import-guessed', name)),
    ...fixed.unresolved.map((name) => sign(path, 'import-missing', name)),
  ];
}
