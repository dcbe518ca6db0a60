// Reads Go source as far as a rename needs it: strings and comments set apart, imports, declarations, qualifiers.

import { intern } from '../../git/intern.ts';

export interface ImportSpec {
  /** The name given in the source, or undefined. */
  readonly alias: string | undefined;
  readonly path: string;
}

export interface GoFile {
  readonly packageName: string;
  readonly imports: readonly ImportSpec[];
  /** Exported names declared at top level, methods not among them. */
  readonly exported: readonly string[];
  /** Functions and methods: `Name` or `Type.Name`, and how many parameters they take. */
  readonly functions: readonly GoFunction[];
  /** Hashes of everything declared at top level, exported or not, sorted; methods not among them. */
  readonly declared: Uint32Array;
  /** Hashes of all words of the code, sorted: whether a word occurs at all. */
  readonly words: Uint32Array;
}

export interface GoFunction {
  readonly name: string;
  readonly parameters: number;
  readonly variadic: boolean;
}

const literals = /"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)*'|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

/** The same, but what is not closed goes on to the end: each character is looked at once, whatever the source. */
const openLiterals = /"(?:[^"\\\n]|\\.)*"?|`[^`]*`?|'(?:[^'\\\n]|\\.)*'?|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g;

/** No person's line is as long; in such a one each quote that is not closed would be searched to its end. */
const longLine = 10_000;

function hasLongLine(source: string): boolean {
  let start = 0;
  for (let end = source.indexOf('\n'); end >= 0; end = source.indexOf('\n', start)) {
    if (end - start > longLine) return true;
    start = end + 1;
  }
  return source.length - start > longLine;
}

/** The source with comments and what is in strings blanked, character for character (quotes and line ends stay). */
export const codeOnly = rememberLast(blankLiterals);

/** Several checks look at the same few texts one after another. */
function rememberLast<T>(make: (source: string) => T): (source: string) => T {
  const last: { readonly source: string; readonly made: T }[] = [];
  return (source) => {
    if (source.length < worthRemembering) return make(source);
    const known = last.find((one) => one.source === source);
    if (known !== undefined) return known.made;
    const made = make(source);
    if (last.length >= mostRemembered) last.shift();
    last.push({ source, made });
    return made;
  };
}

const worthRemembering = 400;
const mostRemembered = 6;

const blanks = ' '.repeat(120);

/** A piece of one text: hundreds of thousands of them are needed, and none is kept. */
function blanksOf(length: number): string {
  return length <= blanks.length ? blanks.slice(0, length) : ' '.repeat(length);
}

function blankLiterals(source: string): string {
  return source.replace(hasLongLine(source) ? openLiterals : literals, (literal) => {
    const blank = literal.includes('\n') ? literal.replace(/[^\n]/g, ' ') : blanksOf(literal.length);
    const unclosed = literal.length < 2 || literal.endsWith('\n');
    return literal.startsWith('/') || unclosed
      ? blank
      : `${literal.charAt(0)}${blank.slice(1, -1)}${literal.charAt(0)}`;
  });
}

/** Which parts of a line are string or comment; `open` says what an earlier line left open. */
export interface LineScopes {
  readonly at: (position: number) => 'code' | 'string' | 'comment';
}

/** Scopes of one line by itself; a line inside a raw string or block comment has to be told so. */
export function lineScopes(line: string, open: 'code' | 'raw' | 'block' = 'code'): LineScopes {
  if (open === 'raw') return { at: () => 'string' };
  if (open === 'block') return { at: () => 'comment' };
  const ranges: { readonly start: number; readonly end: number; readonly kind: 'string' | 'comment' }[] = [];
  const pattern = /"(?:[^"\\\n]|\\.)*"?|`[^`]*`?|'(?:[^'\\\n]|\\.)*'|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g;
  for (const match of line.matchAll(pattern))
    ranges.push({
      start: match.index,
      end: match.index + match[0].length,
      kind: match[0].startsWith('/') ? 'comment' : 'string',
    });
  return {
    at: (position) => ranges.find((range) => range.start <= position && position < range.end)?.kind ?? 'code',
  };
}

const importBlock = /^import \(\n([\s\S]*?)^\)\n?/m;
const importLine = /^import (?:([\w.]+) )?"([^"]+)"/gm;
const spec = /^\s*(?:([\w.]+)\s+)?"([^"]+)"/;

/** Where the import block is, or undefined for a file without one. */
export function findImportBlock(
  source: string,
): { readonly start: number; readonly end: number; readonly lines: readonly string[] } | undefined {
  const match = importBlock.exec(source);
  if (match === null) return undefined;
  const inner = match[1] ?? '';
  return {
    start: match.index,
    end: match.index + match[0].length,
    lines: inner === '' ? [] : inner.replace(/\n$/, '').split('\n'),
  };
}

