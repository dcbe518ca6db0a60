// Elements that follow each other in a list, whether it is written on one line or on several.
import type { LineStore } from '../rewrite/line-store.ts';
import { longestLine } from '../rewrite/longest-line.ts';
import type { Sequence } from './diff-sequences.ts';

const element = '"(?:[^"\\\\]|\\\\.)*"';
const run = new RegExp(`${element}(?:, ${element})+`, 'g');
/** A line of elements and nothing else. */
const whole = new RegExp(`^\\s*(${element}(?:, ${element})*),$`);
/** One alone tells something where it is an option of a command. */
const telling = /^"-|", "/;

export interface ElementSide {
  /** How often elements stand in this order in a declaration. */
  count(scope: string, elements: string): number;
  scopeAt(line: number): string;
}

/** Where the declarations of a side begin and end: by their first lines, as `scopeOf` names them. */
export function elementSide(
  store: LineStore,
  lines: Sequence,
  scopeOf: (line: string) => string | undefined,
): ElementSide {
  const scopes: string[] = [];
  const texts = new Map<string, string>();
  let scope = '';
  for (const id of lines) {
    const text = store.line(id);
    if (!text.startsWith('\t')) scope = scopeOf(text) ?? (/^[})]/.test(text) ? '' : scope);
    scopes.push(scope);
    if (text.includes('"') || !text.endsWith(','))
      texts.set(scope, `${texts.get(scope) ?? ''}${text.trim()}${text.endsWith(',') ? ' ' : '\n'}`);
  }
  return {
    count: (name, elements) => (texts.get(name) ?? '').split(elements).length - 1,
    scopeAt: (line) => scopes[line] ?? '',
  };
}

export interface ElementRun {
  readonly elements: string;
  /** The lines that it stands on, and whether it is all that is on them. */
  readonly lines: readonly number[];
  readonly whole: boolean;
}

/** The parts of a run whose elements are new: what stood there before is no second copy. */
export function newParts(elements: string, isOld: (one: string) => boolean): readonly string[] {
  const parts: string[][] = [[]];
  for (const [one] of elements.matchAll(new RegExp(element, 'g')))
    if (isOld(one)) parts.push([]);
    else parts.at(-1)?.push(one);
  return parts.map((part) => part.join(', ')).filter((part) => telling.test(part));
}

/** The runs on some lines of a side, in order; those of lines without a gap that hold nothing else are one. */
export function elementRuns(
  store: LineStore,
  side: Sequence,
  indices: readonly number[],
): readonly ElementRun[] {
  const runs: { elements: string; lines: number[]; whole: boolean }[] = [];
  for (const index of indices) {
    const text = store.line(side[index] ?? 0);
    if (text.length > longestLine) continue;
    const alone = whole.exec(text)?.[1];
    const last = runs.at(-1);
    if (alone === undefined)
      for (const [elements] of text.matchAll(run)) runs.push({ elements, lines: [index], whole: false });
    else if (last?.whole === true && last.lines.at(-1) === index - 1) {
      last.elements += `, ${alone}`;
      last.lines.push(index);
    } else runs.push({ elements: alone, lines: [index], whole: true });
  }
  return runs.filter(({ elements }) => telling.test(elements));
}
