// Which paths of a list lie in no other one.

/** Each such path with all that lie in it, in the order of the list. */
export function groupByOutermost(paths: readonly string[]): Map<string, string[]> {
  const all = new Set(paths);
  const outermostOf = (path: string): string => {
    let found = path;
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
      if (all.has(path.slice(0, end))) found = path.slice(0, end);
    return found;
  };
  const groups = new Map<string, string[]>();
  for (const path of paths) {
    const outermost = outermostOf(path);
    const inside = groups.get(outermost) ?? [];
    groups.set(outermost, inside);
    if (path !== outermost) inside.push(path);
  }
  return groups;
}
