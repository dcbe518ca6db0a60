// Path globs of the rule pack: `*` within a name, `**` across folders; matched in linear time, without expressions.

/** Whether a path matches a pattern. */
export function matchesGlob(pattern: string, path: string): boolean {
  return matchParts(pattern.split('/'), path.split('/'));
}

export function matchesAnyGlob(patterns: readonly string[], path: string): boolean {
  return patterns.some((pattern) => matchesGlob(pattern, path));
}

function matchParts(pattern: readonly string[], parts: readonly string[]): boolean {
  // Two-pointer matching with one place to come back to: the last `**` seen.
  let p = 0;
  let s = 0;
  let back: readonly [number, number] | undefined;
  while (s < parts.length) {
    const want = pattern[p];
    if (want === '**') {
      back = [p, s];
      p += 1;
    } else if (want !== undefined && matchName(want, parts[s] ?? '')) {
      p += 1;
      s += 1;
    } else if (back !== undefined) {
      const [at, from] = back;
      back = [at, from + 1];
      p = at + 1;
      s = from + 1;
    } else return false;
  }
  while (pattern[p] === '**') p += 1;
  return p === pattern.length;
}

function matchName(pattern: string, name: string): boolean {
  const pieces = pattern.split('*');
  const [first = '', ...rest] = pieces;
  if (rest.length === 0) return pattern === name;
  if (!name.startsWith(first)) return false;
  let position = first.length;
  const last = rest.pop() ?? '';
  for (const piece of rest) {
    const found = name.indexOf(piece, position);
    if (found < 0) return false;
    position = found + piece.length;
  }
  return name.length - last.length >= position && name.endsWith(last);
}
