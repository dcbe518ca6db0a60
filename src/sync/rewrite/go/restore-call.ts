// A call that the fork exchanged for one of fewer values, where upstream gives it more of them now: `errors.New`.
import { substitutions } from '../evidence.ts';
import { tokenize } from '../tokens.ts';
import { callArguments } from './call-arguments.ts';

/**
 * The fork's line, with upstream's call again where upstream changed how many values it takes. Both have to be of the
 * standard library: what upstream's own functions are in the fork is for the rest of the rewriting to say.
 */
export function restoreCalls(
  lines: { readonly base: string; readonly ours: string; readonly theirs: string },
  isStandard: (qualifier: string) => boolean,
): string {
  const isCall = (name: string): boolean => /^\w+\.\w+$/.test(name) && isStandard(qualifierOf(name));
  const tokens = tokenize(lines.base);
  let restored = lines.ours;
  for (const [index, from, to] of substitutions(tokens, tokenize(lines.ours))) {
    if (from === to || tokens[index + 1] !== '(' || !isCall(from) || !isCall(to)) continue;
    const before = argumentsOf(lines.base, from);
    const after = argumentsOf(lines.theirs, from);
    if (before === undefined || after === undefined || before === after) continue;
    restored = restored.replace(`${to}(`, () => `${from}(`);
  }
  return restored;
}

function qualifierOf(name: string): string {
  return name.slice(0, name.indexOf('.'));
}

function argumentsOf(line: string, name: string): number | undefined {
  const at = line.indexOf(`${name}(`);
  return at < 0 ? undefined : callArguments(line, at + name.length)?.pieces.length;
}
