// The tarball that the end-to-end tests run: packed once a run, as `npm run pack:host` does it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../src/core/run.ts';

const root = join(import.meta.dirname, '..', '..');
let packed: Promise<string> | undefined;

/** Path of the tarball. */
export function packedTool(): Promise<string> {
  packed ??= pack();
  return packed;
}

async function pack(): Promise<string> {
  await run([process.execPath, join(root, 'src', 'dev', 'build.mjs')], { timeoutMs: 120_000, cwd: root });
  await run([process.execPath, join(root, 'src', 'dev', 'pack-host.ts')], { timeoutMs: 300_000, cwd: root });
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return join(root, `lxd-to-incus-${version}-linux-x64.tar.gz`);
}
