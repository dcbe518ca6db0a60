// Lines that both sides added, in two places: a merge by place would have them twice.
import type { FileKind } from '../rewrite/file-kind.ts';
import type { LineStore } from '../rewrite/line-store.ts';
import type { Sequence } from './diff-sequences.ts';
import { type ElementSide, elementRuns, elementSide, newParts } from './element-runs.ts';
import type { HunkDriver } from './resolve-hunk.ts';

export interface TwiceContext {
  readonly kind: FileKind;
  readonly driver: HunkDriver;
  /** Whether another file of the fork's package declares a name at top level, `Type.Method` for methods. */
  readonly declaredElsewhere?: (name: string) => boolean;
}

/** What of the lines that upstream puts into a place the fork has already, elsewhere in the same declaration. */
export interface Twice {
  readonly lines: ReadonlySet<number>;
  /** It has all that is told by them, and upstream takes nothing away. */
  readonly all: boolean;
}

export interface AddedTwice {
  /** Of the lines that `theirs` has in a range in place of `before`. */
  in(before: Sequence, from: number, to: number): Twice;
}

/** Looks for what both sides have and the base does not. */
export function findAddedTwice(
  store: LineStore,
  sides: { readonly base: Sequence; readonly ours: Sequence; readonly theirs: Sequence },
  context: TwiceContext,
): AddedTwice {
  // The three sides have most lines in common.
  const known: KnownKeys = new Map();
  const read = (lines: Sequence): readonly Keys[] => keysOf(store, lines, context, known);
  let counted:
    | {
        readonly theirs: readonly Keys[];
        readonly isTwice: (key: string) => boolean;
        readonly isNameTwice: (key: string) => boolean;
        readonly isHere: (key: string) => boolean;
      }
    | undefined;
  const count = (): NonNullable<typeof counted> => {
    const theirs = read(sides.theirs);
    const [before, here, there] = [
      countKeys(read(sides.base)),
      countKeys(read(sides.ours)),
      countKeys(theirs),
    ];
    const isTwice = (key: string): boolean => {
      const old = before.get(key) ?? 0;
      return (here.get(key) ?? 0) > old && (there.get(key) ?? 0) > old;
    };
    // Two names of upstream's that are one in the fork would be declared twice by upstream's change alone.
    const isNameTwice = (key: string): boolean => {
      const made = there.get(key) ?? 0;
      return isTwice(key) || (context.kind === 'go' && made > 1 && made > (before.get(key) ?? 0));
    };
    return { theirs, isTwice, isNameTwice, isHere: (key) => here.has(key) };
  };
  let elementSides: readonly ElementSide[] | undefined;
  /** Lines with elements that both sides added to a declaration, and whether those are all that is on the line. */
  const elementsTwice = (added: readonly number[]): ReadonlyMap<number, boolean> => {
    const twice = new Map<number, boolean>();
    for (const run of context.kind === 'go' ? elementRuns(store, sides.theirs, added) : []) {
      elementSides ??= [sides.base, sides.ours, sides.theirs].map((side) =>
        elementSide(store, side, (line) => head.exec(line)?.[0]),
      );
      const scope = elementSides[2]?.scopeAt(run.lines[0] ?? 0) ?? '';
      const count = (part: string): readonly number[] =>
        (elementSides ?? []).map((side) => side.count(scope, part));
      const isTwice = (part: string): boolean => {
        const [old = 0, here = 0, there = 0] = count(part);
        return here > old && there > old;
      };
      const isAll = run.whole && isTwice(run.elements);
      const parts = isAll ? [] : newParts(run.elements, (one) => (count(one)[0] ?? 0) > 0);
      if (scope === '' || !(isAll || parts.some(isTwice))) continue;
      for (const line of run.lines) if (twice.get(line) !== false) twice.set(line, isAll);
    }
    return twice;
  };
  return {
    in(before, from, to) {
      const gone = new Map<number, number>();
      for (const line of before) gone.set(line, (gone.get(line) ?? 0) + 1);
      counted ??= count();
      const { theirs, isTwice, isNameTwice, isHere } = counted;
      const lines = new Set<number>();
      let all = isWithin(before, sides.theirs.subarray(from, to));
      const added: number[] = [];
      for (let index = from; index < to; index += 1) {
        const id = sides.theirs[index] ?? 0;
        const left = gone.get(id) ?? 0;
        if (left > 0) gone.set(id, left - 1);
        else added.push(index);
      }
      const elements = elementsTwice(added);
      for (const index of added) {
        const id = sides.theirs[index] ?? 0;
        const whole = elements.get(index);
        if (whole !== undefined) lines.add(id);
        if (whole === true) continue;
        const { line, weak, name, elsewhere } = theirs[index] ?? noKeys;
        const isThere = line !== undefined && isTwice(line);
        if (isThere || (name !== undefined && isNameTwice(name)) || elsewhere) lines.add(id);
        if ((line !== undefined && !isThere) || (weak !== undefined && !isHere(weak))) all = false;
      }
      return { lines, all: all && lines.size > 0 };
    },
  };
}

