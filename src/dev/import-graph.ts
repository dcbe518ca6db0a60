// Which folders of the sources import which, types counted, and where that goes in a circle.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

/** By folder, what it imports: the other folder, and the files that do. */
export type ImportGraph = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/** Each of `import … from '…'`, `export … from '…'`, `import('…')` and `import '…'`. */
const importPattern =
  /(?:^|\n)\s*(?:import|export)\b[^;'"]*?\bfrom\s*['"](\.[^'"]+)['"]|\bimport\(\s*['"](\.[^'"]+)['"]\s*\)|(?:^|\n)import\s*['"](\.[^'"]+)['"]/g;

/**
 * @param folderOf of a file's path below `root`, with `/`; undefined: the file is no part of the graph
 */
export function importGraph(root: string, folderOf: (path: string) => string | undefined): ImportGraph {
  const graph = new Map<string, Map<string, string[]>>();
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts'))
    .sort();
  for (const file of files) {
    const from = folderOf(file);
    if (from === undefined) continue;
    const arrows = graph.get(from) ?? new Map<string, string[]>();
    graph.set(from, arrows);
    for (const imported of importsOf(readFileSync(join(root, file), 'utf8'))) {
      const to = folderOf(posix.normalize(posix.join(dirname(file), imported)));
      if (to === undefined || to === from) continue;
      const by = arrows.get(to) ?? [];
      if (!by.includes(file)) by.push(file);
      arrows.set(to, by);
    }
  }
  return graph;
}

/** The relative paths that a source imports. */
export function importsOf(source: string): string[] {
  return [...source.matchAll(importPattern)].flatMap(([, from, late, bare]) => from ?? late ?? bare ?? []);
}

/** Folders that import each other, directly or by others: each circle sorted, the largest first (Tarjan). */
export function circlesOf(graph: ImportGraph): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];
  const visit = (folder: string): void => {
    const own = index.size;
    index.set(folder, own);
    low.set(folder, own);
    stack.push(folder);
    for (const to of graph.get(folder)?.keys() ?? []) {
      if (!index.has(to)) visit(to);
      if (stack.includes(to)) low.set(folder, Math.min(low.get(folder) ?? own, low.get(to) ?? own));
    }
    if (low.get(folder) !== own) return;
    const circle = stack.splice(stack.indexOf(folder));
    if (circle.length > 1) circles.push(circle.sort());
  };
  for (const folder of graph.keys()) if (!index.has(folder)) visit(folder);
  return circles.sort((a, b) => b.length - a.length || ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1));
}

/** The folders directly below a program, its own files as one, and the two that it shares with the other; of that one none. */
export function roomsOf(program: 'migrate' | 'sync'): (path: string) => string | undefined {
  return (path) => {
    const [first = '', second, third] = path.split('/');
    if (second === undefined) return undefined;
    if (first !== program) return first === 'core' || first === 'dqlite' ? first : undefined;
    return third === undefined ? `${program}/*` : `${program}/${second}`;
  };
}
