// Lines as numbers: equal lines have equal numbers, so that comparing files is comparing integers.
import { createLru } from '../git/lru.ts';
import type { Sequence } from '../merge/diff-sequences.ts';
import { commonEnds } from './common-ends.ts';

/** Which fold applies: Go code is compared without package qualifiers, all else word by word. */
export type FoldKind = 'go' | 'text';

/** A text with its lines. */
export interface Split {
  readonly text: string;
  readonly lines: Sequence;
}

export interface LineStore {
  /** The lines of a text; the last is empty where the text ends with a newline, so joining gives the text back. */
  split(text: string): Sequence;
  /** The same for the text of a blob, which comes up again and again; `near` is a text that most of its lines are in. */
  splitBlob(sha: string, text: string, near?: Split): Sequence;
  join(lines: Sequence | readonly number[]): string;
  id(line: string): number;
  line(id: number): string;
  /** Numbers of the folded lines: equal where two lines differ only in what the fork renamed. */
  fold(lines: Sequence, kind: FoldKind): Sequence;
  /** Forgets everything once there are very many lines; numbers given before mean nothing afterwards. */
  trim(): void;
}

const blobLines = 400_000;

const mostLines = 45_000;

/** Makes a store around a fold; whoever keeps a number keeps it no longer than until the next `trim`. */
export function createLineStore(foldLine: (line: string, kind: FoldKind) => string): LineStore {
  const ids = new Map<string, number>();
  let lines: string[] = [];
  let keys: Readonly<Record<FoldKind, number[]>> = { go: [], text: [] };

  const id = (line: string): number => {
    const known = ids.get(line);
    if (known !== undefined) return known;
    // A slice keeps the whole text that it was cut from in memory; a copy does not.
    const copy = line.length < 13 ? line : copyOf(line);
    lines.push(copy);
    ids.set(copy, lines.length - 1);
    return lines.length - 1;
  };
  const key = (line: number, kind: FoldKind): number => {
    const known = keys[kind][line];
    if (known !== undefined) return known;
    const made = id(foldLine(lines[line] ?? '', kind));
    keys[kind][line] = made;
    return made;
  };

  let blobs = createLru<string, Sequence>(blobLines);
  const split = (text: string): Sequence => {
    const out: number[] = [];
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      out.push(id(text.slice(start, end)));
      start = end + 1;
    }
    out.push(id(text.slice(start)));
    return Int32Array.from(out);
  };

  /** Only what is not at the beginning or the end of the other text is cut and looked up. */
  const splitNear = (text: string, near: Split): Sequence => {
    if (text === near.text) return near.lines;
    const { start, end } = commonEnds(text, near.text);
    if (start === 0 && end === 0) return split(text);
    const before = countLines(text, 0, start);
    const after = end === 0 ? 0 : countLines(text, text.length - end, text.length) + 1;
    // The line end in front of the common end belongs to neither.
    const middle = split(text.slice(start, end === 0 ? text.length : text.length - end - 1));
    const out = new Int32Array(before + middle.length + after);
    out.set(near.lines.subarray(0, before));
    out.set(middle, before);
    out.set(near.lines.subarray(near.lines.length - after), before + middle.length);
    return out;
  };

  return {
    split,
    splitBlob(sha, text, near) {
      const known = blobs.get(sha);
      if (known !== undefined) return known;
      const made = near === undefined ? split(text) : splitNear(text, near);
      blobs.set(sha, made, made.length);
      return made;
    },
    join(ids) {
      return Array.from(ids, (line) => lines[line] ?? '').join('\n');
    },
    id,
    line: (line) => lines[line] ?? '',
    fold: (sequence, kind) => sequence.map((line) => key(line, kind)),
    trim() {
      if (lines.length <= mostLines) return;
      ids.clear();
      lines = [];
      keys = { go: [], text: [] };
      blobs = createLru<string, Sequence>(blobLines);
    },
  };
}

const scratch = Buffer.allocUnsafeSlow(4096);

/** The same characters, sharing nothing with the text they were cut from. */
function copyOf(line: string): string {
  if (line.length > scratch.length) return Buffer.from(line, 'latin1').toString('latin1');
  return scratch.toString('latin1', 0, scratch.write(line, 'latin1'));
}

function countLines(text: string, from: number, to: number): number {
  let count = 0;
  for (let end = text.indexOf('\n', from); end >= 0 && end < to; end = text.indexOf('\n', end + 1))
    count += 1;
  return count;
}
