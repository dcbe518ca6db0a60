// Carries changes of a Go file that the fork took apart: each declaration is merged where the fork keeps it now.
import { fileMode } from '../git/tree.ts';
import { mergeLines } from '../merge/merge-lines.ts';
import { alignLines } from '../rewrite/align.ts';
import { createEvidence } from '../rewrite/evidence.ts';
import { fixImports } from '../rewrite/go/fix-imports.ts';
import { createSymbolFinder, type GoContext, upstreamFolder } from '../rewrite/go/go-names.ts';
import {
  localName,
  parseImports,
  splitDeclarations,
  withImportBlock,
  withoutMadeBlock,
} from '../rewrite/go/scan-go.ts';
import { similarity } from '../rewrite/similarity.ts';
import { tokenize } from '../rewrite/tokens.ts';
import { createTranslator } from '../rewrite/translate.ts';
import { checkFunctions } from './check-go.ts';
import type { FileChange } from './file-change.ts';
import type { FileOutcome, Progress } from './pick-files.ts';
import type { PickView } from './pick-view.ts';

/** Below this a declaration of the same name is another one. */
const alikeEnough = 0.55;

interface Plan {
  readonly path: string;
  readonly names: readonly string[];
  /** The new declarations whose place follows from their neighbours upstream alone. */
  readonly guessed: readonly string[];
}

/** Outcomes for every fork file that takes part, or undefined where one declaration has no place. */
export async function relocateDeclarations(
  view: PickView,
  change: FileChange,
  progress: Progress,
): Promise<readonly FileOutcome[] | undefined> {
  if (!change.path.endsWith('.go') || change.before === undefined || change.after === undefined)
    return undefined;
  const { objects } = view.shop;
  const [baseText, theirText] = await Promise.all([
    objects.text(change.before.sha),
    objects.text(change.after.sha),
  ]);
  const base = splitDeclarations(baseText);
  const theirs = splitDeclarations(theirText);
  const changed = [...new Set([...base.keys(), ...theirs.keys()])].filter(
    (name) => base.get(name) !== theirs.get(name),
  );
  if (changed.length === 0) return undefined;
  const sources = { base, theirs, baseText, theirText };
  const textOf = reader(view, progress);
  const go = await view.go();
  const plans = await planDeclarations(view, go, change.path, { base, theirs }, changed, textOf);
  return plans === undefined ? undefined : carryPlans(view, go, change, plans, sources, textOf);
}

/** Functions that many files have: one of the same name elsewhere is another one. */
const manifold = new Set(['init', 'main', 'TestMain']);

export interface MovedOut {
  readonly outcomes: readonly FileOutcome[];
  /** Upstream's text without its changes of what moved out. */
  readonly theirText: string;
}

/**
 * The same for single functions that the fork moved out of a file that is still there: each is merged where it is now,
 * if it is the same one.
 */
export async function relocateMovedOut(
  view: PickView,
  change: FileChange,
  path: string,
  texts: { readonly base: string; readonly theirs: string; readonly ours: string },
  progress: Progress,
): Promise<MovedOut | undefined> {
  const [base, theirs, ours] = [texts.base, texts.theirs, texts.ours].map(splitDeclarations);
  if (base === undefined || theirs === undefined || ours === undefined) return undefined;
  const gone = [...base.keys()].filter(
    (name) =>
      theirs.has(name) && theirs.get(name) !== base.get(name) && !ours.has(name) && !manifold.has(name),
  );
  if (gone.length === 0) return undefined;
  const go = await view.go();
  const textOf = reader(view, progress);
  const sources = { base, theirs, baseText: texts.base, theirText: texts.theirs };
  let theirText = texts.theirs;
  const outcomes: FileOutcome[] = [];
  for (const name of gone) {
    const [plan] = (await planDeclarations(view, go, change.path, { base, theirs }, [name], textOf)) ?? [];
    if (plan === undefined || plan.path === path) continue;
    const carried = await carryPlans(
      view,
      go,
      change,
      [plan],
      sources,
      reader(view, new Map([...progress, ...edits(outcomes)])),
    );
    if (carried === undefined) continue;
    outcomes.push(...carried);
    theirText = theirText.replace(theirs.get(name) ?? '', () => base.get(name) ?? '');
  }
  // Several functions can have gone to one file: the last outcome of it holds all of them.
  const last = new Map(outcomes.map((outcome) => [outcome.path, outcome]));
  const signs = (file: string) =>
    outcomes.filter((outcome) => outcome.path === file).flatMap((one) => one.signs);
  const added = (file: string) =>
    outcomes.filter((outcome) => outcome.path === file).flatMap((one) => one.added ?? []);
  return outcomes.length === 0
    ? undefined
    : {
        theirText,
        outcomes: [...last.values()].map((one) => ({
          ...one,
          signs: signs(one.path),
          added: added(one.path),
        })),
      };
}

