// Commands with another grammar in the fork: `volume snapshot POOL VOLUME` there is `volume snapshot create POOL VOLUME`.
import { longestLine } from '../rewrite/longest-line.ts';
import type { CommandRule } from './model.ts';

export interface Rewritten {
  readonly line: string;
  readonly rules: readonly { readonly id: string; readonly from: string; readonly to: string }[];
}

/** The line with its commands as the fork takes them; what no rule names stays as it is. */
export function rewriteCommands(rules: readonly CommandRule[], line: string): Rewritten {
  const applied: { readonly id: string; readonly from: string; readonly to: string }[] = [];
  if (rules.length === 0 || line.length > longestLine) return { line, rules: applied };
  let out = line;
  // From the end, so that what stands before keeps its place; a command whose arguments are one that was rewritten stays.
  let rest = line.length;
  for (const command of commandsIn(line, rules).toReversed()) {
    if (command.end > rest) continue;
    for (const rule of rules) {
      const made = applyRule(rule, command);
      if (made === undefined) continue;
      applied.push({ id: rule.id, from: line.slice(command.start, made.end), to: made.text });
      out = out.slice(0, command.start) + made.text + out.slice(made.end);
      rest = command.start;
      break;
    }
  }
  return { line: out, rules: applied.reverse() };
}

interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

interface Command {
  readonly start: number;
  readonly end: number;
  readonly words: readonly Word[];
}

/** `<name>` and `‹name›` are words as pages write them, the second also as its bytes; `<in >out` is none. */
const placeholderWord = '<[A-Za-z][\\w.:-]*(?: [\\w.:-]+)*>|‹[^›]*›|\\xe2\\x80\\xb9[^\\xe2]*\\xe2\\x80\\xba';
const wordPattern = new RegExp(
  `(?:"(?:[^"\\\\]|\\\\.)*"|'[^']*'|\\$\\([^()]*\\)|\\$\\{[^}]*\\}|${placeholderWord}|[^\\s"'\`|;&()<>])+`,
  'g',
);

/** Runs of words with nothing but blanks between them, each from every word on that names a program. */
function commandsIn(line: string, rules: readonly CommandRule[]): readonly Command[] {
  const programs = new Set(rules.flatMap((rule) => rule.programs));
  const words = Array.from(line.matchAll(wordPattern), (match) => ({
    text: match[0],
    start: match.index,
    end: match.index + match[0].length,
  }));
  const runs: Word[][] = [];
  for (const word of words) {
    const last = runs.at(-1);
    const before = last?.at(-1);
    if (last !== undefined && before !== undefined && /^[ \t]+$/.test(line.slice(before.end, word.start)))
      last.push(word);
    else runs.push([word]);
  }
  return runs.flatMap((run) =>
    run.flatMap((word, index) =>
      programs.has(word.text)
        ? [{ start: word.start, end: run.at(-1)?.end ?? word.end, words: run.slice(index) }]
        : [],
    ),
  );
}

const placeholder = /^\{([a-z]+)\}$/;
const twoPlaceholders = /^\{([a-z]+)\}\/\{([a-z]+)\}$/;

interface Made {
  readonly text: string;
  /** Where what was made ends; what follows stays as it is. */
  readonly end: number;
}

/** The command rewritten as far as its arguments go; undefined where it is another one. */
function applyRule(rule: CommandRule, { words }: Command): Made | undefined {
  const [program, ...given] = words;
  if (program === undefined || !rule.programs.includes(program.text)) return undefined;
  const found = new Map<string, string>();
  // Options stay before the word or the argument that they were written before.
  const options = new Map<string, readonly string[]>();
  let at = 0;
  for (const item of rule.from.split(' ')) {
    const before = optionsAt(given, at, item, rule.valued ?? []);
    at += before.length;
    const word = given[at]?.text;
    at += 1;
    if (word === undefined || (!item.startsWith('{') && word !== item)) return undefined;
    if (before.length > 0) options.set(item.startsWith('{') ? firstName(item) : item, before);
    if (item.startsWith('{') && !capture(item, word, found)) return undefined;
  }
  const [first] = found.values();
  if (first !== undefined && rule.not?.includes(first) === true) return undefined;
  // Of several snapshots each would need a command of its own.
  if (twoPlaceholders.test(rule.from.split(' ').at(-1) ?? '') && hasArgument(given.slice(at), rule))
    return undefined;
  const made = rule.to.split(' ').flatMap((item) => {
    const name = placeholder.exec(item)?.[1];
    const own = options.get(name ?? item) ?? [];
    options.delete(name ?? item);
    return [...own, (name === undefined ? undefined : found.get(name)) ?? item];
  });
  const last = given[at - 1] ?? program;
  return { text: [program.text, ...made, ...[...options.values()].flat()].join(' '), end: last.end };
}

function firstName(item: string): string {
  return /[a-z]+/.exec(item)?.[0] ?? item;
}

/** The options that stand before an item of a rule, each with its value. */
function optionsAt(
  given: readonly Word[],
  start: number,
  item: string,
  valued: readonly string[],
): readonly string[] {
  let at = start;
  for (;;) {
    const word = given[at]?.text;
    if (word === undefined || !word.startsWith('-') || word === item) break;
    at += valued.includes(word) ? 2 : 1;
  }
  return given.slice(start, at).map(({ text }) => text);
}

/** Whether a word follows that is no option and no value of one; a comment and a redirection are none. */
function hasArgument(rest: readonly Word[], rule: CommandRule): boolean {
  const word = rest[optionsAt(rest, 0, '', rule.valued ?? []).length]?.text;
  return word !== undefined && !word.startsWith('#') && !/^\d$/.test(word);
}

function capture(item: string, word: string, found: Map<string, string>): boolean {
  const one = placeholder.exec(item)?.[1];
  if (one !== undefined) {
    found.set(one, word);
    return true;
  }
  const both = twoPlaceholders.exec(item);
  const [left, right, ...more] = word.replace(/^"(.*)"$/, '$1').split('/');
  if (both === null || left === undefined || right === undefined || more.length > 0) return false;
  const quote = word.startsWith('"') ? '"' : '';
  for (const [name, part] of [
    [both[1] ?? '', left],
    [both[2] ?? '', right],
  ] as const)
    found.set(name, part.includes('$') ? `${quote}${part}${quote}` : part);
  return left !== '' && right !== '';
}
