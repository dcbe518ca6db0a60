// Merges one text file of an upstream commit into the fork's copy, or makes the fork's version of a new file.

import { findAddedTwice } from '../merge/added-twice.ts';
import type { Sequence } from '../merge/diff-sequences.ts';
import { mergeLines, type OpenHunk } from '../merge/merge-lines.ts';
import type { HunkDriver } from '../merge/resolve-hunk.ts';
import { carryFile } from '../rewrite/carry.ts';
import { type FileKind, fileKind } from '../rewrite/file-kind.ts';
import { fixImports } from '../rewrite/go/fix-imports.ts';
import { type GoContext, upstreamFolder } from '../rewrite/go/go-names.ts';
import {
  defaultName,
  findImportBlock,
  hashWord,
  localName,
  parseImports,
  parseSpec,
  withImportBlock,
  withoutMadeBlock,
} from '../rewrite/go/scan-go.ts';
import type { FoldKind, LineStore } from '../rewrite/line-store.ts';
import type { Choice } from '../rewrite/translate.ts';
import { findUnbalanced } from './check-balance.ts';
import { checkGo } from './check-go.ts';
import { changedCommandList } from './command-lists.ts';
import { isDeletedAnew } from './deleted-anew.ts';
import { droppedMark } from './dropped-mark.ts';
import { fallenTogether } from './fallen-together.ts';
import { type Absent, findAbsent, isLeftOut, isStillToCome } from './left-out.ts';
import { lostChanges } from './lost-changes.ts';
import { openTranslator, rememberPhrases, unplacedPaths } from './open-translator.ts';
import { padTables } from './pad-tables.ts';
import type { FileStudy, PickView } from './pick-view.ts';
import { renamedAway } from './renamed-away.ts';
import { renameThroughout } from './renamed-throughout.ts';
import type { Sign } from './sign.ts';
import { studyFile, unsureSpelling } from './study-file.ts';
import { choiceSigns, differenceSigns, importSigns, newFileSign, sign } from './text-signs.ts';
import { tidyGo } from './tidy-go.ts';

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
  /** It is made from other files, and its words follow theirs. */
  readonly generated?: boolean;
}

export interface MergedText {
  readonly text: string;
  readonly open: readonly OpenHunk[];
  readonly signs: readonly Sign[];
  /** Upstream's own lines that were added or changed, and what they became (for the checks that come after). */
  readonly added: readonly string[];
  /** Changes that were left out without proof that the fork has no place for them. */
  readonly lost?: readonly OpenHunk[];
  /** All sides in the fork's words, where hunks are open or lost. */
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
    path: sides.path,
    study,
    go,
    theirs: sides.theirs.text,
    ours: sides.ours.text,
    lines: added,
  });
  const standard = kind === 'go' ? standardPackages(sides) : new Set<string>();
  const carried = carryFile(store, { base, theirs }, ours, study.alignment, translator, {
    kind: fold,
    isStandard: (qualifier) => standard.has(qualifier),
  });
  const twice = findAddedTwice(
    store,
    { base: carried.base, ours, theirs: carried.theirs },
    {
      kind,
      driver: sides.driver,
      ...(go === undefined ? {} : { declaredElsewhere: await namesElsewhere(view, go, sides.path) }),
    },
  );
  const merge = (deletedByFork: boolean) =>
    mergeLines(
      store,
      carried.base,
      ours,
      carried.theirs,
      {
        driver: sides.driver,
        entries: sides.entries ?? [],
        go: kind === 'go',
        deletedByFork,
      },
      twice,
    );
  const first = merge(false);
  const absent = first.open.length === 0 ? undefined : await findAbsent(view, sides.from);
  const merged =
    absent === undefined || isStillToCome(view, sides.from, absent, first.open) ? first : merge(true);
  const settled = absent === undefined ? undefined : await keepOurs(view, sides, absent, merged.open);
  const isMoved = isDeletedAnew(store, merged.overruled, carried.theirs, carried.edits);
  // Open hunks keep the fork's text.
  const open = settled === undefined ? merged.open : [];
  const signs: Sign[] = [
    ...(settled === undefined ? [] : [settled]),
    ...merged.settled.map((how) =>
      sign(sides.path, how === 'upstream-deleted' && !isMoved ? 'deleted-whole' : how, ''),
    ),
    ...(carried.overlaid ? [sign(sides.path, 'overlaid', '')] : []),
    ...choiceSigns(view, sides.path, kind, carried.choices, study, sides.generated === true),
    ...differenceSigns(sides.path, carried, study),
  ];
  signs.push(...(await placeSigns(view, sides.from, sides.path, added)));
  const unsure = spelling(kind, study, added);
  if (unsure !== undefined) signs.push(sign(sides.path, 'spelling-unsure', unsure));
  const listed = kind === 'go' ? undefined : await changedCommandList(view, sides.theirs.text, added);
  if (listed !== undefined) signs.push(sign(sides.path, 'command-list', listed));
  if (kind === 'go') rememberPhrases(view, theirs, carried.theirs, new Set(added));
  let text = withoutLooseEnd(store.join(merged.lines), sides);
  if (kind === 'go' && open.length === 0) {
    const through = renameThroughout(store, carried, text, packagesOf(sides.ours.text));
    text = through.text;
    signs.push(...through.renamed.map((detail) => sign(sides.path, 'renamed-throughout', detail)));
  }
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
  if (go !== undefined && open.length === 0) {
    const tidy = tidyGo(sides.path, {
      merged: text,
      ours: files.ours.text,
      theirs: sides.theirs.text,
      go,
      declared: await view.declared(),
    });
    text = tidy.text;
    signs.push(
      ...tidy.signs,
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
  }
  const lost =
    open.length > 0 ? [] : lostChanges(store, merged.leftOut, { lines: ours, alignment: study.alignment });
  if (kind === 'doc' && open.length === 0) text = padTables(text, files.ours.text);
  if (open.length === 0) signs.push(...shapeSigns(sides.path, files, text));
  if (open.length === 0 && lost.length === 0) return { text, open, signs, added };
  const whole = (lines: Sequence | readonly number[]): string =>
    cut ? store.join(lines).replace('import (\n)\n', () => importsOf(sides.ours.text)) : store.join(lines);
  const openSides = {
    base: whole(carried.base),
    theirs: whole(carried.theirs),
    marked: whole(merged.marked),
  };
  return { text, open, signs, added, lost, sides: openSides };
}

