// Recomputes a Go import block after a merge: imports follow from the names that the merged code uses.
import { forkFolder, type GoContext, mapImport, upstreamFolder } from './go-names.ts';
import { looseNames, splitFunctions } from './loose-names.ts';
import {
  codeOnly,
  defaultName,
  findImportBlock,
  type ImportSpec,
  localName,
  parseImports,
  parseSpec,
  usedQualifiers,
} from './scan-go.ts';

export interface FixedImports {
  readonly text: string;
  readonly changed: boolean;
  /** Qualifiers for which no package was found. */
  readonly unresolved: readonly string[];
  /** Added imports that nothing but a guess over the whole fork supports. */
  readonly guessed: readonly string[];
}

export interface ImportSources {
  /** The merged file, with the fork's import block in it. */
  readonly merged: string;
  /** The fork's file before; undefined for a new one. */
  readonly ours: string | undefined;
  readonly upstreamBase: string | undefined;
  readonly upstreamTheirs: string;
}

/** Gives the merged file the imports that it needs; what the fork imported and still uses is left as it stands. */
export function fixImports(sources: ImportSources, context: GoContext): FixedImports {
  const block = findImportBlock(sources.merged);
  if (block === undefined) return { text: sources.merged, changed: false, unresolved: [], guessed: [] };
  const present = block.lines.map(parseSpec).filter((spec) => spec !== undefined);
  const need = computeNeed(sources, block, present, context);
  if (need.drop.size === 0 && need.add.length === 0)
    return { text: sources.merged, changed: false, unresolved: need.unresolved, guessed: [] };
  const kept = block.lines.filter((line) => {
    const spec = parseSpec(line);
    return spec === undefined || !need.drop.has(spec.path);
  });
  let all: readonly string[] = kept;
  for (const spec of need.add) all = insertSpec(all, spec, context.fork.module);
  const lines = tidy(all);
  const before = sources.merged.slice(0, block.start);
  const after = sources.merged.slice(block.end);
  const text =
    lines.length === 0
      ? `${before.replace(/\n+$/, '')}\n\n${after.replace(/^\n+/, '')}`
      : `${before}import (\n${lines.join('\n')}\n)\n${after}`;
  return { text, changed: true, unresolved: need.unresolved, guessed: need.guessed };
}

interface Need {
  readonly drop: ReadonlySet<string>;
  readonly add: readonly ImportSpec[];
  readonly unresolved: readonly string[];
  readonly guessed: readonly string[];
}

