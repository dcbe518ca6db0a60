// Looks at the Go lines that a pick adds as a compiler would first: are their names known, do their calls fit?
import type { Edit } from '../merge/diff-sequences.ts';
import { isDeclared } from '../rewrite/go/fix-imports.ts';
import type { GoContext } from '../rewrite/go/go-names.ts';
import {
  isBalanced,
  looseNames,
  remadeNames,
  splitFunctions,
  unusedNames,
} from '../rewrite/go/loose-names.ts';
import {
  argumentList,
  codeOnly,
  type GoFunction,
  hashWord,
  localName,
  parseImports,
} from '../rewrite/go/scan-go.ts';
import type { Sign } from './sign.ts';

/** A merged file and what it came from. */
export interface MergedGo {
  readonly path: string;
  /** Upstream's path. */
  readonly from: string;
  readonly theirs: string;
  /** The merged file with its imports. */
  readonly merged: string;
  /** The fork's file before; undefined for a new one. */
  readonly ours: string | undefined;
  readonly go: GoContext;
  /** Names that this very pick declares somewhere. */
  readonly declared: ReadonlySet<string>;
}

export interface GoCheck extends MergedGo {
  /** The lines of upstream's text that the commit added or changed. */
  readonly edits: readonly Edit[];
  /** What the added lines became, by line of `theirs`. */
  readonly carried: (line: number) => string;
}

const builtIn = new Set(
  (
    'break case chan const continue default defer else fallthrough for func go goto if import interface map package ' +
    'range return select struct switch type var append cap clear close complex copy delete imag len make max min new ' +
    'panic print println real recover bool byte comparable complex64 complex128 error float32 float64 int int8 int16 ' +
    'int32 int64 rune string uint uint8 uint16 uint32 uint64 uintptr true false iota nil any'
  ).split(' '),
);

/** Signs for added lines that use what upstream has and the fork does not. */
export function checkGo(check: GoCheck): readonly Sign[] {
  const added = addedCode(check);
  const mergedCode = codeOnly(check.merged);
  return [
    ...unknownNames(check, added, mergedCode),
    ...wrongCalls(check),
    ...unknownExports(check, added, mergedCode),
    ...checkFunctions(check, mergedCode),
  ];
}

/** What no compiler would take in the functions that came out changed: open names, unused ones, a bracket missing. */
export function checkFunctions(check: MergedGo, mergedCode = codeOnly(check.merged)): readonly Sign[] {
  const theirCode = codeOnly(check.theirs);
  const signs: Sign[] = [];
  if (!isBalanced(mergedCode) && isBalanced(theirCode))
    signs.push({ path: check.path, name: 'not-go', detail: 'brackets' });
  const ours = splitFunctions(check.ours === undefined ? '' : codeOnly(check.ours));
  const theirs = splitFunctions(theirCode);
  const folder = check.path.slice(0, Math.max(0, check.path.lastIndexOf('/')));
  const home = check.go.fork.packages.get(folder);
  const upstreamHome = check.go.upstream.packages.get(
    check.from.slice(0, Math.max(0, check.from.lastIndexOf('/'))),
  );
  const specs = parseImports(check.merged);
  const imports = new Set(specs.map(localName));
  const prefix = `${check.go.fork.module}/`;
  const own = new Map<string, string>();
  for (const spec of specs)
    if (spec.path.startsWith(prefix)) own.set(localName(spec), spec.path.slice(prefix.length));
  if (imports.has('.')) return signs;
  const seen = new Set<string>();
  for (const [name, code] of splitFunctions(mergedCode)) {
    const before = ours.get(name);
    if (before === code) continue;
    const upstream = theirs.get(name);
    const knownLoose = looseNames(before ?? '');
    for (const word of looseNames(code)) {
      if (seen.has(word) || builtIn.has(word) || imports.has(word)) continue;
      // What was open before is nearly always a limit of this reading; not where upstream's package has the name.
      if (knownLoose.has(word) && upstreamHome?.declares(hashWord(word)) !== true) continue;
      if (check.declared.has(word) || home?.declares(hashWord(word)) === true) continue;
      if (upstream !== undefined && looseNames(upstream).has(word) && !isUpstreams(check, word)) continue;
      seen.add(word);
      signs.push({ path: check.path, name: 'name-unknown', detail: word });
    }
    signs.push(...wrongPackageCalls(check, folder, own, code, before ?? ''));
    const knownRemade = new Set([...remadeNames(before ?? ''), ...remadeNames(upstream ?? '')]);
    for (const word of remadeNames(code))
      if (!knownRemade.has(word))
        signs.push({ path: check.path, name: 'not-go', detail: `${word} is made twice in one block` });
    const knownUnused = new Set([...unusedNames(before ?? ''), ...unusedNames(upstream ?? '')]);
    for (const word of unusedNames(code))
      if (!knownUnused.has(word))
        signs.push({ path: check.path, name: 'not-go', detail: `${word} is not used` });
  }
  return signs;
}

