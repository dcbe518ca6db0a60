// `npm run house`: arrows and circles between the folders of each program, and the functions that are long or take very much.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { circlesOf, importGraph, roomsOf } from './import-graph.ts';

const project = join(import.meta.dirname, '../..');
/** More lines, or as many parameters, and a function is looked at. */
const longLines = 100;
const manyParameters = 6;

for (const program of ['migrate', 'sync'] as const) {
  const graph = importGraph(join(project, 'src'), roomsOf(program));
  const arrows = [...graph.values()].reduce((sum, to) => sum + to.size, 0);
  const circles = circlesOf(graph);
  print(
    `${program}: ${graph.size} folders, ${arrows} arrows, ${circles.length} circles${circles.map((circle) => `\n  ${circle.length}: ${circle.join(' ')}`).join('')}`,
  );
}
const long = counted('noExcessiveLinesPerFunction', { maxLines: longLines, skipBlankLines: false });
const wide = counted('useMaxParams', { max: manyParameters - 1 });
print(`functions over ${longLines} lines: ${long}; with ${manyParameters} and more parameters: ${wide}`);

/** What one rule of the linter finds in the sources, with these options. */
function counted(rule: string, options: object): number {
  const folder = mkdtempSync(join(tmpdir(), 'house-'));
  try {
    const settings = {
      root: true,
      linter: {
        enabled: true,
        rules: { recommended: false, complexity: { [rule]: { level: 'error', options } } },
      },
      formatter: { enabled: false },
      assist: { enabled: false },
    };
    writeFileSync(join(folder, 'biome.json'), JSON.stringify(settings));
    const { stdout, stderr } = spawnSync(
      join(project, 'node_modules/.bin/biome'),
      ['lint', '--reporter=json', '--max-diagnostics=none', `--config-path=${folder}`, join(project, 'src')],
      { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
    );
    const start = stdout.indexOf('{');
    if (start < 0) throw new Error(`the linter printed no report: ${stderr}`);
    const report = z
      .object({ summary: z.object({ errors: z.number() }) })
      .parse(JSON.parse(stdout.slice(start)));
    return report.summary.errors;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
