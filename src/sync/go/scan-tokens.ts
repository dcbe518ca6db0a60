// Splits Go source into its tokens, with the semicolons that line ends stand for (Go specification, "Semicolons").

import { intern } from '../git/intern.ts';

export type TokenKind = 'name' | 'number' | 'string' | 'rune' | 'operator' | 'keyword' | 'end';

export interface TokenScanner {
  kind: TokenKind;
  /** The token itself; for a string its quotes alone, which is all that anybody asks of most of them. */
  text: string;
  start: number;
  end: number;
  /** Where the token before ended. */
  lastEnd: number;
  next(): void;
  /** From a `{` to what follows its `}`. */
  skipBlock(): void;
  mark(): Mark;
  reset(mark: Mark): void;
}

export interface Mark {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly lastEnd: number;
  readonly ends: boolean;
}

const keywords = new Set(
  (
    'break case chan const continue default defer else fallthrough for func go goto if import interface map package ' +
    'range return select struct switch type var'
  ).split(' '),
);
const endingKeywords = new Set(['break', 'continue', 'fallthrough', 'return']);
const endingOperators = new Set(['++', '--', ')', ']', '}']);

const longOperators = ['<<=', '>>=', '&^=', '...'];
const operators = new Set('<< >> &^ += -= *= /= %= &= |= ^= && || <- ++ -- == != <= >= := << >>'.split(' '));

/** Starts before the first token: call `next` once. */
export function scanTokens(source: string): TokenScanner {
  let ends = false;

  const scanner: TokenScanner = {
    kind: 'end',
    text: '',
    start: 0,
    end: 0,
    lastEnd: 0,
    next,
    skipBlock,
    mark: () => {
      const { kind, text, start, end, lastEnd } = scanner;
      return { kind, text, start, end, lastEnd, ends };
    },
    reset(mark) {
      scanner.kind = mark.kind;
      scanner.text = mark.text;
      scanner.start = mark.start;
      scanner.end = mark.end;
      scanner.lastEnd = mark.lastEnd;
      ends = mark.ends;
    },
  };

  function give(kind: TokenKind, text: string, start: number, end: number): void {
    scanner.kind = kind;
    scanner.text = text;
    scanner.start = start;
    scanner.lastEnd = scanner.end;
    scanner.end = end;
    ends =
      kind === 'name' ||
      kind === 'number' ||
      kind === 'string' ||
      kind === 'rune' ||
      (kind === 'operator' && endingOperators.has(text)) ||
      (kind === 'keyword' && endingKeywords.has(text));
  }

  function next(): void {
    let at = scanner.end;
    for (;;) {
      const code = source.charCodeAt(at);
      if (Number.isNaN(code)) {
        if (ends) give('operator', ';', at, at);
        else give('end', '', at, at);
        return;
      }
      if (code === 32 || code === 9 || code === 13) at += 1;
      else if (code === 10) {
        if (ends) {
          give('operator', ';', at, at + 1);
          return;
        }
        at += 1;
      } else if (code === 47 && source.charCodeAt(at + 1) === 47) {
        const end = source.indexOf('\n', at);
        at = end < 0 ? source.length : end;
      } else if (code === 47 && source.charCodeAt(at + 1) === 42) {
        const found = source.indexOf('*/', at + 2);
        const end = found < 0 ? source.length : found + 2;
        if (ends && source.slice(at, end).includes('\n')) {
          give('operator', ';', at, end);
          return;
        }
        at = end;
      } else {
        token(at, code);
        return;
      }
    }
  }

  function token(start: number, code: number): void {
    if (isLetter(code)) {
      let end = start + 1;
      while (isLetter(source.charCodeAt(end)) || isDigit(source.charCodeAt(end))) end += 1;
      const text = intern(source.slice(start, end));
      give(keywords.has(text) ? 'keyword' : 'name', text, start, end);
    } else if (isDigit(code) || (code === 46 && isDigit(source.charCodeAt(start + 1)))) {
      const end = endOfNumber(source, start);
      give('number', intern(source.slice(start, end)), start, end);
    } else if (code === 34 || code === 39 || code === 96) {
      const end = endOfLiteral(source, start, code);
      give(code === 39 ? 'rune' : 'string', code === 39 ? "''" : '""', start, end);
    } else {
      const text = operatorAt(source.slice(start, start + 3));
      give('operator', text, start, start + text.length);
    }
  }

  function skipBlock(): void {
    let depth = 1;
    let at = scanner.end;
    while (depth > 0) {
      const code = source.charCodeAt(at);
      if (Number.isNaN(code)) break;
      if (code === 34 || code === 39 || code === 96) at = endOfLiteral(source, at, code);
      else if (code === 47 && source.charCodeAt(at + 1) === 47) {
        const end = source.indexOf('\n', at);
        at = end < 0 ? source.length : end;
      } else if (code === 47 && source.charCodeAt(at + 1) === 42) {
        const end = source.indexOf('*/', at + 2);
        at = end < 0 ? source.length : end + 2;
      } else {
        if (code === 123) depth += 1;
        else if (code === 125) depth -= 1;
        at += 1;
      }
    }
    give('operator', '}', at - 1, at);
    next();
  }

  return scanner;
}

function operatorAt(text: string): string {
  if (longOperators.includes(text)) return text;
  const two = text.slice(0, 2);
  return operators.has(two) ? two : text.slice(0, 1);
}

/** Sources are read byte for byte: what is not ASCII stands there as several letters. */
function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95 || code >= 128;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function endOfNumber(source: string, start: number): number {
  const pattern = /0[xX][\w.]+(?:(?<=[pP])[+-]\d+)?|[\d_]*\.?[\d_]*(?:[eE][+-]?\d+)?[\w]*/y;
  pattern.lastIndex = start;
  return start + Math.max(1, pattern.exec(source)?.[0].length ?? 1);
}

/** Where a string or rune ends; one that is not closed ends with its line. */
function endOfLiteral(source: string, start: number, quote: number): number {
  if (quote === 96) {
    const end = source.indexOf('`', start + 1);
    return end < 0 ? source.length : end + 1;
  }
  for (let at = start + 1; at < source.length; at += 1) {
    const code = source.charCodeAt(at);
    if (code === 92) at += 1;
    else if (code === quote) return at + 1;
    else if (code === 10) return at;
  }
  return source.length;
}
