// Where an upstream file is in the fork: what imports taught, where the fork moved it, and the pack's path rules.
import type { Visible } from '../git/history.ts';
import type { Objects } from '../git/objects.ts';
import { fileMode } from '../git/tree.ts';
import type { NameRule, PathRule } from '../rules/model.ts';
import type { RenameHistory } from '../scan/rename-history.ts';

export interface PathPlace {
  readonly path: string;
  readonly how: 'learned' | 'moved' | 'rule' | 'same' | 'sibling' | 'name';
  /** The path rule that placed it. */
  readonly rule: string | undefined;
}

export interface PathLoss {
  readonly path: undefined;
  /** The fork commit that deleted the file, where one did. */
  readonly deletedBy: string | undefined;
}

export interface LearnedPlace {
  readonly upstream: string;
  readonly fork: string;
  /** Place of the import in the fork's history. */
  readonly order: number;
  readonly made: boolean;
}

export interface PathContext {
  readonly objects: Objects;
  readonly forkTree: string;
  /** Names of the files in a folder at the fork point. */
  readonly forkPointNames: (folder: string) => readonly string[];
  readonly forkVisible: Visible;
  readonly upstreamVisible: Visible;
  readonly forkMoves: RenameHistory;
  readonly upstreamMoves: RenameHistory;
  /** Places that imports visible to this pick gave to an upstream path, oldest first. */
  readonly learned: (path: string) => readonly LearnedPlace[];
  /** Places that visible imports gave to files made in an upstream folder. */
  readonly learnedIn: (folder: string) => readonly LearnedPlace[];
  readonly paths: readonly PathRule[];
  readonly names: readonly NameRule[];
}

export interface PathResolver {
  /** The fork's file for an upstream file that was there before. */
  existing(path: string): Promise<PathPlace | PathLoss>;
  /** Where a file that upstream made should be made. */
  fresh(path: string): Promise<PathPlace>;
  /** Files of the same kind next to an upstream path, with their places in the fork. */
  siblings(path: string): Promise<readonly Sibling[]>;
  /** Where the fork keeps an upstream folder. */
  folder(path: string): Promise<string>;
  /** The same by what the folder's files did alone, without a look at the fork's tree. */
  folderByFiles(path: string): string | undefined;
}