function computeNeed(
  sources: ImportSources,
  block: { readonly start: number; readonly end: number },
  present: readonly ImportSpec[],
  context: GoContext,
): Need {
  const body = codeOnly(sources.merged.slice(0, block.start) + sources.merged.slice(block.end));
  const used = usedQualifiers(body);
  const usedBefore = usedQualifiers(sources.ours === undefined ? '' : codeOnly(withoutImports(sources.ours)));
  const theirs = parseImports(sources.upstreamTheirs);
  const base = sources.upstreamBase === undefined ? [] : parseImports(sources.upstreamBase);
  const key = (spec: ImportSpec): string => `${spec.alias ?? ''}\0${spec.path}`;
  const inBase = new Set(base.map(key));
  const inTheirs = new Set(theirs.map(key));
  const added = theirs.filter((spec) => !inBase.has(key(spec)));
  const addedNames = new Set(added.map(localName));
  const theirNames = new Map(theirs.map((spec) => [localName(spec), spec]));
  const removed = new Set(
    base.filter((spec) => !inTheirs.has(key(spec))).map((spec) => mapImport(context, spec.path)),
  );

  const drop = new Set<string>();
  for (const spec of present) {
    const name = localName(spec);
    if (name === '_' || name === '.') continue;
    const asked = used.get(name);
    // What upstream no longer imports may be the name of variables that are left.
    if (asked === undefined || (removed.has(spec.path) && !usesPackage(body, name))) {
      if (usedBefore.has(name) || removed.has(spec.path)) drop.add(spec.path);
      continue;
    }
    // Uses decide: an import goes only where another one serves them.
    const other = added.find((candidate) => localName(candidate) === name);
    if (removed.has(spec.path) && other !== undefined && serves(context, spec.path, other, asked))
      drop.add(spec.path);
  }
  const kept = present.filter((spec) => !drop.has(spec.path));
  const havePaths = new Set(kept.map((spec) => spec.path));
  const haveNames = new Set(kept.map(localName));
  const add: ImportSpec[] = [];
  for (const spec of added)
    if (spec.alias === '_') {
      const path = mapImport(context, spec.path);
      if (!havePaths.has(path)) add.push({ alias: '_', path });
    }
  const unresolved: string[] = [];
  const guessed: string[] = [];
  for (const name of [...used.keys()].sort()) {
    if (haveNames.has(name)) continue;
    const dropped = present.some((spec) => drop.has(spec.path) && localName(spec) === name);
    // The fork's code used this name without an import: it is a variable there.
    if (usedBefore.has(name) && !addedNames.has(name) && !dropped) continue;
    const asked = used.get(name) ?? new Set();
    const declared = isDeclared(body, name);
    const found = findImport(name, asked, theirNames.get(name), declared, context);
    if (found === undefined) {
      if (!declared) unresolved.push(name);
      continue;
    }
    if (add.some((spec) => spec.path === found.spec.path)) continue;
    // The fork imports it by another name already: Go takes both, and a person may not want that.
    const twice = havePaths.has(found.spec.path);
    if (twice && localName(found.spec) !== name) {
      unresolved.push(name);
      continue;
    }
    add.push(found.spec);
    if (found.guessed || twice) guessed.push(found.spec.path);
  }
  return { drop, add, unresolved, guessed };
}

/** Whether code uses a name as a package: outside of functions, in the head of one, or in one that does not declare it. */
function usesPackage(body: string, name: string): boolean {
  const use = new RegExp(`(?<![\\w.])${name}\\.[A-Z]`);
  let rest = body;
  for (const code of splitFunctions(body).values()) {
    if (!use.test(code)) continue;
    if (use.test(code.slice(0, code.indexOf('\n'))) || looseNames(code).has(name)) return true;
    rest = rest.replace(code, () => '');
  }
  return use.test(rest);
}

/** Whether upstream's new import, where the fork has it, is another package with all that is asked of the name. */
function serves(context: GoContext, present: string, other: ImportSpec, asked: ReadonlySet<string>): boolean {
  const path = mapImport(context, other.path);
  if (path === present) return false;
  const place = forkFolder(context, path);
  if (place === undefined || context.newFolders.has(place)) return true;
  const exported = context.fork.packages.get(place)?.exported;
  return exported !== undefined && [...asked].every((symbol) => exported.has(symbol));
}

function withoutImports(source: string): string {
  const block = findImportBlock(source);
  return block === undefined ? source : source.slice(0, block.start) + source.slice(block.end);
}

