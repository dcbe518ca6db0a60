// What a place in a line is: code, a command, an address, prose. Rules may hold in some only, and an address is no path.
import type { Scope } from '../rules/model.ts';
import type { FileKind } from './file-kind.ts';
import { lineScopes } from './go/scan-go.ts';

const urlPattern = /(?:https?:\/\/|\b(?:github|git)\.com\/)[^\s)`"'>\]]*/g;
const environmentWord = /\b[A-Z][A-Z0-9]*_[A-Z0-9_]*\b/g;
/** Commands that ask a server: what they name with a slash in it is an address, if it does not begin as a path does. */
const request = /(?<![\w./-])(?:my_curl|curl|wget)(?=[ \t])/g;
const address = /(?<![^\s"'`])[A-Za-z][\w-]*\/[^\s"'`]*/g;

interface Range {
  readonly start: number;
  readonly end: number;
  readonly scope: Scope;
}

/** The scope of a place in a line of a file, found only when somebody asks. */
export function scopeFinder(path: string, kind: FileKind, line: string): (position: number) => Scope {
  let ranges: readonly Range[] | undefined;
  return (position) => {
    ranges ??= specialRanges(line);
    const special = ranges.find((range) => range.start <= position && position < range.end);
    if (special !== undefined) return special.scope;
    if (kind === 'go') return lineScopes(line).at(position);
    if (kind === 'shell') return isBehindHash(line, position) ? 'comment' : 'cli';
    if (kind === 'doc') return proseOrCommand(line, position);
    return otherScope(path, line, position);
  };
}

function specialRanges(line: string): readonly Range[] {
  const ranges = (pattern: RegExp, scope: Scope, from = 0): readonly Range[] =>
    Array.from(line.slice(from).matchAll(pattern), (match) => ({
      start: from + match.index,
      end: from + match.index + match[0].length,
      scope,
    }));
  const asked = Array.from(line.matchAll(request), (match) => match.index)[0];
  return [
    ...ranges(urlPattern, 'url'),
    ...ranges(environmentWord, 'env'),
    ...(asked === undefined ? [] : ranges(address, 'url', asked)),
  ];
}

/** In documentation, what stands in back quotes or is indented like a block is a command. */
function proseOrCommand(line: string, position: number): Scope {
  if (/^(?: {4}|\t)/.test(line)) return 'cli';
  const before = line.slice(0, position).split('`').length - 1;
  return before % 2 === 1 ? 'cli' : 'prose';
}

/** Makefiles and workflows hold commands, other files what nobody knows more of. */
function otherScope(path: string, line: string, position: number): Scope {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const isYaml = /\.ya?ml$/.test(name);
  const isMakefile = /^(?:GNU)?[Mm]akefile$/.test(name) || name.endsWith('.mk');
  if (!isYaml && !isMakefile) return 'code';
  if (isBehindHash(line, position)) return 'comment';
  if (isMakefile) return line.startsWith('\t') ? 'cli' : 'code';
  // A step of a workflow, or a line of the block below one: everything that is no key of its own.
  return /^[ \t]*(?:- )?run:/.test(line) || !/^[ \t]*(?:- )?["\w.-]+:(?: |$)/.test(line) ? 'cli' : 'code';
}

function isBehindHash(line: string, position: number): boolean {
  const at = line.search(/(?<![^\s])#/);
  return at >= 0 && at < position;
}
