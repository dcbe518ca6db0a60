// Cuts a long text into comments that the forge takes: at pieces, and within a piece only where it is too long alone.

/** GitHub takes 65,536 characters; bytes are never fewer, and the marker needs a line. */
export const commentLimit = 65_000;

export interface Piece {
  readonly text: string;
  /** What stands above the first piece of its kind in each comment (the head of a table). */
  readonly head?: string;
}

/** Comments in order; each below the limit, each saying which of how many it is. */
export function splitComment(
  title: string,
  pieces: readonly Piece[],
  limit = commentLimit,
): readonly string[] {
  const parts: string[][] = [];
  let part: string[] = [];
  let size = 0;
  let head: string | undefined;
  const room = limit - bytes(title) - 40;
  const begin = (): void => {
    part = [];
    size = 0;
    head = undefined;
    parts.push(part);
  };
  begin();
  for (const piece of pieces) {
    const text = cutPiece(piece.text, room - bytes(piece.head ?? '') - 2);
    const needed = (): number => bytes(text) + 2 + (piece.head === head ? 0 : bytes(piece.head ?? '') + 2);
    if (size + needed() > room && part.length > 0) begin();
    size += needed();
    if (piece.head !== head) {
      part.push('');
      if (piece.head !== undefined) part.push(piece.head);
      head = piece.head;
    } else if (piece.head === undefined) part.push('');
    part.push(text);
  }
  return parts.map((lines, index) =>
    [`${title}${parts.length === 1 ? '' : ` (${index + 1} of ${parts.length})`}`, ...lines].join('\n'),
  );
}

/** A piece that is too long by itself is cut at a line, and what was open in it (a fence, a fold) is closed. */
function cutPiece(text: string, limit: number): string {
  if (bytes(text) <= limit) return text;
  const lines = text.split('\n');
  const kept: string[] = [];
  let size = 0;
  const note = (left: number): string => `(${left} more lines: see the review page)`;
  let fence: string | undefined;
  let folds = 0;
  for (const line of lines) {
    if (size + bytes(line) + 1 > limit - 400) break;
    kept.push(line);
    size += bytes(line) + 1;
    const found = /^`{3,}/.exec(line)?.[0];
    if (found !== undefined) fence = fence === undefined ? found : found === fence ? undefined : fence;
    if (fence === undefined) folds += countOf(line, '<details>') - countOf(line, '</details>');
  }
  if (kept.length === 0) return note(lines.length);
  return [
    ...kept,
    ...(fence === undefined ? [] : [fence]),
    '',
    note(lines.length - kept.length),
    ...Array.from({ length: folds }, () => '\n</details>'),
  ].join('\n');
}

function countOf(line: string, tag: string): number {
  return line.split(tag).length - 1;
}

function bytes(text: string): number {
  return Buffer.byteLength(text);
}
