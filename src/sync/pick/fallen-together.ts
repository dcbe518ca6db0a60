// Two names of upstream's that are one in the fork: in one list they are the same element twice.
import { longestLine } from '../rewrite/longest-line.ts';

const quotedTwice = /(["'`])([\w.-]{2,})\1,?[ \t]+\1\2\1/;
const listed = /^[ \t]*(?:[-*][ \t]+)?["'`]?([\w.-]{2,})["'`]?,?[ \t\\]*$/;

/** The name that stands twice in a list after the merge, where neither side has it so. */
export function fallenTogether(sides: {
  readonly ours: string;
  readonly theirs: string;
  readonly merged: string;
}): string | undefined {
  if (sides.merged === sides.ours) return undefined;
  return sideBySide(sides) ?? apart(sides);
}

function sideBySide(sides: {
  readonly ours: string;
  readonly theirs: string;
  readonly merged: string;
}): string | undefined {
  const lines = sides.merged.split('\n');
  // Few files have such a pair anywhere, and only then it matters which lines are known.
  const known = quotedTwice.test(sides.merged)
    ? new Set([...sides.ours.split('\n'), ...sides.theirs.split('\n')])
    : undefined;
  for (const [index, line] of lines.entries()) {
    const twice = known === undefined || known.has(line) ? undefined : quotedTwice.exec(line)?.[2];
    if (twice !== undefined) return twice;
    if (lines[index + 1] !== line) continue;
    const element = listed.exec(line)?.[1];
    if (element === undefined) continue;
    const pair = `${line}\n${line}\n`;
    if (!sides.ours.includes(pair) && !sides.theirs.includes(pair)) return element;
  }
  return undefined;
}

/** Elements that are equal and not neighbours, in a list that no side has with one of them twice. */
function apart(sides: {
  readonly ours: string;
  readonly theirs: string;
  readonly merged: string;
}): string | undefined {
  const ours = sides.ours.split('\n');
  const old = new Set(ours);
  const lines = sides.merged.split('\n');
  const repeated = repeatedElements(lines, (line) => !old.has(line));
  if (repeated.length === 0) return undefined;
  const theirs = repeatedElements(sides.theirs.split('\n'), everyLine);
  const known = new Set([...repeatedElements(ours, everyLine), ...theirs]);
  const made = repeated.filter((element) => !known.has(element));
  if (made.length === 0) return undefined;
  // What upstream has twice, the fork has twice by another name.
  const now = new Set(repeatedElements(lines, everyLine));
  return made[theirs.filter((element) => !now.has(element)).length];
}

const everyLine = (): boolean => true;

/** In quotes or without: what separates them tells a list from a sentence. */
const item = '(?:"[\\w./-]{2,}"|\'[\\w./-]{2,}\'|`[\\w./-]{2,}`|[\\w./-]{2,})';
const quoted = '(?:"[\\w./-]{2,}"|\'[\\w./-]{2,}\'|`[\\w./-]{2,}`)';
/** Lists on one line, each with what separates its elements. */
const onOneLine: readonly (readonly [pattern: RegExp, separator: RegExp])[] = [
  // Go: `case "a", "b":`
  [new RegExp(`^\\s*case (${item}(?:, ${item})+):`), /, /],
  // A shell's `case`: `a|b)`
  [new RegExp(`^\\s*\\(?(${item}(?:[ \\t]*\\|[ \\t]*${item})+)\\)`), /[ \t]*\|[ \t]*/],
  [new RegExp(`\\bfor \\w+ in (${item}(?:[ \\t]+${item})+)[ \\t]*(?:;|$)`), /[ \t]+/],
  // YAML: `key: [a, b]` and `- [a, b]`; elsewhere what stands in brackets without quotes may be an index.
  [new RegExp(`^[ \\t]*(?:- |[\\w-]+: )\\[[ \\t]*(${item}(?:,[ \\t]*${item})+),?[ \\t]*\\]`), /,[ \t]*/],
  [new RegExp(`[[{][ \\t]*(${quoted}(?:,[ \\t]*${quoted})+),?[ \\t]*[\\]}]`), /,[ \t]*/],
  // Fields of packages and units: `binaries: a b`
  [/^[ \t]*(?:- )?(?!description|summary|title|run|if)[\w-]+: ([a-z][\w./-]*(?: [a-z][\w./-]*)+)$/, / /],
];
/** An element on a line of its own: a bullet, quotes or a comma tell that it is one. */
const ownLine =
  /^([ \t]*)(?:[-*][ \t]+["'`]?([\w./-]{2,})["'`]?|["'`]([\w./-]{2,})["'`],?|([\w./-]{2,}),)[ \t\\]*$/;
/** A longer list is a table, in which a value may come again. */
const longest = 30;

/** What stands twice in one list, in lists of which a line is looked at. */
function repeatedElements(
  lines: readonly string[],
  isLookedAt: (line: string) => boolean,
): readonly string[] {
  const found: string[] = [];
  let list: { readonly indent: string; readonly elements: string[]; looked: boolean } | undefined;
  const close = (): void => {
    if (list?.looked === true && list.elements.length <= longest) found.push(...twiceIn(list.elements));
    list = undefined;
  };
  for (const line of lines) {
    const own = ownLine.exec(line);
    const element = own?.[2] ?? own?.[3] ?? own?.[4];
    if (own !== null && element !== undefined) {
      const indent = own[1] ?? '';
      if (list?.indent !== indent) close();
      list ??= { indent, elements: [], looked: false };
      list.elements.push(element);
      if (isLookedAt(line)) list.looked = true;
      continue;
    }
    close();
    if (line.length > longestLine || !isLookedAt(line)) continue;
    for (const [pattern, separator] of onOneLine) {
      const part = pattern.exec(line)?.[1];
      if (part !== undefined) found.push(...twiceIn(part.split(separator)));
    }
  }
  close();
  return found;
}

/** Arguments and fields have these again and again. */
const values: ReadonlySet<string> = new Set(['nil', 'true', 'false', 'null', 'none', 'yes', 'no']);

function twiceIn(elements: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  const twice: string[] = [];
  for (const element of elements.map((one) => one.replace(/^["'`]|["'`]$/g, ''))) {
    if (seen.has(element) && /[A-Za-z]{2}/.test(element) && !values.has(element)) twice.push(element);
    seen.add(element);
  }
  return twice;
}