/**
 * The source with its imports in one block, made where there is none; undefined where that cannot be (cgo's `import
 * "C"` belongs to the comment above it, and what has no package clause is no Go file).
 */
export function withImportBlock(source: string): string | undefined {
  if (findImportBlock(source) !== undefined) return source;
  const lines = [...source.matchAll(/^import (.+)\n/gm)];
  if (lines.some((match) => match[1]?.endsWith('"C"') === true)) return undefined;
  const [first] = lines;
  if (first !== undefined) {
    const block = `import (\n${lines.map((match) => `\t${match[1]}\n`).join('')})\n`;
    const rest = source.slice(first.index).replace(/^import .+\n/gm, '');
    return source.slice(0, first.index) + block + rest;
  }
  const clause = /^package \w+\n/m.exec(source);
  if (clause === null) return undefined;
  const at = clause.index + clause[0].length;
  return `${source.slice(0, at)}\nimport (\n)\n${source.slice(at)}`;
}

/** Takes back what `withImportBlock` did to `original`, where the imports stayed as they were. */
export function withoutMadeBlock(source: string, original: string): string {
  if (findImportBlock(original) !== undefined) return source;
  const block = findImportBlock(source);
  if (block === undefined) return source;
  if (block.lines.length === 0)
    return source.slice(0, block.start).replace(/\n$/, '') + source.slice(block.end);
  const lines = [...original.matchAll(/^import (.+)\n/gm)];
  if (lines.map((match) => `\t${match[1]}`).join('\n') !== block.lines.join('\n')) return source;
  return source.slice(0, block.start) + lines.map((match) => match[0]).join('') + source.slice(block.end);
}

export function parseSpec(line: string): ImportSpec | undefined {
  const match = spec.exec(line);
  return match === null ? undefined : { alias: match[1], path: match[2] ?? '' };
}

export const parseImports = rememberLast(readImports);

function readImports(source: string): readonly ImportSpec[] {
  const block = findImportBlock(source);
  const grouped = block?.lines.map(parseSpec).filter((found) => found !== undefined) ?? [];
  const single = Array.from(source.matchAll(importLine), (match) => ({
    alias: match[1],
    path: match[2] ?? '',
  }));
  return [...single, ...grouped];
}

/** The name that a package is used by when it is imported without one (the last part that can be a name). */
export function defaultName(path: string): string {
  const known = defaultNames.get(path);
  if (known !== undefined) return known;
  const made = makeDefaultName(path);
  defaultNames.set(path, made);
  return made;
}

const defaultNames = new Map<string, string>();

function makeDefaultName(path: string): string {
  const parts = path.split('/');
  let name = parts.at(-1) ?? path;
  if (/^v\d+$/.test(name) && parts.length > 1) name = parts.at(-2) ?? name;
  name = name
    .replace(/\.v\d+$/, '')
    .replace(/^go-/, '')
    .replace(/-go$/, '');
  return name.replaceAll('-', '_');
}

export function localName(found: ImportSpec): string {
  return found.alias ?? defaultName(found.path);
}

const qualifier = /(?<![\w.])([a-zA-Z_]\w*)\.([A-Z]\w*)/g;

/** Package qualifiers used in code, each with the exported names asked of it. */
export function usedQualifiers(code: string): ReadonlyMap<string, ReadonlySet<string>> {
  const used = new Map<string, Set<string>>();
  for (const match of code.matchAll(qualifier)) {
    const [, name = '', exported = ''] = match;
    const set = used.get(name);
    if (set === undefined) used.set(name, new Set([exported]));
    else set.add(exported);
  }
  return used;
}

const declaration =
  /^func (?:\((?:\w+ )?\*?(\w+)(?:\[[^\]]*\])?\) )?([A-Za-z_]\w*)|^type ([A-Z]\w*)\b|^(?:var|const) ([A-Z]\w*)\b/gm;
const group = /^(?:var|const|type) \(\n([\s\S]*?)^\)/gm;
const groupMember = /^\t([A-Z]\w*)(?:,| |$)/gm;

/** What a file declares. */
export function readGoFile(source: string): GoFile {
  const code = blankLiterals(source);
  const exported = new Set<string>();
  const functions: GoFunction[] = [];
  for (const match of code.matchAll(declaration)) {
    const [whole, receiver, name, type, value] = match;
    if (name !== undefined) {
      const { parameters, variadic } = readParameters(code, match.index + whole.length);
      const full = intern(receiver === undefined ? name : `${receiver}.${name}`);
      functions.push({ name: full, parameters, variadic });
      if (receiver === undefined && /^[A-Z]/.test(name)) exported.add(name);
    }
    const other = type ?? value;
    if (other !== undefined) exported.add(other);
  }
  for (const match of code.matchAll(group))
    for (const member of (match[1] ?? '').matchAll(groupMember)) exported.add(member[1] ?? '');
  return {
    declared: declaredHashes(code),
    packageName: intern(/^package (\w+)/m.exec(code)?.[1] ?? ''),
    imports: readImports(source).map((found) => ({
      alias: found.alias === undefined ? undefined : intern(found.alias),
      path: intern(found.path),
    })),
    exported: [...exported].map(intern),
    functions,
    words: hashWords(code),
  };
}

