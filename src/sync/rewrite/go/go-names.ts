// Go names across the fork: where a package went, what a qualified name is called now, which import it needs.
import type { ImportRule, SymbolRule } from '../../rules/model.ts';
import type { GoIndex } from './go-index.ts';
import { defaultName, type ImportSpec, localName } from './scan-go.ts';

export interface GoContext {
  readonly fork: GoIndex;
  readonly upstream: GoIndex;
  readonly upstreamModules: readonly string[];
  readonly symbols: readonly SymbolRule[];
  readonly imports: readonly ImportRule[];
  /** Where the fork keeps an upstream package (both below their modules). */
  readonly folderOf: (folder: string) => string;
  /** Fork folders in which this very pick makes Go files. */
  readonly newFolders: ReadonlySet<string>;
}

/** The folder of an import below upstream's module, or undefined for somebody else's package. */
export function upstreamFolder(context: GoContext, path: string): string | undefined {
  for (const module of context.upstreamModules) {
    if (path === module) return '';
    if (path.startsWith(`${module}/`)) return path.slice(module.length + 1);
  }
  return undefined;
}

/** An import path of upstream's as the fork writes it. */
export function mapImport(context: GoContext, path: string): string {
  const folder = upstreamFolder(context, path);
  if (folder === undefined) return mapForeign(context, path);
  const mapped = context.folderOf(folder);
  const there = context.fork.packages.has(mapped) || context.newFolders.has(mapped);
  const place = !there && context.fork.packages.has(folder) ? folder : mapped;
  return place === '' ? context.fork.module : `${context.fork.module}/${place}`;
}

/** A package that the fork replaced, as long as the fork does not import the one that upstream has. */
function mapForeign(context: GoContext, path: string): string {
  const rule = context.imports.find(({ from }) => path === from || path.startsWith(`${from}/`));
  if (rule === undefined || context.fork.imports(path)) return path;
  return rule.to + path.slice(rule.from.length);
}

/** The folder of an import below the fork's module. */
export function forkFolder(context: GoContext, path: string): string | undefined {
  const prefix = `${context.fork.module}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : undefined;
}

/**
 * Says what a qualified name of an upstream file is called in a fork file. A rule counts only if the fork, as it
 * is now, declares what the rule says; without one, the packages that declare the name are searched.
 */
export function createSymbolFinder(
  context: GoContext,
  upstreamImports: readonly ImportSpec[],
  forkImports: readonly ImportSpec[],
): (name: string) => string | undefined {
  const folders = new Map<string, string>();
  const foreign = new Map<string, string>();
  for (const found of upstreamImports) {
    const folder = upstreamFolder(context, found.path);
    if (folder !== undefined) folders.set(localName(found), folder);
    else if (context.symbols.some((rule) => rule.foreign === true && rule.package === found.path))
      foreign.set(localName(found), found.path);
  }
  const inFile = new Map(forkImports.map((found) => [found.path, localName(found)]));
  const nameFor = (folder: string, alias?: string): string => {
    const path = folder === '' ? context.fork.module : `${context.fork.module}/${folder}`;
    return inFile.get(path) ?? context.fork.usualAlias(path) ?? alias ?? defaultName(path);
  };
  const done = new Map<string, string | undefined>();
  const find = (name: string): string | undefined => {
    const dot = name.indexOf('.');
    const qualifier = name.slice(0, dot);
    const symbol = name.slice(dot + 1);
    const folder = folders.get(qualifier);
    const path = foreign.get(qualifier);
    if (path !== undefined && !context.fork.imports(path)) return foreignName(context, path, symbol);
    if (folder === undefined) return undefined;
    const declares = (place: string, what: string): boolean =>
      context.fork.packages.get(place)?.exported.has(what) === true;
    const home = context.folderOf(folder);
    if (declares(home, symbol)) return `${nameFor(home)}.${symbol}`;
    for (const rule of context.symbols) {
      if (rule.foreign === true || rule.package !== folder) continue;
      const renamed = rule.renamed?.[symbol] ?? (rule.names?.includes(symbol) === true ? symbol : undefined);
      if (renamed !== undefined && declares(rule.to, renamed))
        return `${nameFor(rule.to, rule.alias)}.${renamed}`;
    }
    if (context.upstream.packages.get(folder)?.exported.has(symbol) !== true) return undefined;
    const place = bestPlace(context, folder, symbol);
    return place === undefined ? undefined : `${nameFor(place)}.${symbol}`;
  };
  return (name) => {
    if (!done.has(name)) done.set(name, find(name));
    return done.get(name);
  };
}

function foreignName(context: GoContext, path: string, symbol: string): string | undefined {
  for (const rule of context.symbols) {
    if (rule.foreign !== true || rule.package !== path) continue;
    const renamed = rule.renamed?.[symbol] ?? (rule.names?.includes(symbol) === true ? symbol : undefined);
    if (renamed !== undefined) return `${defaultName(rule.to)}.${renamed}`;
  }
  return undefined;
}

/** The package that most likely took over a name: one that rules already send this package's names to, then shared code. */
function bestPlace(context: GoContext, folder: string, symbol: string): string | undefined {
  // A name that another package of upstream has as well is that one's in its place.
  const others = new Set(
    [...context.upstream.packages.values()]
      .filter((found) => found.folder !== folder && found.exported.has(symbol))
      .map((found) => context.folderOf(found.folder)),
  );
  const holders = [...context.fork.packages.values()]
    .filter((found) => found.exported.has(symbol) && !found.folder.startsWith('test'))
    .map((found) => found.folder)
    .filter((place) => !others.has(place));
  if (holders.length < 2) return holders[0];
  const common = holders.filter((place) => place.startsWith('shared/') || place.startsWith('internal/'));
  const received = (place: string): number =>
    context.symbols
      .filter((rule) => rule.package === folder && rule.to === place)
      .reduce((sum, rule) => sum + (rule.names?.length ?? 0) + Object.keys(rule.renamed ?? {}).length, 0);
  const candidates = common.length > 0 ? common : holders;
  return candidates.toSorted((left, right) => received(right) - received(left) || (left < right ? -1 : 1))[0];
}
