// Installs and builds what is missing or older than its inputs, so that every npm script works alone on a
// fresh clone. Plain JavaScript that any Node from 18 on can run: nothing is installed when it starts.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Runs a command with the terminal's own input and output; ends this process with its status on failure. */
function must(command, args) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['inherit', 2, 2] });
  if (result.error) throw result.error;
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Newest modification time below a path, in milliseconds. */
function newest(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), 0);
}

const installed = join(root, 'node_modules', '.package-lock.json');
const lock = join(root, 'package-lock.json');
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  // Older versions of npm would compile better-sqlite3, which brings its binary along; Node's has to be set up.
  must('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts']);
  must('npm', ['rebuild', '--no-audit', '--no-fund', 'node', 'esbuild']);
}

const node = join(root, 'node_modules', '.bin', 'node');
const stamp = join(root, 'dist', '.built');
const inputs = ['src', 'rules', 'package-lock.json']
  .map((name) => join(root, name))
  .filter((path) => existsSync(path));
if (!existsSync(stamp) || inputs.some((path) => newest(path) > statSync(stamp).mtimeMs))
  must(node, [join(root, 'src', 'dev', 'build.mjs')]);
