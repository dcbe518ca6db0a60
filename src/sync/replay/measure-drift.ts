// Compares the whole fork with upstream's fork point put into the fork's words: what do rules not explain?
import type { Engine } from '../pick/open-engine.ts';
import { openPickView, type PickView } from '../pick/pick-view.ts';
import { alignLines } from '../rewrite/align.ts';
import { substitutions } from '../rewrite/evidence.ts';
import { fileKind } from '../rewrite/file-kind.ts';
import { createSymbolFinder, forkFolder, upstreamFolder } from '../rewrite/go/go-names.ts';
import { type ImportSpec, localName, parseImports } from '../rewrite/go/scan-go.ts';
import { isWord, tokenize } from '../rewrite/tokens.ts';
import { createTranslator, type Translator } from '../rewrite/translate.ts';

export interface DriftedFile {
  readonly upstream: string;
  /** Undefined: the fork does not have it. */
  readonly fork: string | undefined;
  /** Lines that are not equal after the rules; 0 is identical. */
  readonly lines: number;
}

/** A word of upstream's for which the fork has another spelling than the rules would write. */
export interface Unexplained {
  readonly upstream: string;
  readonly rules: string;
  readonly fork: string;
  readonly count: number;
  readonly files: readonly string[];
  /** How often the rules are right about this word. */
  readonly right: number;
  /** For a qualified Go name on both sides: the packages, each below its module. */
  readonly packages?: { readonly upstream: string; readonly fork: string };
}

export interface Drift {
  readonly files: readonly DriftedFile[];
  readonly identical: number;
  readonly differing: number;
  readonly gone: number;
  /** Most files first. */
  readonly unexplained: readonly Unexplained[];
}

/** Measures one fork commit. Nothing but rules decides here: neither the fork's own text nor earlier imports. */
export async function measureDrift(engine: Engine, tip: string): Promise<Drift> {
  const { pack, objects } = engine;
  const shop = await engine.workshop([{ upstream: pack.info.forkPoint, onto: tip }]);
  const [base, fork] = await Promise.all([objects.commit(pack.info.forkPoint), objects.commit(tip)]);
  const view = await openPickView(shop, base, base, fork, [], 'tree');
  const visible = shop.fork.visibleFrom(tip);
  const files: DriftedFile[] = [];
  const counter = createCounter();
  for (const { path, after } of await objects.compare(undefined, base.tree)) {
    if (after === undefined || after.mode !== '100644') continue;
    const place = shop.forkMoves.follow(path, visible);
    const entry = await objects.entry(fork.tree, place.path);
    if (entry === undefined) {
      files.push({ upstream: path, fork: undefined, lines: 0 });
      continue;
    }
    const [theirs, ours] = await Promise.all([objects.text(after.sha), objects.text(entry.sha)]);
    if (theirs.includes('\0')) continue;
    const { translator, packages } = await translateByRules(view, path, theirs, ours);
    const left = shop.store.split(theirs);
    const right = shop.store.split(ours);
    const alignment = alignLines(shop.store, left, right, fileKind(path) === 'go' ? 'go' : 'text');
    let lines = alignment.exact.filter((two, one) => two < 0 && !alignment.alike.has(one)).length;
    const look = (one: number, two: number): void => {
      const [before, now] = [shop.store.line(left[one] ?? 0), shop.store.line(right[two] ?? 0)];
      const ruled = translator.translateWords(before).text;
      if (ruled !== now) lines += 1;
      counter.add(path, before, ruled, now, packages);
    };
    for (const [one, two] of alignment.exact.entries()) if (two >= 0) look(one, two);
    for (const [one, two] of alignment.alike) look(one, two);
    files.push({ upstream: path, fork: place.path, lines });
  }
  return {
    files,
    identical: files.filter((file) => file.fork !== undefined && file.lines === 0).length,
    differing: files.filter((file) => file.lines > 0).length,
    gone: files.filter((file) => file.fork === undefined).length,
    unexplained: counter.list(),
  };
}

async function translateByRules(
  view: PickView,
  path: string,
  theirs: string,
  ours: string,
): Promise<{ readonly translator: Translator; readonly packages: Packages }> {
  const { shop } = view;
  const kind = fileKind(path);
  const go = kind === 'go' ? await view.go() : undefined;
  const imports = go === undefined ? [] : parseImports(theirs);
  const translator = createTranslator({
    path,
    kind,
    brand: shop.brand,
    words: shop.words,
    file: undefined,
    neighbours: undefined,
    memory: undefined,
    renamed: true,
    symbol: go === undefined ? undefined : createSymbolFinder(go, imports, parseImports(ours)),
    qualifiers: new Set(
      go === undefined
        ? []
        : imports.filter((spec) => upstreamFolder(go, spec.path) !== undefined).map(localName),
    ),
    paths: new Map(),
    name: shop.pack.info.upstream.name,
  });
  const foldersOf = (specs: readonly ImportSpec[], folder: (path: string) => string | undefined) =>
    new Map(
      specs.flatMap((spec): [string, string][] => {
        const found = folder(spec.path);
        return found === undefined ? [] : [[localName(spec), found]];
      }),
    );
  const packages = {
    upstream: foldersOf(imports, (name) => (go === undefined ? undefined : upstreamFolder(go, name))),
    fork: foldersOf(parseImports(ours), (name) => (go === undefined ? undefined : forkFolder(go, name))),
  };
  return { translator, packages };
}

/** Folders of the project's own packages by the names that a file uses them under. */
interface Packages {
  readonly upstream: ReadonlyMap<string, string>;
  readonly fork: ReadonlyMap<string, string>;
}

function packagesOf(upstream: string, fork: string, packages: Packages): Pick<Unexplained, 'packages'> {
  const theirs = packages.upstream.get(upstream.split('.')[0] ?? '');
  const ours = packages.fork.get(fork.split('.')[0] ?? '');
  if (!upstream.includes('.') || !fork.includes('.') || theirs === undefined || ours === undefined) return {};
  return { packages: { upstream: theirs, fork: ours } };
}

interface Counter {
  add(path: string, upstream: string, ruled: string, fork: string, packages: Packages): void;
  list(): readonly Unexplained[];
}

/** Counts, for each word of upstream's, how often the fork has what the rules write and what else it has. */
function createCounter(): Counter {
  const right = new Map<string, number>();
  const wrong = new Map<
    string,
    Omit<Unexplained, 'count' | 'files' | 'right'> & { count: number; files: Set<string> }
  >();
  return {
    add(path, upstream, ruled, fork, packages) {
      if (upstream === ruled && upstream === fork) return;
      const tokens = tokenize(upstream);
      const written = new Map(
        substitutions(tokens, tokenize(ruled)).map(([index, , after]) => [index, after]),
      );
      for (const [index, before, now] of substitutions(tokens, tokenize(fork))) {
        const rules = written.get(index) ?? before;
        if (!isWord(before) || (rules === now && rules === before)) continue;
        if (rules === now) {
          right.set(before, (right.get(before) ?? 0) + 1);
          continue;
        }
        const key = `${before}\0${rules}\0${now}`;
        const known = wrong.get(key) ?? {
          upstream: before,
          rules,
          fork: now,
          count: 0,
          files: new Set(),
          ...packagesOf(before, now, packages),
        };
        known.count += 1;
        known.files.add(path);
        wrong.set(key, known);
      }
    },
    list: () =>
      [...wrong.values()]
        .map((one) => ({ ...one, files: [...one.files], right: right.get(one.upstream) ?? 0 }))
        .toSorted((left, right) => right.files.length - left.files.length || right.count - left.count),
  };
}
