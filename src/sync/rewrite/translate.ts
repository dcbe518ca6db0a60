// Puts one line of upstream into the fork's words: by what the fork's own text shows, then by the pack's rules.
import { rewriteCommands } from '../rules/commands.ts';
import type { CommandRule } from '../rules/model.ts';
import type { Span, WordMatcher } from '../rules/words.ts';
import type { Brand } from './brand.ts';
import { type Evidence, type Found, widestLevel } from './evidence.ts';
import type { FileKind } from './file-kind.ts';
import { callArguments } from './go/call-arguments.ts';
import { findPhrases } from './phrases.ts';
import { scopeFinder } from './scopes.ts';
import { isWord, tokenize } from './tokens.ts';

/** Why a word came out as it did; `rule` and `kept` are the weakest: nothing in the fork was seen to say so. */
export type Origin =
  | 'neighbour'
  | 'phrase'
  | 'file'
  | 'file-word'
  | 'memory'
  | 'memory-word'
  | 'symbol'
  | 'rule'
  | 'kept'
  | 'line';

export interface Choice {
  readonly origin: Origin;
  readonly upstream: string;
  readonly fork: string;
  readonly rule: string | undefined;
  /** How narrow the context was in which the fork was seen to say so: 0 is two tokens either side. */
  readonly level: number;
  /** For a call with its arguments in another order: for each of them its place upstream. */
  readonly order?: readonly number[];
  /** A rule would have written the same: two that know nothing of each other say so. */
  readonly agreed?: boolean;
  /** Upstream's name stayed, as it does beside this place in a fork that was renamed throughout. */
  readonly overlooked?: boolean;
}

export interface Translated {
  readonly text: string;
  readonly choices: readonly Choice[];
}

/** What earlier imports teach, as one pick may see it. */
export interface MemoryView {
  readonly evidence: Evidence;
  readonly visible: (order: number) => boolean;
  /** How a whole line came over before. */
  readonly line: (line: string) => string | undefined;
  /** What stood for the project's name in this sentence before. */
  readonly phrase: (key: string) => string | undefined;
}

export interface TranslatorContext {
  readonly path: string;
  readonly kind: FileKind;
  readonly brand: Brand;
  readonly words: WordMatcher;
  /** Commands that the fork takes with other arguments, as far as it does so here and now. */
  readonly commands?: readonly CommandRule[];
  /** What the fork's copy of this very file shows; undefined for a file that is new. */
  readonly file:
    | {
        readonly evidence: Evidence;
        readonly lines: ReadonlyMap<string, string | undefined>;
        /** Words that it spells in its own way throughout, by `spellingKey`. */
        readonly spellings?: ReadonlyMap<string, string>;
      }
    | undefined;
  /** What the fork's copies of the files next to a new one show, by majority. */
  readonly neighbours: ((tokens: readonly string[], index: number) => string | undefined) | undefined;
  /** For a script that is there: what the scripts next to it have in the same surroundings, before its own in others. */
  readonly beside?: TranslatorContext['neighbours'];
  readonly memory: MemoryView | undefined;
  /**
   * The fork's text around has been renamed throughout: earlier imports in which a word stayed are from before that,
   * and say nothing any more.
   */
  readonly renamed: boolean;
  /** So has all of the fork: where its name stayed, that was overlooked. */
  readonly throughout?: boolean;
  /** A qualified Go name in the fork. */
  readonly symbol: ((name: string) => string | undefined) | undefined;
  /** What stands in the fork for calls of upstream's whose own counterpart it took out since. */
  readonly successors?: ReadonlyMap<string, Successor>;
  /** Whether a qualified name was the fork's once and is no longer. */
  readonly gone?: (name: string) => boolean;
  /** Names by which the upstream file imports upstream's packages. */
  readonly qualifiers: ReadonlySet<string>;
  /** Upstream paths named in the text, and where they are in the fork. */
  readonly paths: ReadonlyMap<string, string>;
  /** The file's own name on both sides, where the fork calls it otherwise: text goes with it. */
  readonly own?: { readonly from: string; readonly to: string };
  /** Upstream's name, as sentences have it. */
  readonly name: string;
}

