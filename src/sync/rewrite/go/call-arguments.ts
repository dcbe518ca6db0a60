// The arguments of a call within one line, and how the arguments of one call stand in another of the same values.
import { codeOnly } from './scan-go.ts';

interface Piece {
  readonly start: number;
  readonly end: number;
}

export interface CallArguments {
  readonly pieces: readonly Piece[];
  /** The call ends within the line; otherwise its last piece is only a beginning. */
  readonly closed: boolean;
}

/** The arguments of the list whose parenthesis opens at a place of the line; blanks around them are not theirs. */
export function callArguments(line: string, open: number): CallArguments | undefined {
  const code = codeOnly(line);
  if (code[open] !== '(') return undefined;
  const pieces: Piece[] = [];
  let depth = 0;
  let start = open + 1;
  const add = (end: number): void => {
    const text = line.slice(start, end);
    const from = start + (text.length - text.trimStart().length);
    if (text.trim() !== '') pieces.push({ start: from, end: from + text.trim().length });
  };
  for (let at = open; at < code.length; at += 1) {
    const character = code[at] ?? '';
    if ('([{'.includes(character)) depth += 1;
    else if (')]}'.includes(character)) {
      depth -= 1;
      if (depth > 0) continue;
      add(at);
      return { pieces, closed: true };
    } else if (character === ',' && depth === 1) {
      add(at);
      start = at + 1;
    }
  }
  add(code.length);
  return { pieces, closed: false };
}

/**
 * For each argument of the second call the place of the same value in the first; undefined where the two calls do not
 * take the same values. Values that were only edited are the same where no other place has them.
 */
export function argumentOrder(
  before: readonly string[],
  after: readonly string[],
): readonly number[] | undefined {
  if (before.length !== after.length) return undefined;
  if (before.every((value, index) => value === after[index] || !after.includes(value)))
    return before.map((_, index) => index);
  const order = after.map((value) => before.indexOf(value));
  return order.includes(-1) || new Set(order).size < order.length ? undefined : order;
}

/** Whether every argument stands where it stood. */
export function isInOrder(order: readonly number[]): boolean {
  return order.every((from, index) => from === index);
}
