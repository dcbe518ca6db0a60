// A copy of this program in the folder of a run, for a host on which it would not be there any more when it is needed.
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { makeFolders, syncFolder } from '../../core/durable.ts';
import { type Invocation, thisProcess } from '../../core/program-name.ts';
import { shellWord } from '../../core/text.ts';

/** The launcher of the copy that a run keeps; it need not exist. */
export function keptProgram(runFolder: string): string {
  return join(runFolder, 'program', 'lxd-to-incus');
}

/**
 * Made where the program lies in a place that does not last, with its node where that does not either.
 * @throws system errors; nothing is left of a copy that is not complete
 */
export function keepProgram(
  runFolder: string,
  isPassing: (file: string) => boolean,
  { script, node }: Invocation = thisProcess(),
): void {
  const [realScript, realNode] = [fs.realpathSync(script), fs.realpathSync(node)];
  if (!isPassing(realScript)) return;
  const launcher = keptProgram(runFolder);
  const folder = dirname(launcher);
  try {
    const root = dirname(dirname(realScript));
    for (const part of ['bin', 'dist/node_modules/better-sqlite3']) makeFolders(join(folder, part), 0o700);
    for (const part of ['bin/lxd-to-incus.js', 'dist/lxd-to-incus.js', 'package.json'])
      copyDurable(join(root, part), join(folder, part));
    // What the bundle does not hold, found as node finds it.
    const sqlite = dirname(createRequire(join(root, 'dist', 'x.js')).resolve('better-sqlite3/package.json'));
    for (const part of ['package.json', 'lib', 'prebuilds', 'build/Release/better_sqlite3.node'])
      if (fs.existsSync(join(sqlite, part)))
        fs.cpSync(join(sqlite, part), join(folder, 'dist/node_modules/better-sqlite3', part), {
          recursive: true,
        });
    const ownNode = isPassing(realNode);
    if (ownNode) copyDurable(realNode, join(folder, 'bin/node'));
    const start = ownNode ? '"$here/bin/node"' : shellWord(realNode);
    fs.writeFileSync(
      launcher,
      `#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\nexec ${start} "$here/bin/lxd-to-incus.js" "$@"\n`,
      { mode: 0o700, flush: true },
    );
    syncFolder(folder);
  } catch (error) {
    fs.rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function copyDurable(from: string, to: string): void {
  fs.copyFileSync(from, to);
  const fd = fs.openSync(to, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
