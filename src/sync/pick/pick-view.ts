// All that one pick may look at: the fork up to `--onto`, upstream up to the commit, and nothing beyond.

import type { Verdict } from '../gate/licence-gate.ts';
import type { Commit } from '../git/commit.ts';
import type { History } from '../git/history.ts';
import type { Lru } from '../git/lru.ts';
import type { ObjectWriter } from '../git/object-writer.ts';
import type { Objects } from '../git/objects.ts';
import type { GoSources } from '../go/go-sources.ts';
import type { Alignment } from '../rewrite/align.ts';
import type { Brand } from '../rewrite/brand.ts';
import type { Evidence } from '../rewrite/evidence.ts';
import type { GoIndex, GoIndexer } from '../rewrite/go/go-index.ts';
import type { GoContext } from '../rewrite/go/go-names.ts';
import { type GoFunction, splitDeclarations } from '../rewrite/go/scan-go.ts';
import type { LineStore } from '../rewrite/line-store.ts';
import { createPathResolver, type PathResolver } from '../rewrite/resolve-path.ts';
import type { Successor } from '../rewrite/translate.ts';
import { activeRules, hasLimitedRules } from '../rules/active-rules.ts';
import type { RulePack } from '../rules/model.ts';
import { compileWords, type WordMatcher } from '../rules/words.ts';
import type { Lesson } from '../scan/lessons.ts';
import type { Memory, VisibleMemory } from '../scan/memory.ts';
import type { RenameHistory } from '../scan/rename-history.ts';
import type { FileChange } from './file-change.ts';

/** Lines of the fork's copy of a page with a word that the rules would rename: where it was, and where it was not. */
export interface RenamedLines {
  readonly renamed: number;
  readonly left: number;
}

/** What all picks of one run share. */
export interface Workshop {
  readonly pack: RulePack;
  readonly objects: Objects;
  readonly writer: ObjectWriter;
  readonly store: LineStore;
  readonly brand: Brand;
  readonly words: WordMatcher;
  readonly indexer: GoIndexer;
  /** What Go files declare, for the checks of what a pick made. */
  readonly goSources: GoSources;
  /** The licence gate's verdict. */
  readonly judge: (commit: Commit) => Promise<Verdict>;
  /** What an import teaches; undefined where its objects are not all here. */
  readonly learnFrom: (upstream: Commit, fork: Commit) => Promise<Lesson | undefined>;
  /** Upstream commits whose files nobody may look at. */
  readonly closed: ReadonlySet<string>;
  readonly fork: History;
  readonly upstream: History;
  readonly forkMoves: RenameHistory;
  readonly upstreamMoves: RenameHistory;
  readonly memory: Memory;
  /** Files of each folder at the fork point. */
  readonly forkPointNames: ReadonlyMap<string, readonly string[]>;
  /** What a fork file shows about an upstream file; keyed by the two blobs. */
  readonly studies: Lru<string, FileStudy>;
  /** What took the place of functions that the fork deleted, by the commit that did. */
  readonly successors: Map<string, Promise<Successor | undefined>>;
  /** Whether the fork's documentation has been renamed throughout, by tree. */
  readonly renamedTrees: Lru<string, Promise<boolean>>;
  /** What pages of the fork say of that, by their blobs; undefined for those that say nothing. */
  readonly renamedPages: Map<string, RenamedLines | undefined>;
}

/** An upstream file next to the fork's copy of it. */
export interface FileStudy {
  readonly alignment: Alignment;
  readonly evidence: Evidence;
  readonly lines: ReadonlyMap<string, string | undefined>;
  /** How the fork's copy spells words in its own way, by word and what follows it. */
  readonly spellings: ReadonlyMap<string, string>;
  /** Words that it spells so in several places, and as upstream does in others. */
  readonly unsure: ReadonlyMap<string, string>;
}

export interface PickView {
  readonly shop: Workshop;
  readonly upstream: Commit;
  readonly upstreamBefore: Commit | undefined;
  readonly onto: Commit;
  readonly changes: readonly FileChange[];
  /** Which of upstream's files may be read. */
  readonly scope: 'tree' | readonly string[];
  readonly resolver: PathResolver;
  readonly memory: VisibleMemory;
  /** Sentences that this very pick has brought over already, in code, and that documentation repeats. */
  readonly phrases: Map<string, string>;
  readonly go: () => Promise<GoContext>;
  /** Names that the commit's Go files declare once it is in. */
  readonly declared: () => Promise<ReadonlySet<string>>;
  /** Names that the commit's Go files declared before it and no longer do: `Type.Method` for methods. */
  readonly undeclared: () => Promise<ReadonlySet<string>>;
  /** The upstream tree before the commit, or an empty one. */
  readonly upstreamIndex: () => Promise<GoIndex>;
}

/** The shop with the rules that hold for one upstream commit. */
function shopFor(whole: Workshop, upstream: string): Workshop {
  if (!hasLimitedRules(whole.pack)) return whole;
  const visible = whole.upstream.visibleFrom(upstream);
  return withPack(
    whole,
    activeRules(whole.pack, (sha) => visible[whole.upstream.indexOf.get(sha) ?? -1] === 1),
  );
}