function edits(outcomes: readonly FileOutcome[]): Progress {
  const made: Progress = new Map();
  for (const { path, edit } of outcomes) if (edit !== undefined && edit !== 'delete') made.set(path, edit);
  return made;
}

type TextOf = (path: string) => Promise<string | undefined>;

/** Reads the fork's files as this pick has left them so far. */
function reader(view: PickView, progress: Progress): TextOf {
  const { objects } = view.shop;
  const texts = new Map<string, string>();
  return async (path) => {
    const known = texts.get(path);
    if (known !== undefined) return known;
    const entry = progress.get(path) ?? (await objects.entry(view.onto.tree, path));
    if (entry === undefined) return undefined;
    const text = await objects.text(entry.sha);
    texts.set(path, text);
    return text;
  };
}

async function carryPlans(
  view: PickView,
  go: GoContext,
  change: FileChange,
  plans: readonly Plan[],
  sources: Omit<Sources, 'ours'>,
  textOf: TextOf,
): Promise<readonly FileOutcome[] | undefined> {
  const { objects } = view.shop;
  const outcomes: FileOutcome[] = [];
  for (const plan of plans) {
    const ours = await textOf(plan.path);
    if (ours === undefined) return undefined;
    const text = mergeDeclarations(view, go, change.path, plan, { ...sources, ours });
    if (text === undefined) return undefined;
    const entry = await objects.entry(view.onto.tree, plan.path);
    const sha = view.shop.writer.put('blob', Buffer.from(text, 'latin1'));
    outcomes.push({
      path: plan.path,
      from: change.path,
      how: 'merged',
      edit: { mode: entry?.mode ?? change.after?.mode ?? fileMode.file, sha },
      signs: [
        { path: plan.path, name: 'relocated', detail: plan.names.join(', ') },
        ...(plan.guessed.length === 0
          ? []
          : [{ path: plan.path, name: 'place-guessed', detail: plan.guessed.join(', ') } as const]),
        ...checkFunctions({
          path: plan.path,
          from: change.path,
          theirs: sources.theirText,
          merged: text,
          ours,
          go,
          declared: await view.declared(),
        }),
      ],
      added: addedTo(sources.base, sources.theirs, plan.names),
    });
  }
  return outcomes;
}

/** Lines that upstream added to declarations. */
function addedTo(
  base: ReadonlyMap<string, string>,
  theirs: ReadonlyMap<string, string>,
  names: readonly string[],
): readonly string[] {
  return names.flatMap((name) => {
    const before = new Set(base.get(name)?.split('\n'));
    return (theirs.get(name) ?? '').split('\n').filter((line) => !before.has(line));
  });
}

async function planDeclarations(
  view: PickView,
  go: GoContext,
  path: string,
  { base, theirs }: Pick<Sources, 'base' | 'theirs'>,
  changed: readonly string[],
  textOf: TextOf,
): Promise<readonly Plan[] | undefined> {
  const before = view.memory
    .learned(path)
    .filter((place) => !place.made && place.fork.endsWith('.go'))
    .map((place) => place.fork);
  const byPath = new Map<string, string[]>();
  const homeless: string[] = [];
  for (const name of changed) {
    const old = base.get(name);
    if (old === undefined) {
      homeless.push(name);
      continue;
    }
    const home = await homeOf(view, go, name, old, before, textOf);
    if (home === undefined) return undefined;
    byPath.set(home, [...(byPath.get(home) ?? []), name]);
  }
  const guessed: string[] = [];
  if (homeless.length > 0) {
    // What is new goes where the rest of the change goes, or where the last change of this file went, or to its neighbour.
    const [first, ...more] = byPath.size > 0 ? [...byPath.keys()] : before.slice(-1);
    if (more.length > 0) return undefined;
    const home = first ?? (await homeOfNeighbour(view, go, { base, theirs }, homeless[0] ?? '', textOf));
    if (home === undefined) return undefined;
    if (first === undefined) guessed.push(...homeless);
    byPath.set(home, [...(byPath.get(home) ?? []), ...homeless]);
  }
  return [...byPath].map(([place, names]) => ({ path: place, names, guessed }));
}