/** Whether a part has all lines of another in their order: nothing was taken away. */
function isWithin(before: Sequence, part: Sequence): boolean {
  let at = 0;
  for (const line of part) if (line === before[at]) at += 1;
  return at === before.length;
}

interface Keys {
  /** The line in its declaration; undefined where such lines come up again and again. */
  readonly line: string | undefined;
  /** Such a line, where it holds anything but brackets: it proves nothing by being there, and something by not being. */
  readonly weak?: string;
  /** What it declares. */
  readonly name: string | undefined;
  /** Another file of the package declares that. */
  readonly elsewhere: boolean;
}

const noKeys: Keys = { line: undefined, name: undefined, elsewhere: false };

function countKeys(all: readonly Keys[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { line, weak, name } of all)
    for (const key of [line, weak, name]) if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

/** A line of prose that is as long stands once on a page. */
const tellingLine = 60;

function keysOf(store: LineStore, lines: Sequence, context: TwiceContext, known: KnownKeys): readonly Keys[] {
  if (context.kind === 'go') return goKeys(store, lines, context, known);
  const isList = context.driver !== 'text';
  return Array.from(lines, (id) => {
    const text = store.line(id).trimEnd();
    const name = headOf(text, context.kind);
    const isTold = context.kind === 'doc' && text.length >= tellingLine;
    const line = (isList || isTold) && /\w{3}/.test(text) ? text : undefined;
    return line === undefined && name === undefined ? noKeys : { line, name, elsewhere: false };
  });
}

/** Headings, labels and functions of scripts: each stands once in a file. */
function headOf(text: string, kind: FileKind): string | undefined {
  if (kind === 'doc') return /^(?:#{1,6} .*|\([\w-]+\)=)$/.exec(text)?.[0];
  if (kind === 'shell') return /^(?:function )?[\w-]+ ?\(\)/.exec(text)?.[0];
  return undefined;
}

const head = /^(func|type|var|const) (?:\((?:\w+ )?\*?(\w+)(?:\[[^\]]*\])?\) )?(\(|[A-Za-z_]\w*)/;
/** Lines of code that say nothing of where they belong. */
const common =
  /^(?:\W*|(?:\} )?else(?: \{)?|return\b.*|continue|break|default:|case .*|if (?:!?ok|err [!=]= nil) \{|err :?= nil|\/\/.*|\/\*.*)$/;

/** Keys of lines by the declaration that they stand in. */
type KnownKeys = Map<string, Map<number, Keys>>;

function goKeys(
  store: LineStore,
  lines: Sequence,
  { declaredElsewhere }: TwiceContext,
  known: KnownKeys,
): readonly Keys[] {
  let scope = '';
  let kind = '';
  let here: Map<number, Keys> | undefined;
  const enter = (name: string): void => {
    scope = name;
    here = undefined;
  };
  const within = (id: number, text: string): Keys => {
    if (here === undefined) {
      const place = `${kind}\0${scope}`;
      here = known.get(place) ?? new Map<number, Keys>();
      known.set(place, here);
    }
    const found = here.get(id);
    if (found !== undefined) return found;
    const made = inScope(text);
    here.set(id, made);
    return made;
  };
  const inScope = (text: string): Keys => {
    const trimmed = text.trim();
    if (common.test(trimmed))
      return /^\W*$|^\/[/*]/.test(trimmed) ? noKeys : { ...noKeys, weak: `${scope}\0${trimmed}` };
    const line = `${scope}\0${trimmed.replace(/\s+/g, ' ')}`;
    if (scope.endsWith(' (')) {
      const member = /^\t([A-Za-z_]\w*)(?=[ ,=]|$)/.exec(text)?.[1];
      const elsewhere = member !== undefined && member !== '_' && declaredElsewhere?.(member) === true;
      return { line, name: member === undefined ? undefined : `top ${member}`, elsewhere };
    }
    const pattern = kind === 'fields' ? /^\t([A-Za-z_]\w*)(?=[ (])/ : /^\t("[^"]*"|\w+):(?= |$)/;
    const member = kind === 'fields' || kind === 'var' ? pattern.exec(text)?.[1] : undefined;
    return { line, name: member === undefined ? undefined : `${scope}.${member}`, elsewhere: false };
  };
  return Array.from(lines, (id): Keys => {
    const text = store.line(id);
    // Nothing that is indented begins a declaration, or ends one.
    if (text.startsWith('\t')) return scope === '' ? noKeys : within(id, text);
    const found = head.exec(text);
    if (found !== null) {
      const [, word = '', receiver, named = ''] = found;
      const name = receiver === undefined ? named : `${receiver}.${named}`;
      const isGroup = named === '(';
      enter(isGroup ? `${word} (` : `${word} ${name}`);
      kind = word === 'type' && /\b(?:struct|interface) \{$/.test(text) ? 'fields' : word;
      // A function named `init` or `_` may stand in a file again and again.
      if (isGroup || name === 'init' || name === '_') return noKeys;
      return { line: `\0${text}`, name: `top ${name}`, elsewhere: declaredElsewhere?.(name) === true };
    }
    if (text === '}' || text === ')') {
      enter('');
      return noKeys;
    }
    return scope === '' ? noKeys : within(id, text);
  });
}
