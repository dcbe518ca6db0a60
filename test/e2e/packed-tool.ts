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

async function pack(): Promise<string> {
  await run([process.execPath, join(root, 'src', 'dev', 'build.mjs')], { timeoutMs: 120_000, cwd: root });
  await run([process.execPath, join(root, 'src', 'dev', 'pack-host.ts')], { timeoutMs: 300_000, cwd: root });
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return join(root, `lxd-to-incus-${version}-linux-x64.tar.gz`);
}