/** The shop with other rules; what it learned from earlier imports stays as it is. */
export function withPack(shop: Workshop, pack: RulePack): Workshop {
  return { ...shop, pack, words: compileWords(pack.words, pack.protected) };
}

/** Opens the view of one pick. */
export async function openPickView(
  whole: Workshop,
  upstream: Commit,
  upstreamBefore: Commit | undefined,
  onto: Commit,
  changes: readonly FileChange[],
  scope: 'tree' | readonly string[],
): Promise<PickView> {
  const shop = shopFor(whole, upstream.sha);
  const forkVisible = shop.fork.visibleFrom(onto.sha);
  const upstreamVisible = shop.upstream.visibleFrom(upstream.sha);
  const memory = shop.memory.asSeenBy(forkVisible, upstreamVisible);
  const resolver = createPathResolver({
    objects: shop.objects,
    forkTree: onto.tree,
    forkPointNames: (folder) => shop.forkPointNames.get(folder) ?? [],
    forkVisible,
    upstreamVisible: shop.upstream.visibleFrom(upstreamBefore?.sha ?? ''),
    forkMoves: shop.forkMoves,
    upstreamMoves: shop.upstreamMoves,
    learned: memory.learned,
    learnedIn: memory.learnedIn,
    paths: shop.pack.paths,
    names: shop.pack.names,
  });
  let go: Promise<GoContext> | undefined;
  let declared: Promise<ReadonlySet<string>> | undefined;
  let undeclared: Promise<ReadonlySet<string>> | undefined;
  const touched = new Set(changes.flatMap((change) => [change.path, change.toPath]));
  const mayRead = (path: string): boolean =>
    touched.has(path) || (scope !== 'tree' && scope.some((folder) => path.startsWith(`${folder}/`)));
  const upstreamIndex = (): Promise<GoIndex> =>
    shop.indexer.index((upstreamBefore ?? upstream).tree, scope === 'tree' ? undefined : mayRead);
  const openGo = async (): Promise<GoContext> => {
    const [fork, upstreamGo] = await Promise.all([shop.indexer.index(onto.tree), upstreamIndex()]);
    const newFolders = new Set<string>();
    for (const change of changes)
      if ((change.kind === 'made' || change.kind === 'moved') && change.toPath.endsWith('.go')) {
        const { path } = await resolver.fresh(change.toPath);
        newFolders.add(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
      }
    // Folders without a file to go by are few; the rules and the tree say where those are.
    const others = new Map<string, string>();
    const changed = changes.map((change) =>
      change.toPath.slice(0, Math.max(0, change.toPath.lastIndexOf('/'))),
    );
    for (const folder of new Set([...upstreamGo.packages.keys(), ...changed]))
      if (!shop.forkPointNames.has(folder) && resolver.folderByFiles(folder) === undefined)
        others.set(folder, await resolver.folder(folder));
    return {
      fork,
      upstream: upstreamGo,
      upstreamModules: shop.pack.info.upstream.modules,
      symbols: shop.pack.symbols,
      imports: shop.pack.imports,
      folderOf: (folder) => others.get(folder) ?? resolver.folderByFiles(folder) ?? folder,
      newFolders,
    };
  };
  return {
    shop,
    upstream,
    upstreamBefore,
    onto,
    changes,
    scope,
    resolver,
    memory,
    phrases: new Map(),
    go: () => {
      go ??= openGo();
      return go;
    },
    declared: () => {
      declared ??= declaredNames(shop, changes);
      return declared;
    },
    undeclared: () => {
      undeclared ??= undeclaredNames(shop, changes);
      return undeclared;
    },
    upstreamIndex,
  };
}

/** What some file of the commit declared before and does not any more: the fork's own declaration goes with it. */
async function undeclaredNames(shop: Workshop, changes: readonly FileChange[]): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for (const { before, after, path, toPath } of changes) {
    if (before === undefined || !path.endsWith('.go')) continue;
    const old = splitDeclarations(await shop.objects.text(before.sha));
    const now =
      after === undefined || path !== toPath
        ? new Map<string, string>()
        : splitDeclarations(await shop.objects.text(after.sha));
    for (const name of old.keys()) if (!now.has(name)) names.add(name);
  }
  return names;
}

/** What is declared after the commit and was not before: nothing that the fork could lack. */
async function declaredNames(shop: Workshop, changes: readonly FileChange[]): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for (const change of changes) {
    if (!change.toPath.endsWith('.go') || change.after === undefined) continue;
    const after = await shop.indexer.file(change.after.sha);
    const before = change.before === undefined ? undefined : await shop.indexer.file(change.before.sha);
    const known = new Set([...(before?.exported ?? []), ...(before?.functions ?? []).map(functionKey)]);
    for (const name of after.exported) if (!known.has(name)) names.add(name);
    for (const found of after.functions) {
      if (known.has(functionKey(found))) continue;
      names.add(found.name.slice(found.name.indexOf('.') + 1));
    }
  }
  return names;
}

/** A function whose parameters changed counts as a new one. */
function functionKey(found: GoFunction): string {
  return `${found.name}(${found.parameters}${found.variadic ? '+' : ''})`;
}
