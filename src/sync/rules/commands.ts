// Commands with another grammar in the fork: `volume snapshot POOL VOLUME` there is `volume snapshot create POOL VOLUME`.
import type { CommandRule } from './model.ts';

export interface Rewritten {
  readonly line: string;
  readonly rules: readonly { readonly id: string; readonly from: string; readonly to: string }[];
}

/** The line with its commands as the fork takes them; what no rule names stays as it is. */
export function rewriteCommands(rules: readonly CommandRule[], line: string): Rewritten {
  const applied: { readonly id: string; readonly from: string; readonly to: string }[] = [];
  if (rules.length === 0) return { line, rules: applied };
  let out = line;
  // From the end, so that what stands before keeps its place; a command whose arguments are one that was rewritten stays.
  let rest = line.length;
  for (const command of commandsIn(line).toReversed()) {
    if (command.end > rest) continue;
    for (const rule of rules) {
      const made = applyRule(rule, command);
      if (made === undefined) continue;
      const from = line.slice(command.start, command.end);
      applied.push({ id: rule.id, from, to: made });
      out = out.slice(0, command.start) + made + out.slice(command.end);
      rest = command.start;
      break;
    }
  }
  return { line: out, rules: applied.reverse() };
}

interface Command {
  readonly start: number;
  readonly end: number;
  readonly words: readonly string[];
}

const wordPattern = /(?:"(?:[^"\\]|\\.)*"|'[^']*'|\$\([^()]*\)|\$\{[^}]*\}|[^\s"'`|;&()<>])+/g;

/** Runs of words with nothing but blanks between them, each from every word on that may name a program. */
function commandsIn(line: string): readonly Command[] {
  const words = Array.from(line.matchAll(wordPattern), (match) => ({
    text: match[0],
    start: match.index,
    end: match.index + match[0].length,
  }));
  const runs: (typeof words)[] = [];
  for (const word of words) {
    const last = runs.at(-1);
    const before = last?.at(-1);
    if (last !== undefined && before !== undefined && /^[ \t]+$/.test(line.slice(before.end, word.start)))
      last.push(word);
    else runs.push([word]);
  }
  return runs.flatMap((run) =>
    run.map((word, index) => ({
      start: word.start,
      end: run.at(-1)?.end ?? word.end,
      words: run.slice(index).map(({ text }) => text),
    })),
  );
}

const placeholder = /^\{([a-z]+)\}$/;
const twoPlaceholders = /^\{([a-z]+)\}\/\{([a-z]+)\}$/;

/** The whole command rewritten; undefined where it is another one. */
function applyRule(rule: CommandRule, { words }: Command): string | undefined {
  const [program, ...given] = words;
  if (program === undefined || !rule.programs.includes(program)) return undefined;
  const found = new Map<string, string>();
  const flags: string[] = [];
  let at = 0;
  for (const item of rule.from.split(' ')) {
    const isLiteral = !item.startsWith('{');
    // Options may stand between the words of a command; one with a value after it does not.
    while (!isLiteral && given[at]?.startsWith('-') === true) flags.push(given[at++] ?? '');
    const word = given[at];
    at += 1;
    if (word === undefined || (isLiteral && word !== item)) return undefined;
    if (isLiteral) continue;
    if (!capture(item, word, found)) return undefined;
  }
  const [first] = found.values();
  if (first !== undefined && rule.not?.includes(first) === true) return undefined;
  const made = rule.to.split(' ').map((item) => found.get(placeholder.exec(item)?.[1] ?? '') ?? item);
  return [program, ...made, ...flags, ...given.slice(at)].join(' ');
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