const packageCall = /(?<![\w.])(?<!func )(?:([A-Za-z_]\w*)\.)?([A-Za-z_]\w*)\(/g;

/** New calls of functions that the fork declares in this package or an imported one, with other parameters. */
function wrongPackageCalls(
  check: MergedGo,
  folder: string,
  imported: ReadonlyMap<string, string>,
  code: string,
  before: string,
): readonly Sign[] {
  const signs: Sign[] = [];
  for (const match of code.matchAll(packageCall)) {
    const [whole, qualifier, name = ''] = match;
    const place = qualifier === undefined ? folder : imported.get(qualifier);
    if (place === undefined || builtIn.has(name) || check.declared.has(name)) continue;
    if (qualifier !== undefined && isDeclared(code, qualifier)) continue;
    const list = argumentList(code, match.index + whole.length - 1);
    if (list === undefined || list.text.includes('...)') || before.includes(whole + list.text.slice(1)))
      continue;
    const here = functionsOf(check.go, place, name);
    if (here.length === 0 || here.some((found) => fits(found, list.count))) continue;
    if (qualifier === undefined && isDeclared(code, name)) continue;
    signs.push({ path: check.path, name: 'arguments-differ', detail: `${name}(${list.count})` });
  }
  return signs;
}

/** The functions of a name that a package of the fork declares; methods are not among them. */
export function functionsOf(go: GoContext, folder: string, name: string): readonly GoFunction[] {
  const files = go.fork.packages.get(folder)?.files ?? [];
  return files.flatMap(({ facts }) => facts.functions.filter((found) => found.name === name));
}

/** Whether upstream's package declares a name: if not even upstream does, reading the code went wrong, not the name. */
function isUpstreams(check: MergedGo, word: string): boolean {
  const hash = hashWord(word);
  for (const found of check.go.upstream.packages.values()) if (found.declares(hash)) return true;
  return parseImports(check.theirs).some((spec) => localName(spec) === word);
}

interface AddedLine {
  readonly line: number;
  readonly code: string;
}

function addedCode(check: GoCheck): readonly AddedLine[] {
  const lines: AddedLine[] = [];
  const states = codeOnly(check.theirs).split('\n');
  for (const edit of check.edits)
    for (let line = edit.bStart; line < edit.bEnd; line += 1) {
      // A line that is blank in code is a comment, or inside a raw string.
      if ((states[line] ?? '').trim() === '') continue;
      lines.push({ line, code: codeOnly(check.carried(line)) });
    }
  return lines;
}

const wordPattern = /(\.[ \t]*)?\b([A-Za-z_]\w*)/g;

function unknownNames(check: GoCheck, added: readonly AddedLine[], mergedCode: string): readonly Sign[] {
  const counts = new Map<string, { added: number; selector: boolean; key: boolean }>();
  for (const { code } of added)
    for (const match of code.matchAll(wordPattern)) {
      const [, dot, word = ''] = match;
      if (builtIn.has(word) || word === '_') continue;
      const known = counts.get(word) ?? { added: 0, selector: true, key: true };
      // A field in a literal is asked of its type, as one behind a dot is.
      const isKey =
        code.slice(0, match.index).trim() === '' &&
        /^\s*:(?!=)/.test(code.slice(match.index + match[0].length));
      counts.set(word, {
        added: known.added + 1,
        selector: known.selector && dot !== undefined,
        key: known.key && (isKey || dot !== undefined),
      });
    }
  const fields = fieldsIn(added);
  const theirCode = codeOnly(check.theirs);
  const folder = check.path.slice(0, Math.max(0, check.path.lastIndexOf('/')));
  const home = check.go.fork.packages.get(folder);
  const signs: Sign[] = [];
  for (const [word, { added: times, key }] of counts) {
    // What is nowhere in the merged file was left out with its line, and is asked of nobody.
    const here = countWord(mergedCode, word);
    if (check.declared.has(word) || here > times || here === 0 || fields.has(word)) continue;
    const hash = hashWord(word);
    if (key ? check.go.fork.hasWord(hash) : home?.hasWord(hash) === true) continue;
    // A name that upstream's commit brings along is new on both sides.
    const elsewhere = countWord(theirCode, word) > times;
    if (!elsewhere && !(key && check.go.upstream.hasWord(hash))) continue;
    signs.push({ path: check.path, name: 'name-unknown', detail: word });
  }
  return signs;
}

const fieldPattern = /^\t+([A-Za-z_]\w*)[ \t]+[*[\]\w.]+[ \t]*$/;

/** Fields that added lines declare, and that nothing but a selector or a key asks for. */
function fieldsIn(added: readonly AddedLine[]): ReadonlySet<string> {
  const fields = new Set(added.map(({ code }) => fieldPattern.exec(code)?.[1] ?? ''));
  for (const { code } of added)
    for (const [word] of code.matchAll(/(?<![\w.])[A-Za-z_]\w*/g))
      if (fields.has(word) && fieldPattern.exec(code)?.[1] !== word) fields.delete(word);
  return fields;
}

function countWord(code: string, word: string): number {
  let count = 0;
  for (let at = code.indexOf(word); at >= 0; at = code.indexOf(word, at + word.length)) {
    const before = code[at - 1] ?? ' ';
    const after = code[at + word.length] ?? ' ';
    if (!/\w/.test(before) && !/\w/.test(after)) count += 1;
  }
  return count;
}

const callPattern = /(?<!func )(?<!func \([^)\n]*\) )\b([A-Za-z_]\w*)\(/g;

/** Calls in added code whose number of arguments suits upstream's function and none of the fork's. */
function wrongCalls(check: GoCheck): readonly Sign[] {
  const code = codeOnly(check.theirs);
  const starts = lineStarts(code);
  const signs: Sign[] = [];
  for (const edit of check.edits) {
    const from = starts[edit.bStart] ?? code.length;
    const to = starts[edit.bEnd] ?? code.length;
    callPattern.lastIndex = 0;
    for (const match of code.slice(from, to).matchAll(callPattern)) {
      const name = match[1] ?? '';
      if (builtIn.has(name) || check.declared.has(name)) continue;
      const list = argumentList(code, from + match.index + match[0].length - 1);
      if (list === undefined || list.text.includes('...)')) continue;
      const here = check.go.fork.callables(name);
      if (here.length === 0 || here.some((place) => fits(place, list.count))) continue;
      if (!check.go.upstream.callables(name).some((place) => fits(place, list.count))) continue;
      signs.push({ path: check.path, name: 'arguments-differ', detail: `${name}(${list.count})` });
    }
  }
  return signs;
}

function fits(place: Pick<GoFunction, 'parameters' | 'variadic'>, count: number): boolean {
  // One argument can be a call with several results.
  if (place.variadic) return count >= place.parameters - 1;
  return place.parameters === count || (count === 1 && place.parameters > 1);
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** Exported names asked of a package of the fork that does not declare them. */
function unknownExports(check: GoCheck, added: readonly AddedLine[], mergedCode: string): readonly Sign[] {
  const prefix = `${check.go.fork.module}/`;
  const folders = new Map<string, string>();
  for (const spec of parseImports(check.merged))
    if (spec.path.startsWith(prefix)) folders.set(localName(spec), spec.path.slice(prefix.length));
  const signs: Sign[] = [];
  const seen = new Set<string>();
  for (const { code } of added)
    for (const match of code.matchAll(/(?<![\w.])([a-zA-Z_]\w*)\.([A-Z]\w*)/g)) {
      const [whole, name = '', symbol = ''] = match;
      const folder = folders.get(name);
      if (folder === undefined || seen.has(whole) || check.declared.has(symbol)) continue;
      seen.add(whole);
      // The line may have been left out.
      if (!mergedCode.includes(whole)) continue;
      const exported = check.go.fork.packages.get(folder)?.exported;
      if (exported?.has(symbol) === false && !isDeclared(code, name) && !isDeclared(mergedCode, name))
        signs.push({ path: check.path, name: 'name-unknown', detail: whole });
    }
  return signs;
}