/** The fork's file that has a declaration which is much like upstream's. */
async function homeOf(
  view: PickView,
  go: GoContext,
  name: string,
  text: string,
  others: readonly string[],
  textOf: TextOf,
): Promise<string | undefined> {
  const candidates = new Set([...go.fork.functionPlaces(name).map((place) => place.path), ...others]);
  let best: { readonly path: string; readonly score: number } | undefined;
  for (const candidate of candidates) {
    const found = splitDeclarations((await textOf(candidate)) ?? '').get(name);
    if (found === undefined) continue;
    const score = similarity(foldTokens(view, text), foldTokens(view, found));
    if (score > (best?.score ?? alikeEnough)) best = { path: candidate, score };
  }
  return best?.path;
}

/** Where the nearest declaration is that stands before a new one upstream, or else after it. */
async function homeOfNeighbour(
  view: PickView,
  go: GoContext,
  { base, theirs }: Pick<Sources, 'base' | 'theirs'>,
  name: string,
  textOf: TextOf,
): Promise<string | undefined> {
  const names = [...theirs.keys()];
  const at = names.indexOf(name);
  for (const neighbour of [...names.slice(0, at).toReversed(), ...names.slice(at + 1)]) {
    const text = base.get(neighbour);
    if (text === undefined || manifold.has(neighbour)) continue;
    const home = await homeOf(view, go, neighbour, text, [], textOf);
    if (home !== undefined) return home;
  }
  return undefined;
}

function foldTokens(view: PickView, text: string): readonly string[] {
  const folded = text
    .split('\n')
    .map((line) => view.shop.brand.foldLine(line, 'go'))
    .join('\n');
  return tokenize(folded).slice(0, 3000);
}

interface Sources {
  readonly base: ReadonlyMap<string, string>;
  readonly theirs: ReadonlyMap<string, string>;
  readonly baseText: string;
  readonly theirText: string;
  readonly ours: string;
}

function mergeDeclarations(
  view: PickView,
  go: GoContext,
  from: string,
  plan: Plan,
  sources: Sources,
): string | undefined {
  const { store, brand, words } = view.shop;
  const theirImports = parseImports(sources.theirText);
  const evidence = createEvidence(brand);
  const baseLines = store.split(sources.baseText);
  const ourLines = store.split(sources.ours);
  const alignment = alignLines(store, baseLines, ourLines, 'go');
  for (const [line, forkLine] of alignment.exact.entries())
    if (forkLine >= 0) evidence.learn(store.line(baseLines[line] ?? 0), store.line(ourLines[forkLine] ?? 0));
  const translator = createTranslator({
    path: from,
    kind: 'go',
    brand,
    words,
    file: { evidence, lines: new Map() },
    neighbours: undefined,
    memory: view.memory.view('go'),
    renamed: false,
    symbol: createSymbolFinder(go, theirImports, parseImports(sources.ours)),
    qualifiers: new Set(
      theirImports.filter((spec) => upstreamFolder(go, spec.path) !== undefined).map(localName),
    ),
    paths: new Map(),
    name: view.shop.pack.info.upstream.name,
  });
  const carry = (text: string): string =>
    text
      .split('\n')
      .map((line) => translator.translate(line).text)
      .join('\n');
  const here = splitDeclarations(sources.ours);
  let text = sources.ours;
  for (const name of plan.names) {
    const old = sources.base.get(name);
    const next = sources.theirs.get(name);
    const present = here.get(name);
    if (old === undefined) {
      if (next !== undefined) text = `${text.replace(/\n+$/, '')}\n\n${carry(next)}\n`;
      continue;
    }
    if (present === undefined) return undefined;
    if (next === undefined) {
      text = text.replace(`${present}\n`, () => '');
      continue;
    }
    const merged = mergeLines(
      store,
      store.split(carry(old)),
      store.split(present),
      store.split(carry(next)),
      {
        driver: 'text',
        go: true,
      },
    );
    if (merged.open.length > 0) return undefined;
    text = text.replace(present, () => store.join(merged.lines));
  }
  const fixed = fixImports(
    {
      merged: withImportBlock(text) ?? text,
      ours: withImportBlock(sources.ours) ?? sources.ours,
      upstreamBase: sources.baseText,
      upstreamTheirs: sources.theirText,
    },
    go,
  );
  return withoutMadeBlock(fixed.text, sources.ours);
}