/** The names by which the sides import packages of Go's own: those whose path does not begin with a host. */
function standardPackages(sides: TextSides): ReadonlySet<string> {
  const specs = [sides.base, sides.ours, sides.theirs].flatMap(({ text }) => parseImports(text));
  return new Set(
    specs
      .filter(({ path }) => !(path.split('/')[0] ?? '').includes('.'))
      .map(({ alias, path }) => alias ?? defaultName(path)),
  );
}

/** Signs for what the merge left without its other half, or twice in a list. */
function shapeSigns(path: string, files: TextSides, merged: string): readonly Sign[] {
  const [base, theirs, ours] = [files.base.text, files.theirs.text, files.ours.text];
  const unbalanced = findUnbalanced(path, { base, theirs, ours, merged });
  const twice = fallenTogether({ ours, theirs, merged });
  return [
    ...(unbalanced === undefined ? [] : [sign(path, 'unbalanced', unbalanced)]),
    ...(twice === undefined ? [] : [sign(path, 'names-fell-together', twice)]),
  ];
}

/** What the other files of a file's package declare, and go on to declare after this commit. */
async function namesElsewhere(
  view: PickView,
  go: GoContext,
  path: string,
): Promise<(name: string) => boolean> {
  const home = go.fork.packages.get(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
  const others = (home?.files ?? []).filter((file) => file.path !== path && isBuiltWith(file.path, path));
  const gone = await view.undeclared();
  return (name) => {
    if (gone.has(name)) return false;
    const hash = hashWord(name);
    return others.some(({ facts }) =>
      name.includes('.')
        ? facts.functions.some((found) => found.name === name)
        : facts.declared.includes(hash),
    );
  };
}

/** Files for other systems declare the same names again, and so do those with a build tag, as their names say. */
function isBuiltWith(one: string, other: string): boolean {
  const variant = (path: string): string =>
    /_(linux|windows|darwin|freebsd|unix|other|default|stub|nocgo|cgo|amd64|arm64|test)\.go$/.exec(
      path,
    )?.[1] ?? '';
  return variant(one) === '' && variant(other) === '';
}

/** Why the fork's text stands in all hunks that are open, where it does. */
async function keepOurs(
  view: PickView,
  sides: TextSides,
  absent: Absent,
  hunks: readonly OpenHunk[],
): Promise<Sign | undefined> {
  if (hunks.length === 0) return undefined;
  if (absent.by !== undefined && isLeftOut(view, sides.from, absent, hunks))
    return sign(sides.path, 'left-out', `${absent.by.rule}: ${absent.by.sha}`);
  const renamed = await renamedAway(view, hunks);
  return renamed === undefined
    ? undefined
    : sign(sides.path, 'renamed-away', `${renamed.from} -> ${renamed.to}`);
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
    path,
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
  if (go === undefined || block === undefined) {
    const text = translate(theirs);
    return {
      text,
      open: [],
      signs: [
        sign(path, newFileSign(view, kind, theirs, choices), ''),
        ...choiceSigns(view, path, kind, choices),
        ...twiceSigns(path, theirs, text),
        ...(await placeSigns(view, from, path, lines)),
      ],
      added: lines,
    };
  }
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
      sign(path, newFileSign(view, kind, theirs, choices), ''),
      ...choiceSigns(view, path, kind, choices),
      ...importSigns(path, fixed),
      ...twiceSigns(path, theirs, fixed.text),
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

/** What the fork's file spells otherwise as a rule, and these lines of upstream's as upstream does. */
function spelling(kind: FileKind, study: FileStudy, added: readonly string[]): string | undefined {
  if (kind === 'go') return undefined;
  if (kind !== 'doc') return unsureSpelling(study, added);
  const mark = droppedMark(study, added);
  return mark === undefined ? undefined : `${mark} before a word -> none`;
}

/** Signs for paths that nobody can place; what pages name is prose as often as not. */
async function placeSigns(
  view: PickView,
  from: string,
  path: string,
  lines: readonly string[],
): Promise<readonly Sign[]> {
  const kind = fileKind(from);
  if (kind === 'go' || kind === 'doc') return [];
  return (await unplacedPaths(view, from, lines)).map((named) => sign(path, 'place-unknown', named));
}

function twiceSigns(path: string, theirs: string, merged: string): readonly Sign[] {
  const twice = fallenTogether({ ours: '', theirs, merged });
  return twice === undefined ? [] : [sign(path, 'names-fell-together', twice)];
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

function packagesOf(text: string): ReadonlySet<string> {
  return new Set(parseImports(text).map(localName));
}

function importsOf(text: string): string {
  const block = findImportBlock(text);
  return block === undefined ? '' : text.slice(block.start, block.end);
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

function addedLines(view: PickView, base: Sequence, theirs: Sequence): readonly string[] {
  const before = new Set(base);
  return Array.from(theirs)
    .filter((line) => !before.has(line))
    .map((line) => view.shop.store.line(line));
}