const topLevel = /^(?:func|type|var|const) ((?:[A-Za-z_]\w*)(?:, [A-Za-z_]\w*)*)/gm;
const topLevelMember = /^\t((?:[A-Za-z_]\w*)(?:, [A-Za-z_]\w*)*)(?=[ =]|$)/gm;

function declaredHashes(code: string): Uint32Array {
  const hashes = new Set<number>();
  const add = (list: string | undefined): void => {
    for (const name of list?.split(', ') ?? []) hashes.add(hashWord(name));
  };
  for (const match of code.matchAll(topLevel)) add(match[1]);
  for (const match of code.matchAll(group))
    for (const member of (match[1] ?? '').matchAll(topLevelMember)) add(member[1]);
  return Uint32Array.from(hashes).sort();
}

/** FNV-1a; two words with one hash are rare enough for a sign of doubt. */
export function hashWord(word: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < word.length; index += 1)
    hash = Math.imul(hash ^ word.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

/** Words of two characters and more, hashed while they are read: every Go file of both trees goes through here. */
function hashWords(code: string): Uint32Array {
  const hashes = new Set<number>();
  let hash = 0x811c9dc5;
  let length = 0;
  for (let at = 0; at <= code.length; at += 1) {
    const character = at < code.length ? code.charCodeAt(at) : 32;
    const letter = (character | 32) >= 97 && (character | 32) <= 122;
    const digit = character >= 48 && character <= 57;
    if (letter || character === 95 || (digit && length > 0)) {
      hash = Math.imul(hash ^ character, 0x01000193);
      length += 1;
      continue;
    }
    // As a small integer: a set of larger numbers makes an object of each.
    if (length > 1) hashes.add(hash | 0);
    hash = 0x811c9dc5;
    length = 0;
  }
  return Uint32Array.from(hashes).sort();
}

/** Counts the parameters of the list that begins after `from`; type parameters are skipped. */
function readParameters(
  code: string,
  from: number,
): { readonly parameters: number; readonly variadic: boolean } {
  let position = from;
  if (code[position] === '[') position = code.indexOf(']', position) + 1;
  const list = argumentList(code, position);
  if (list === undefined) return { parameters: 0, variadic: false };
  return { parameters: list.count, variadic: list.text.includes('...') };
}

/** The list in parentheses that begins at `open`, with the number of its elements. */
export function argumentList(
  code: string,
  open: number,
): { readonly count: number; readonly text: string; readonly end: number } | undefined {
  if (code[open] !== '(') return undefined;
  let depth = 0;
  let count = 0;
  let filled = false;
  for (let position = open; position < code.length && position < open + 4000; position += 1) {
    const character = code[position];
    if (character === '(' || character === '[' || character === '{') depth += 1;
    else if (character === ')' || character === ']' || character === '}') {
      depth -= 1;
      if (depth === 0)
        return { count: filled ? count + 1 : count, text: code.slice(open, position + 1), end: position + 1 };
    } else if (character === ',' && depth === 1) {
      count += 1;
      filled = false;
      continue;
    }
    if (depth >= 1 && position > open && character !== ' ' && character !== '\n' && character !== '\t')
      filled = true;
  }
  return undefined;
}

/** Top-level functions and types with the comments right above them. */
export function splitDeclarations(source: string): ReadonlyMap<string, string> {
  const chunks = new Map<string, string>();
  let name: string | undefined;
  let body: string[] = [];
  let comment: string[] = [];
  for (const line of source.split('\n')) {
    if (name !== undefined) {
      body.push(line);
      if (line === '}' || line === ')') {
        chunks.set(name, body.join('\n'));
        name = undefined;
      }
      continue;
    }
    const match = /^func (?:\((?:\w+ )?\*?(\w+)(?:\[[^\]]*\])?\) )?([A-Za-z_]\w*)|^type ([A-Za-z_]\w*) /.exec(
      line,
    );
    if (match !== null) {
      name = match[3] ?? (match[1] === undefined ? (match[2] ?? '') : `${match[1]}.${match[2]}`);
      body = [...comment, line];
      comment = [];
      const oneLine =
        (line.includes('{') && line.endsWith('}')) || (match[3] !== undefined && !line.endsWith('{'));
      if (oneLine) {
        chunks.set(name, body.join('\n'));
        name = undefined;
      }
    } else if (line.startsWith('//')) comment.push(line);
    else comment = [];
  }
  return chunks;
}
