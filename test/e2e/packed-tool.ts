// The tarball that the end-to-end tests run: packed once for a whole run, as `npm run pack:host` does it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../src/core/run.ts';

const root = join(import.meta.dirname, '..', '..');
/** Set by the first who packs, so that no worker of the same run does it once more. */
const variable = 'LXD_TO_INCUS_E2E_TARBALL';

/** Path of the tarball. */
export async function packedTool(): Promise<string> {
  process.env[variable] ??= await pack();
  return process.env[variable];
}

/** Half a minute where nothing else runs; a machine with twenty times as much to do has taken more than five. */
const limitMs = 1_800_000;

async function pack(): Promise<string> {
  for (const script of ['build.mjs', 'pack-host.ts'])
    await run([process.execPath, join(root, 'src', 'dev', script)], { timeoutMs: limitMs, cwd: root });
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return join(root, `lxd-to-incus-${version}-linux-x64.tar.gz`);
}