/** A call of the fork's in place of another one, and the places of its arguments where they changed. */
export interface Successor {
  readonly name: string;
  readonly order?: readonly number[];
}

export interface Translator {
  translate(line: string): Translated;
  /** Word by word only: for a line that is going to be merged with the fork's own version of it. */
  translateWords(line: string): Translated;
}

/** Makes a translator for one file; equal lines are translated once. */
export function createTranslator(context: TranslatorContext): Translator {
  const lines = new Map<string, Translated>();
  const words = new Map<string, Translated>();
  const once = (done: Map<string, Translated>, line: string, make: () => Translated): Translated => {
    const known = done.get(line);
    if (known !== undefined) return known;
    const made = make();
    done.set(line, made);
    return made;
  };
  const translateWords = (line: string): Translated =>
    once(words, line, () => translateCommands(context, line));
  return {
    translateWords,
    translate: (line) => once(lines, line, () => wholeLine(context, line) ?? translateWords(line)),
  };
}

const shortestTellingLine = 8;
const shortestRememberedLine = 40;

/** The commands of a line as the fork takes them, in the file's own spelling, then its words. */
function translateCommands(context: TranslatorContext, line: string): Translated {
  const { commands = [] } = context;
  const programs = commands.flatMap((rule) => rule.programs);
  const isCommand = programs.some((program) => line.includes(program));
  const rewritten = isCommand ? rewriteCommands(commands, line).line : line;
  return translateLine(context, spellAsHere(context, rewritten));
}

/** A word and what follows it: `go` before a blank is a command, before a point it is not. */
export function spellingKey(tokens: readonly string[], index: number): string {
  return `${tokens[index]}\0${tokens[index + 1] ?? ''}`;
}

function spellAsHere({ file, kind }: TranslatorContext, line: string): string {
  const spellings = file?.spellings;
  if (spellings === undefined || spellings.size === 0 || kind === 'go' || kind === 'doc') return line;
  const tokens = tokenize(line);
  return tokens
    .map((token, index) =>
      standsAlone(tokens, index) ? (spellings.get(spellingKey(tokens, index)) ?? token) : token,
    )
    .join('');
}

