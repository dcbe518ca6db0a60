// What of a declaration says what it declares: without comments, bodies of functions, and what is in literals.
import { scanTokens } from './scan-tokens.ts';
import type { Span } from './syntax.ts';

export interface Skeleton {
  readonly text: string;
  /** Where each declaration stands in it, in the order in which they were given. */
  readonly spans: readonly Span[];
}

const tight = new Set('()[]{},;.');

/** Go again: whoever reads it finds the same names and types. */
export function skeletonOf(source: string, spans: readonly Span[]): Skeleton {
  const scanner = scanTokens(source);
  const parts: string[] = [];
  const places: Span[] = [];
  let length = 0;
  const put = (text: string): void => {
    parts.push(text);
    length += text.length;
  };
  for (const { from, to } of spans) {
    const start = length;
    scanner.reset({ kind: 'end', text: '', start: from, end: from, lastEnd: from, ends: false });
    scanner.next();
    let before = '(';
    while (scanner.start < to && scanner.kind !== 'end') {
      const { text } = scanner;
      if (!tight.has(before) && !tight.has(text)) put(' ');
      if (text === '{' && before !== 'struct' && before !== 'interface') {
        put('{}');
        before = '}';
        scanner.skipBlock();
      } else {
        put(text);
        before = text;
        scanner.next();
      }
    }
    places.push({ from: start, to: length });
    put('\n');
  }
  // A copy: what was put together keeps its pieces, and these the whole source.
  return { text: Buffer.from(parts.join(''), 'latin1').toString('latin1'), spans: places };
}
