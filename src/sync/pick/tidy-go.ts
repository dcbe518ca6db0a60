// What a maintainer mends in merged Go without a thought, because the compiler or gofmt would ask for it.

import type { GoContext } from '../rewrite/go/go-names.ts';
import { argumentList, codeOnly } from '../rewrite/go/scan-go.ts';
import { isWord, tokenize } from '../rewrite/tokens.ts';

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

/** The merged file with names restored, arguments cut and keys spaced, each where only one answer compiles or is formatted. */
export function tidyGo(file: LooseGo): string {
  const before = new Set(file.ours.split('\n'));
  const lines = file.merged.split('\n');
  restoreNames(file, lines, before);
  cutArguments(file, lines, before);
  spaceLoneKeys(file, lines);
  return lines.join('\n');
}

const blankName = /(?:^|[\s,])_(?:,| :?= )/;

/**
 * The fork had no use for a result and calls it `_`; upstream's new code uses it by the name that it has there. The name
 * comes back where the rest of the line is the same.
 */
function restoreNames(file: LooseGo, lines: string[], before: ReadonlySet<string>): void {
  const here = new Set(lines);
  const others = file.theirs.split('\n').filter((line) => line.includes('=') && !before.has(line));
  if (others.length === 0) return;
  for (const [index, line] of lines.entries()) {
    if (!blankName.test(line) || !before.has(line)) continue;
    for (const other of others) {
      const name = here.has(other) ? undefined : nameForBlank(line, other);
      if (name === undefined || !isUsedOnlyBehind(lines, index, name)) continue;
      lines[index] = other;
      break;
    }
  }
}

/** The name that one line has where the other has `_`, if that is all they differ in. */
function nameForBlank(line: string, other: string): string | undefined {
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

const callPattern = /(?<![\w"])([A-Za-z_]\w*)\(/g;

/** A function of which the fork took the last parameters away is called without them. */
function cutArguments(file: LooseGo, lines: string[], before: ReadonlySet<string>): void {
  for (const [index, line] of lines.entries()) {
    if (before.has(line) || /^\s*(?:\/\/|func )/.test(line)) continue;
    for (const match of line.matchAll(callPattern)) {
      const name = match[1] ?? '';
      if (file.declared.has(name)) continue;
      const open = match.index + match[0].length - 1;
      const list = argumentList(codeOnly(line), open);
      if (list === undefined || list.text.includes('...')) continue;
      const taken = parametersInFork(file.go, name);
      if (taken === undefined || taken < 1 || taken >= list.count) continue;
      if (!file.go.upstream.callables(name).some((found) => found.parameters === list.count)) continue;
      const cut = endOfArgument(codeOnly(line), open, taken);
      lines[index] = `${line.slice(0, cut)}${line.slice(list.end - 1)}`;
      break;
    }
  }
}

/** How many parameters all functions of a name have in the fork; undefined where they differ. */
function parametersInFork(go: GoContext, name: string): number | undefined {
  const [first, ...more] = go.fork.callables(name);
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
function spaceLoneKeys(file: LooseGo, lines: string[]): void {
  const place = (of: readonly string[], at: number): string =>
    of.slice(Math.max(0, at - 1), at + 2).join('\n');
  for (const [index, line] of lines.entries()) {
    const match = keyed.exec(line);
    if (match === null || (match[2]?.length ?? 0) < 2) continue;
    if (keyed.test(lines[index - 1] ?? '') || keyed.test(lines[index + 1] ?? '')) continue;
    if (file.ours.includes(place(lines, index))) continue;
    lines[index] = `${match[1]} ${line.slice(match[0].length)}`;
  }
}