/** Whether a token is a word between blanks: a part of a path or an address is spelt by other rules. */
export function standsAlone(tokens: readonly string[], index: number): boolean {
  const before = tokens[index - 1] ?? ' ';
  return (
    /^[A-Za-z_]\w*$/.test(tokens[index] ?? '') &&
    /^[\s(;]/.test(before) &&
    /^\s/.test(tokens[index + 1] ?? '')
  );
}

function translateLine(context: TranslatorContext, line: string): Translated {
  const trimmed = line.trim();
  if (trimmed === '') return { text: line, choices: [] };
  if (!context.words.mayMatch(line) && !/\w\.[A-Z]/.test(line) && context.paths.size === 0)
    return { text: line, choices: [] };

  const tokens = tokenize(line);
  const plan = withoutDisproved(context, tokens, planTokens(context, line, tokens));
  if (tokens.length > 2000) return { text: plan.map((entry) => entry.text).join(''), choices: [] };
  const choices: Choice[] = [];
  const chosenAt = new Map<number, Choice>();
  const reordered = new Map<number, readonly number[]>();
  const phrases = new Map(findPhrases(line, context.name).map(({ start, key }) => [start, key]));
  let start = 0;
  const out = tokens.map((token, index) => {
    const phrase = phrases.get(start);
    start += token.length;
    const entry = plan[index] ?? { text: token, fixed: false, rule: undefined, span: undefined };
    const openQualifier =
      token.includes('.') &&
      context.qualifiers.has(token.slice(0, token.indexOf('.'))) &&
      tokens[index - 1] !== '.';
    if (entry.fixed || !isWord(token) || !(context.brand.inEither(token) || openQualifier)) {
      // A fixed entry is a protected word, an import path or a path: nobody chose it.
      if (!entry.fixed && entry.text !== token)
        choices.push({
          origin: 'rule',
          upstream: token,
          fork: entry.text,
          rule: entry.rule,
          level: widestLevel,
        });
      return entry.text;
    }
    const choice = chooseWord(context, tokens, index, entry, phrase);
    const fits =
      choice.order === undefined || argumentTokens(tokens, index, choice.order.length) !== undefined;
    const chosen = fits ? choice : { ...choice, fork: entry.text, origin: 'kept' as const };
    chosenAt.set(index, chosen);
    if (fits && choice.order !== undefined) reordered.set(index, choice.order);
    return chosen.fork;
  });
  // Inner calls first: what an argument came out as moves with it.
  for (const [index, order] of [...reordered].reverse()) reorderArguments(tokens, out, index, order);
  for (const [index, token] of tokens.entries()) {
    if (token !== 'a' && token !== 'A') continue;
    const next = index + 2;
    if (tokens[index + 1] === ' ' && out[next] !== tokens[next] && tokens[next] !== undefined)
      out[index] = context.brand.fixArticle(token, out.slice(next).join(''));
    else if (
      tokens[index + 1] === ' ' &&
      /^[`*[_]$/.test(tokens[next] ?? '') &&
      out[next + 1] !== tokens[next + 1]
    )
      out[index] = context.brand.fixArticle(token, out.slice(next).join(''));
  }
  for (const { label, target } of followLabels(line, tokens, out)) {
    const [by, followed] = [chosenAt.get(label), chosenAt.get(target)];
    if (by !== undefined && followed !== undefined)
      chosenAt.set(target, { ...followed, fork: out[target] ?? '', origin: by.origin, level: by.level });
  }
  choices.push(...chosenAt.values());
  return { text: out.join(''), choices };
}

/** The tokens of each argument of a call whose name is at an index; undefined where the line does not hold so many. */
function argumentTokens(
  tokens: readonly string[],
  index: number,
  count: number,
): readonly { readonly from: number; readonly to: number }[] | undefined {
  const line = tokens.join('');
  const found = callArguments(line, tokens.slice(0, index + 1).join('').length);
  if (found === undefined || !found.closed || found.pieces.length !== count) return undefined;
  const starts = new Map<number, number>();
  let start = 0;
  for (const [at, token] of tokens.entries()) {
    starts.set(start, at);
    start += token.length;
  }
  starts.set(start, tokens.length);
  const ranges = found.pieces.flatMap((piece) => {
    const [from, to] = [starts.get(piece.start), starts.get(piece.end)];
    return from === undefined || to === undefined ? [] : [{ from, to }];
  });
  return ranges.length === count ? ranges : undefined;
}

/** Puts what the arguments of a call came out as in another order; all of an argument is in its first token then. */
function reorderArguments(
  tokens: readonly string[],
  out: string[],
  index: number,
  order: readonly number[],
): void {
  const ranges = argumentTokens(tokens, index, order.length) ?? [];
  const texts = ranges.map(({ from, to }) => out.slice(from, to).join(''));
  for (const [place, { from, to }] of ranges.entries()) {
    out.fill('', from, to);
    out[from] = texts[order[place] ?? place] ?? '';
  }
}

const labelledLink = /\[`?([A-Za-z]+) [^\]`]*`?\]\((?=\1_)/g;

/** The page of a command is named after it: the target of a link that begins like its label has the label's word. */
function followLabels(
  line: string,
  tokens: readonly string[],
  out: string[],
): readonly { readonly label: number; readonly target: number }[] {
  if (!line.includes('](')) return [];
  const followed: { readonly label: number; readonly target: number }[] = [];
  for (const match of line.matchAll(labelledLink)) {
    const word = match[1] ?? '';
    const label = tokenAt(tokens, match.index + match[0].indexOf(word));
    const target = tokenAt(tokens, match.index + match[0].length);
    const [named, spelt] = [out[label], tokens[target]];
    if (tokens[label] !== word || named === undefined || spelt === undefined || !isWord(named)) continue;
    out[target] = named + spelt.slice(word.length);
    followed.push({ label, target });
  }
  return followed;
}

/** The token that begins at a place in the line, or -1. */
function tokenAt(tokens: readonly string[], place: number): number {
  let start = 0;
  return tokens.findIndex((token) => {
    start += token.length;
    return start - token.length === place;
  });
}

/** A line that the fork has elsewhere in this file, or (in a new file) that came over before. */
function wholeLine(context: TranslatorContext, line: string): Translated | undefined {
  const trimmed = line.trim();
  const shortest = context.file === undefined ? shortestRememberedLine : shortestTellingLine;
  if (trimmed.length <= shortest) return undefined;
  const seen = context.file === undefined ? context.memory?.line(trimmed) : context.file.lines.get(trimmed);
  if (seen === undefined || seen === trimmed) return undefined;
  return {
    text: line.replace(trimmed, () => seen),
    choices: [{ origin: 'line', upstream: trimmed, fork: seen, rule: undefined, level: 0 }],
  };
}

function chooseWord(
  context: TranslatorContext,
  tokens: readonly string[],
  index: number,
  entry: Planned,
  phrase: string | undefined,
): Choice {
  const token = tokens[index] ?? '';
  const choice = (origin: Origin, fork: string, level = widestLevel, order?: readonly number[]): Choice => ({
    origin,
    upstream: token,
    fork,
    rule: entry.rule,
    level,
    ...(entry.text !== token && entry.text === fork ? { agreed: true } : {}),
    ...(order === undefined ? {} : { order }),
  });
  const isGone = (value: string): boolean => value.includes('.') && context.gone?.(value) === true;
  const fits = (found: Found | undefined): Found | undefined =>
    found === undefined || fitsPlace(context, tokens, index, found) ? found : undefined;
  // A new file has no text of its own to go by; how its neighbours are written comes first.
  const neighbour = context.neighbours?.(tokens, index);
  if (neighbour !== undefined) return choice('neighbour', neighbour);
  const said = phrase === undefined ? undefined : context.memory?.phrase(phrase);
  if (said !== undefined && context.brand.plausible(token, said)) return choice('phrase', said, 0);
  const near = findNear(context, tokens, index);
  // Far from here the name stayed in text that was not renamed yet, or was overlooked: a rule knows better.
  const stale = (value: string): boolean => context.renamed && value === token && entry.text !== token;
  const overlooked = (value: string): boolean => context.throughout === true && stale(value);
  if (near !== undefined && !(near.level >= 3 && overlooked(near.value)))
    return overlooked(near.value)
      ? { ...choice('file', near.value, near.level), overlooked: true }
      : choice('file', near.value, near.level, near.order);
  // Elsewhere it may have stood for a command or a path: how a name is capitalised here the rule knows better.
  const onlyCase = (value: string): boolean =>
    value !== entry.text && value.toLowerCase() === entry.text.toLowerCase();
  const beside = context.beside?.(tokens, index);
  if (beside !== undefined && !onlyCase(beside) && !overlooked(beside)) return choice('memory', beside, 3);
  const anywhere = fits(context.file?.evidence.find(tokens, index, { from: widestLevel, to: widestLevel }));
  if (
    anywhere !== undefined &&
    !overlooked(anywhere.value) &&
    (anywhere.value === token || context.file?.evidence.stays(token) !== true)
  )
    return choice('file-word', anywhere.value, anywhere.level, anywhere.order);
  const memory = context.memory;
  const remembered = fits(memory?.evidence.find(tokens, index, { from: 0, to: 3, visible: memory.visible }));
  if (
    remembered !== undefined &&
    !isGone(remembered.value) &&
    !stale(remembered.value) &&
    !(remembered.level > 1 && onlyCase(remembered.value))
  )
    return choice('memory', remembered.value, remembered.level, remembered.order);
  const symbol = token.includes('.') ? context.symbol?.(token) : undefined;
  if (symbol !== undefined) return choice('symbol', symbol);
  const successor = context.successors?.get(token);
  if (successor !== undefined) return choice('symbol', successor.name, 0, successor.order);
  const vaguely = fits(
    memory?.evidence.find(tokens, index, {
      from: 4,
      to: widestLevel,
      need: 2,
      visible: memory.visible,
    }),
  );
  if (vaguely !== undefined && !isGone(vaguely.value) && !stale(vaguely.value) && !onlyCase(vaguely.value))
    return choice('memory-word', vaguely.value, vaguely.level, vaguely.order);
  return choice(entry.text === token ? 'kept' : 'rule', entry.text);
}

/** What this very file shows; what it shows of the word behind a quote says nothing of one that an address begins with. */
function findNear(context: TranslatorContext, tokens: readonly string[], index: number): Found | undefined {
  const evidence = context.file?.evidence;
  const found = evidence?.find(tokens, index, { from: 0, to: 5 });
  if (found === undefined || fitsPlace(context, tokens, index, found)) return found;
  const wider = evidence?.find(tokens, index, { from: found.level + 1, to: 5 });
  return wider !== undefined && fitsPlace(context, tokens, index, wider) ? wider : undefined;
}

/** The levels at which nothing was seen of what stands behind the word. */
const withoutRight: readonly number[] = [4, widestLevel];

/**
 * A folder that a word became (`./lxc` is `./cmd/incus`) is one where a path begins, and none within another path:
 * `bin/lxc` names a file that a build makes. In scripts what a word became before a blank says nothing of an address that
 * begins with it (`lxd/1.0`).
 */
function fitsPlace(
  { kind }: TranslatorContext,
  tokens: readonly string[],
  index: number,
  { value, level }: Found,
): boolean {
  const [left, before] = [tokens[index - 1], tokens[index - 2] ?? ' '];
  if (value.includes('/') && !(tokens[index] ?? '').includes('/'))
    return left !== '-' && left !== '.' && (left !== '/' || before === '.');
  return !(kind === 'shell' && tokens[index + 1] === '/' && withoutRight.includes(level));
}

/**
 * A rule for an address is dropped where the fork goes on writing upstream's name in these
 * very surroundings.
 */
function withoutDisproved(
  context: TranslatorContext,
  tokens: readonly string[],
  plan: readonly Planned[],
): readonly Planned[] {
  const disproved = new Set<number>();
  const spanText = new Map<number, string>();
  for (const { span, text } of plan)
    if (span !== undefined) spanText.set(span, (spanText.get(span) ?? '') + text);
  for (const [index, { span }] of plan.entries()) {
    const token = tokens[index] ?? '';
    if (span === undefined || !isWord(token) || !context.brand.inText(token)) continue;
    const text = spanText.get(span) ?? '';
    if (!text.includes('/') || text.includes(token)) continue;
    const seen =
      context.file?.evidence.find(tokens, index, { from: 0, to: 3 }) ??
      context.memory?.evidence.find(tokens, index, { from: 0, to: 1, visible: context.memory.visible });
    if (seen?.value === token) disproved.add(span);
  }
  if (disproved.size === 0) return plan;
  return plan.map((entry, index) =>
    entry.span !== undefined && disproved.has(entry.span)
      ? { text: tokens[index] ?? '', fixed: true, rule: undefined, span: undefined }
      : entry,
  );
}

interface Planned {
  /** Number of the span of a rule that goes over several tokens. */
  readonly span: number | undefined;
  readonly text: string;
  /** Nothing but the plan decides about this token. */
  readonly fixed: boolean;
  readonly rule: string | undefined;
}

/** What is known of a file that nobody has looked at: rules and paths alone decide. */
export function translateByRules(
  context: Pick<TranslatorContext, 'path' | 'kind' | 'brand' | 'words' | 'commands' | 'paths' | 'name'>,
  line: string,
): { readonly text: string; readonly spans: readonly Span[] } {
  const bare = {
    ...context,
    file: undefined,
    neighbours: undefined,
    memory: undefined,
    renamed: false,
    symbol: undefined,
    qualifiers: new Set<string>(),
  };
  return { text: translateCommands(bare, line).text, spans: spansOf(bare, line) };
}

function spansOf(context: TranslatorContext, line: string): readonly Span[] {
  const words = context.words.match(line, context.path, scopeFinder(context.path, context.kind, line));
  return mergeSpans(pathSpans(context, line), mergeSpans(ownSpans(context, line), words));
}

/** What rules and paths alone would make of each token. */
function planTokens(context: TranslatorContext, line: string, tokens: readonly string[]): readonly Planned[] {
  const spans = spansOf(context, line);
  const planned: Planned[] = [];
  let start = 0;
  let next = 0;
  for (const token of tokens) {
    const end = start + token.length;
    let text = '';
    let position = start;
    let fixed = false;
    let rule: string | undefined;
    let wide: number | undefined;
    for (let span = spans[next]; span !== undefined && span.start < end; span = spans[next]) {
      const wider = span.end > end || span.start < start;
      if (wider && !span.fixed) wide = next;
      fixed ||= span.fixed || wider;
      rule ??= span.rule;
      if (span.start >= start) {
        text += line.slice(position, span.start) + span.to;
      }
      position = Math.min(span.end, end);
      if (span.end > end) break;
      next += 1;
    }
    text += line.slice(position, end);
    planned.push({ text, fixed, rule, span: wide });
    start = end;
  }
  return planned;
}

/** Path spans win over word spans that they overlap. */
function mergeSpans(first: readonly Span[], second: readonly Span[]): readonly Span[] {
  if (first.length === 0) return second;
  const free = second.filter((span) =>
    first.every((other) => span.end <= other.start || span.start >= other.end),
  );
  return [...first, ...free].sort((left, right) => left.start - right.start);
}

function pathSpans(context: TranslatorContext, line: string): readonly Span[] {
  if (context.paths.size === 0) return [];
  return findPaths(context.path, context.kind, line).flatMap((found): Span[] => {
    const to = context.paths.get(found.path);
    if (to === undefined) return [];
    return [{ start: found.start, end: found.start + found.path.length, to, rule: 'path', fixed: true }];
  });
}

/** Places in which a line names the file itself, as a word. */
function ownSpans({ own }: TranslatorContext, line: string): readonly Span[] {
  if (own === undefined) return [];
  const spans: Span[] = [];
  for (let at = line.indexOf(own.from); at >= 0; at = line.indexOf(own.from, at + 1)) {
    const end = at + own.from.length;
    if (!/[\w-]/.test(line[at - 1] ?? '') && !/[\w-]/.test(line[end] ?? ''))
      spans.push({ start: at, end, to: own.to, rule: 'own-name', fixed: false });
  }
  return spans;
}

/** What begins with `./` needs no second part: `go build ./lxd` names a folder. */
const pathPattern =
  /(?<![\w/.\-@:])(?:(?:\.{1,2}\/)*([A-Za-z][\w-]*\/[\w\-./]*\w)|\.\/([A-Za-z][\w-]*)(?![\w\-./]))/g;

/** Words with a slash in them that may name a file or folder of the repository; an address of a server does not. */
export function findPaths(
  file: string,
  kind: FileKind,
  line: string,
): readonly { readonly path: string; readonly start: number }[] {
  if (!line.includes('/')) return [];
  const scopeAt = scopeFinder(file, kind, line);
  return Array.from(line.matchAll(pathPattern), (match) => {
    const path = match[1] ?? match[2] ?? '';
    return { path, start: match.index + match[0].length - path.length };
  }).filter(({ start }) => scopeAt(start) !== 'url');
}
