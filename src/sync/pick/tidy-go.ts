// What a maintainer mends in merged Go without a thought, because the compiler or gofmt would ask for it.

import { forkFolder, type GoContext } from '../rewrite/go/go-names.ts';
import { argumentList, codeOnly, localName, parseImports } from '../rewrite/go/scan-go.ts';
import { isWord, tokenize } from '../rewrite/tokens.ts';
import { functionsOf } from './check-go.ts';
import type { Sign } from './sign.ts';

export interface LooseGo {
  readonly merged: string;
  /** The fork's file before. */
  readonly ours: string;
  /** Upstream's file after. */
  readonly theirs: string;
  readonly go: GoContext;
  /** Names that this very pick declares somewhere. */
  readonly declared: ReadonlySet<string>;
}

export interface TidyGo {
  readonly text: string;
  readonly signs: readonly Sign[];
}

/** The merged file with names restored, arguments cut and keys spaced. Nothing in a comment or a string is touched. */
export function tidyGo(path: string, file: LooseGo): TidyGo {
  const before = new Set(file.ours.split('\n'));
  const lines = file.merged.split('\n');
  const code = codeOnly(file.merged).split('\n');
  const signs: Sign[] = [
    ...restoreNames(file, lines, before).map((detail) => ({ path, name: 'name-restored', detail }) as const),
    ...cutArguments(file, lines, code, before).map(
      (detail) => ({ path, name: 'arguments-cut', detail }) as const,
    ),
  ];
  spaceLoneKeys(file, lines, code);
  return { text: lines.join('\n'), signs };
}

const blankName = /(?:^|[\s,])_(?:,| :?= )/;

/**
 * The fork had no use for a result and calls it `_`; upstream's new code uses it by the name that it has there. The name
 * comes back where the rest of the line is the same.
 */
function restoreNames(file: LooseGo, lines: string[], before: ReadonlySet<string>): readonly string[] {
  const restored: string[] = [];
  const here = new Set(lines);
  const others = file.theirs
    .split('\n')
    .filter((line) => line.includes('=') && !before.has(line) && !here.has(line));
  if (others.length === 0) return restored;
  for (const [index, line] of lines.entries()) {
    if (!blankName.test(line) || !before.has(line)) continue;
    for (const other of others) {
      const name = nameForBlank(line, other);
      if (name === undefined || !isUsedOnlyBehind(lines, index, name)) continue;
      lines[index] = other;
      restored.push(name);
      break;
    }
  }
  return restored;
}

/** The name that one line has where the other has `_`, if that is all they differ in. */
function nameForBlank(line: string, other: string): string | undefined {
  // What stands in front of the first `_` stands there in both.
  if (!other.startsWith(line.slice(0, line.indexOf('_')))) return undefined;
  const [one, two] = [tokenize(line), tokenize(other)];
  if (one.length !== two.length) return undefined;
  let name: string | undefined;
  for (const [at, token] of one.entries()) {
    const there = two[at] ?? '';
    if (token === there) continue;
    if (name !== undefined || token !== '_' || !isWord(there)) return undefined;
    name = there;
  }
  return name;
}

/** Whether the function around a line has a name behind it and not before it. */
function isUsedOnlyBehind(lines: readonly string[], index: number, name: string): boolean {
  const word = new RegExp(`(?<![\\w.])${name}\\b`);
  const start = lines.findLastIndex((line, at) => at <= index && line.startsWith('func '));
  const end = lines.findIndex((line, at) => at > index && line === '}');
  if (start < 0 || end < 0) return false;
  const code = (from: number, to: number): string => codeOnly(lines.slice(from, to).join('\n'));
  return !word.test(code(start, index)) && word.test(code(index + 1, end));
}

const callPattern = /(?<![\w.])(?:([A-Za-z_]\w*)\.)?([A-Za-z_]\w*)\(/g;

/**
 * A function of which the fork took the last parameters away is called without them. Only functions of the fork's own
 * packages, by the name of the import: a method, or somebody else's function, may be another of that name.
 */
function cutArguments(
  file: LooseGo,
  lines: string[],
  code: readonly string[],
  before: ReadonlySet<string>,
): readonly string[] {
  const cuts: string[] = [];
  const imported = new Map<string, string>();
  for (const spec of parseImports(file.merged)) {
    const folder = forkFolder(file.go, spec.path);
    if (folder !== undefined) imported.set(localName(spec), folder);
  }
  for (const [index, line] of lines.entries()) {
    if (before.has(line)) continue;
    const plain = code[index] ?? '';
    for (const match of plain.matchAll(callPattern)) {
      const [whole, qualifier = '', name = ''] = match;
      const folder = imported.get(qualifier);
      if (folder === undefined || file.declared.has(name)) continue;
      const open = match.index + whole.length - 1;
      const list = argumentList(plain, open);
      if (list === undefined || list.text.includes('...')) continue;
      const taken = parametersInFork(file.go, folder, name);
      if (taken === undefined || taken < 1 || taken >= list.count) continue;
      if (!file.go.upstream.callables(name).some((found) => found.parameters === list.count)) continue;
      const cut = endOfArgument(plain, open, taken);
      lines[index] = `${line.slice(0, cut)}${line.slice(list.end - 1)}`;
      cuts.push(`${qualifier}.${name}(${list.count}) -> ${name}(${taken})`);
      break;
    }
  }
  return cuts;
}

/** How many parameters a function of a package has in the fork; undefined where there is none, or several differ. */
function parametersInFork(go: GoContext, folder: string, name: string): number | undefined {
  const [first, ...more] = functionsOf(go, folder, name);
  if (first === undefined || first.variadic) return undefined;
  return more.every((found) => !found.variadic && found.parameters === first.parameters)
    ? first.parameters
    : undefined;
}

/** Where the argument of this number (from 1) ends. */
function endOfArgument(code: string, open: number, number: number): number {
  let depth = 0;
  let count = 0;
  for (let at = open; at < code.length; at += 1) {
    const character = code[at] ?? '';
    if ('([{'.includes(character)) depth += 1;
    else if (')]}'.includes(character)) depth -= 1;
    else if (character === ',' && depth === 1) {
      count += 1;
      if (count === number) return at;
    }
  }
  return code.length;
}

const keyed = /^(\t+(?:"[^"]*"|[A-Za-z_][\w.]*):)( +)(?=\S)/;

/** gofmt lines values up with those of the lines above and below; a line that has lost its neighbours has one blank. */
function spaceLoneKeys(file: LooseGo, lines: string[], code: readonly string[]): void {
  const place = (of: readonly string[], at: number): string =>
    of.slice(Math.max(0, at - 1), at + 2).join('\n');
  for (const [index, line] of lines.entries()) {
    const match = keyed.exec(line);
    if (match === null || (match[2]?.length ?? 0) < 2) continue;
    // In a string of several lines, blanks are what somebody wrote.
    if (code[index]?.charAt((match[1]?.length ?? 0) - 1) !== ':') continue;
    if (keyed.test(lines[index - 1] ?? '') || keyed.test(lines[index + 1] ?? '')) continue;
    if (file.ours.includes(place(lines, index))) continue;
    lines[index] = `${match[1]} ${line.slice(match[0].length)}`;
  }
}
