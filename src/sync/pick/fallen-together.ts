// Two names of upstream's that are one in the fork: side by side in a list they are the same element twice.
const quotedTwice = /(["'`])([\w.-]{2,})\1,?[ \t]+\1\2\1/;
const listed = /^[ \t]*(?:[-*][ \t]+)?["'`]?([\w.-]{2,})["'`]?,?[ \t\\]*$/;

/** The name that stands twice in a list after the merge, where neither side has it so. */
export function fallenTogether(sides: {
  readonly ours: string;
  readonly theirs: string;
  readonly merged: string;
}): string | undefined {
  if (sides.merged === sides.ours) return undefined;
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