function findImport(
  name: string,
  asked: ReadonlySet<string>,
  theirs: ImportSpec | undefined,
  declared: boolean,
  context: GoContext,
): { readonly spec: ImportSpec; readonly guessed: boolean } | undefined {
  const folder = theirs === undefined ? undefined : upstreamFolder(context, theirs.path);
  if (theirs !== undefined && folder === undefined) {
    const path = mapImport(context, theirs.path);
    if (path === theirs.path) return { spec: theirs, guessed: false };
    return { spec: { alias: name === defaultName(path) ? undefined : name, path }, guessed: false };
  }
  const declares = (place: string | undefined): boolean => {
    if (place === undefined) return false;
    const exported = context.fork.packages.get(place)?.exported;
    return exported !== undefined && [...asked].every((symbol) => exported.has(symbol));
  };
  // Of a name that a variable has too (`revert := revert.New()`), some of what is asked are its methods.
  const declaresSome = (place: string | undefined): boolean => {
    const exported = place === undefined ? undefined : context.fork.packages.get(place)?.exported;
    return exported !== undefined && [...asked].some((symbol) => exported.has(symbol));
  };
  const spec = (path: string): ImportSpec => ({ alias: name === defaultName(path) ? undefined : name, path });
  if (theirs !== undefined && folder !== undefined) {
    const path = mapImport(context, theirs.path);
    const place = forkFolder(context, path);
    const fresh = place !== undefined && context.newFolders.has(place);
    if (declares(place) || fresh) {
      const alias = theirs.alias !== undefined && theirs.alias === name ? theirs.alias : undefined;
      return { spec: { alias: alias ?? spec(path).alias, path }, guessed: false };
    }
  }
  const options = [...context.fork.importPathsFor(name)].filter(
    ([path]) => theirs === undefined || forkFolder(context, path) !== undefined,
  );
  // A package of the standard library that nothing else is called by in the whole fork is no guess.
  const isOnly = (path: string): boolean =>
    options.length === 1 && groupOf(path, context.fork.module) === 'standard';
  const best = options.toSorted(
    (left, right) =>
      Number(declares(forkFolder(context, right[0]))) - Number(declares(forkFolder(context, left[0]))) ||
      right[1] - left[1],
  )[0];
  if (best !== undefined && (theirs !== undefined || !declared)) {
    const place = forkFolder(context, best[0]);
    const isKnown = declares(place) || (declared && options.length === 1 && declaresSome(place));
    return { spec: spec(best[0]), guessed: !isOnly(best[0]) && !isKnown };
  }
  if (theirs !== undefined)
    return { spec: { alias: theirs.alias, path: mapImport(context, theirs.path) }, guessed: true };
  if (declared) return undefined;
  const place = [...context.fork.packages.keys()].find(
    (candidate) => defaultName(candidate) === name && declares(candidate),
  );
  return place === undefined ? undefined : { spec: spec(`${context.fork.module}/${place}`), guessed: true };
}

/** Whether code declares a name itself: a variable, a parameter, a receiver or a range. */
export function isDeclared(code: string, name: string): boolean {
  return new RegExp(
    `\\b${name}\\b[ \\t]*(?:,[^=\\n]*)?:=|\\bvar ${name}\\b|[(,][ \\t]*${name}(?:,[^)\\n]*)? [*\\[\\]\\w.]+[ \\t]*[,)]|range ${name}\\b|, ${name} :=`,
  ).test(code);
}

function groupOf(path: string, module: string): 'standard' | 'foreign' | 'own' {
  if (path === module || path.startsWith(`${module}/`)) return 'own';
  return (path.split('/')[0] ?? '').includes('.') ? 'foreign' : 'standard';
}

/** Inserts in path order into the group that the import belongs to, making the group where it is not there. */
function insertSpec(lines: readonly string[], spec: ImportSpec, module: string): readonly string[] {
  const group = groupOf(spec.path, module);
  const line = `\t${spec.alias === undefined ? '' : `${spec.alias} `}"${spec.path}"`;
  let place: number | undefined;
  for (const [index, other] of lines.entries()) {
    const path = parseSpec(other)?.path;
    if (path === undefined || groupOf(path, module) !== group) continue;
    if (path < spec.path) place = index + 1;
    else place ??= index;
  }
  if (place !== undefined) return lines.toSpliced(place, 0, line);
  if (group === 'standard') return [line, '', ...lines];
  if (group === 'own') return [...lines, '', line];
  const afterStandard = lines.findLastIndex((other) => {
    const path = parseSpec(other)?.path;
    return path !== undefined && groupOf(path, module) === 'standard';
  });
  return lines.toSpliced(afterStandard + 1, 0, '', line, '');
}

function tidy(lines: readonly string[]): readonly string[] {
  const out: string[] = [];
  for (const line of lines) if (line !== '' || (out.length > 0 && out.at(-1) !== '')) out.push(line);
  while (out.at(-1) === '') out.pop();
  return out;
}