export function createPathResolver(context: PathContext): PathResolver {
  const folders = new Map<string, Promise<string>>();
  const families = new Map<string, readonly Sibling[]>();
  const fileThere = async (path: string): Promise<boolean> => {
    const entry = await context.objects.entry(context.forkTree, path);
    return entry !== undefined && entry.mode !== fileMode.tree;
  };
  const folderThere = async (path: string): Promise<boolean> =>
    path === '' || (await context.objects.entry(context.forkTree, path))?.mode === fileMode.tree;
  const latestLearned = async (path: string, made: boolean): Promise<string | undefined> => {
    for (const place of context.learned(path).toReversed()) {
      if (place.made !== made) continue;
      const now = context.forkMoves.follow(place.fork, context.forkVisible, place.order);
      if (await fileThere(now.path)) return now.path;
    }
    return undefined;
  };
  const familyOf = (path: string): readonly Sibling[] => {
    const known = families.get(path);
    if (known !== undefined) return known;
    const made = findSiblings(context, path);
    families.set(path, made);
    return made;
  };
  const folder = (path: string): Promise<string> => {
    const known = folders.get(path);
    if (known !== undefined) return known;
    const made = findFolder(context, path, familyOf(path), folderThere);
    folders.set(path, made);
    return made;
  };

  return {
    folder,
    folderByFiles: (path) => majorityFolder(path, familyOf(path)),
    async siblings(path) {
      const extension = path.slice(path.lastIndexOf('.'));
      const family = familyOf(folderOf(path));
      return family.filter((sibling) => sibling.upstream !== path && sibling.upstream.endsWith(extension));
    },
    async existing(path) {
      const origin = context.upstreamMoves.origin(path, context.upstreamVisible);
      const learned = (await latestLearned(path, true)) ?? (await latestLearned(origin, true));
      if (learned !== undefined) return { path: learned, how: 'learned', rule: undefined };
      const now = context.forkMoves.follow(origin, context.forkVisible);
      if (await fileThere(now.path))
        return { path: now.path, how: now.path === path ? 'same' : 'moved', rule: undefined };
      for (const candidate of [path, origin]) {
        for (const found of ruleCandidates(context, candidate)) if (await fileThere(found.path)) return found;
      }
      const changed = path.endsWith('.go') ? undefined : await latestLearned(path, false);
      if (changed !== undefined) return { path: changed, how: 'learned', rule: undefined };
      const inFolder = `${joinPath(await folder(folderOf(path)), nameOf(path))}`;
      for (const found of [inFolder, renameName(context, inFolder)])
        if (await fileThere(found)) return { path: found, how: 'sibling', rule: undefined };
      return { path: undefined, deletedBy: now.deletedBy };
    },
    async fresh(path) {
      const learned = await latestLearned(path, true);
      if (learned !== undefined) return { path: learned, how: 'learned', rule: undefined };
      const exact = context.paths.find((rule) => rule.from === path);
      if (exact !== undefined) return { path: exact.to, how: 'rule', rule: exact.id };
      const target = joinPath(await folder(folderOf(path)), nameOf(path));
      const named = stemName(path, renameName(context, target), familyOf(folderOf(path)));
      return { path: named, how: named === path ? 'same' : 'sibling', rule: undefined };
    },
  };
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function joinPath(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

/** The brand in a file name, as the name rules rewrite it. */
function renameName(context: PathContext, path: string): string {
  const name = context.names.reduce((text, rule) => text.replaceAll(rule.from, rule.to), nameOf(path));
  return joinPath(folderOf(path), name);
}

/**
 * A new file named after one that the fork renamed gets the new stem: next to `devlxd.go` → `dev_incus.go`,
 * `devlxd_metadata.go` becomes `dev_incus_metadata.go`.
 */
function stemName(upstream: string, target: string, family: readonly Sibling[]): string {
  const stemOf = (path: string): string => nameOf(path).replace(/\.[^.]*$/, '');
  const name = nameOf(upstream);
  let best: readonly [string, string] | undefined;
  for (const sibling of family) {
    const [from, to] = [stemOf(sibling.upstream), stemOf(sibling.fork)];
    if (from !== to && name.startsWith(from) && from.length > (best?.[0].length ?? 0)) best = [from, to];
  }
  return best === undefined ? target : joinPath(folderOf(target), best[1] + name.slice(best[0].length));
}

function ruleCandidates(context: PathContext, path: string): readonly PathPlace[] {
  const out: PathPlace[] = [];
  const add = (candidate: string, rule: string | undefined): void => {
    out.push({ path: candidate, how: 'rule', rule });
    const renamed = renameName(context, candidate);
    if (renamed !== candidate) out.push({ path: renamed, how: 'name', rule });
  };
  for (const rule of context.paths) {
    if (rule.from === path) add(rule.to, rule.id);
    else if (rule.from.endsWith('/') && path.startsWith(rule.from))
      add(rule.to + path.slice(rule.from.length), rule.id);
  }
  add(path, undefined);
  return out;
}

export interface Sibling {
  readonly upstream: string;
  readonly fork: string;
}

/** The files that an upstream folder had at the fork point, or got by imports, and where they are now. */
function findSiblings(context: PathContext, path: string): readonly Sibling[] {
  const family: Sibling[] = [];
  for (const name of context.forkPointNames(path)) {
    const upstream = joinPath(path, name);
    const now = context.forkMoves.follow(upstream, context.forkVisible);
    if (now.deletedBy === undefined) family.push({ upstream, fork: now.path });
  }
  if (family.length > 0) return family;
  return context.learnedIn(path).map((place) => ({
    upstream: place.upstream,
    fork: context.forkMoves.follow(place.fork, context.forkVisible, place.order).path,
  }));
}

/**
 * Files of one folder stay together: where most of what was in it is now. A folder that was split up has no one
 * place, and what is new in it stays where upstream made it.
 */
function majorityFolder(path: string, family: readonly Sibling[]): string | undefined {
  const votes = new Map<string, number>();
  for (const sibling of family) {
    const home = folderOf(sibling.fork);
    votes.set(home, (votes.get(home) ?? 0) + 1);
  }
  const [best] = [...votes].sort((left, right) => right[1] - left[1]);
  if (best === undefined) return undefined;
  return best[1] / family.length > 0.5 ? best[0] : path;
}

async function findFolder(
  context: PathContext,
  path: string,
  family: readonly Sibling[],
  there: (folder: string) => Promise<boolean>,
): Promise<string> {
  const majority = majorityFolder(path, family);
  if (majority !== undefined) return majority;
  for (const found of ruleCandidates(context, `${path}/`)) {
    const folder = found.path.replace(/\/$/, '');
    if (found.rule !== undefined && (await there(folderOf(folder)))) return folder;
  }
  return path;
}
