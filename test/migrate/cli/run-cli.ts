// Runs the built command line as a user would: another process, a closed standard input, no terminal.
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
export const isRoot = process.getuid?.() === 0;
const nobody = 65_534;

export interface Answer {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Begins the command line of a tool that runs as root: with a /run of its own, where this process may make one. The lock
 * of the machine in it is one for all tests that run beside each other.
 */
export function withOwnRun(): readonly string[] {
  const words = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs tmpfs /run && exec "$@"', 'sh'];
  mayMount ??= spawnSync('unshare', [...words.slice(1), 'true']).status === 0;
  return mayMount ? words : [];
}

let mayMount: boolean | undefined;

/** As a user without rights, unless told; a test that runs as root must not touch the machine that it runs on. */
export function runCli(args: readonly string[], { asRoot = false, cwd = '/' } = {}): Promise<Answer> {
  const { NO_COLOR: _colour, ...env } = process.env;
  const own = asRoot ? withOwnRun() : [];
  const [command = '', ...rest] = [...own, process.execPath, join(root, 'bin/lxd-to-incus.js'), ...args];
  const child = spawn(command, rest, {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(isRoot && !asRoot ? { uid: nobody, gid: nobody } : {}),
  });
  const answer = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (part) => (answer[name] += String(part)));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, ...answer }));
  });
}

/** Gives a tree to the user that `runCli` runs as, and lets him reach it. */
export function giveToUser(path: string): void {
  if (!isRoot) return;
  for (const name of fs.readdirSync(path, { recursive: true, encoding: 'utf8' }))
    fs.lchownSync(join(path, name), nobody, nobody);
  fs.chownSync(path, nobody, nobody);
  for (let folder = dirname(path); folder !== '/' && folder !== dirname(folder); folder = dirname(folder))
    fs.accessSync(folder, fs.constants.X_OK);
}

/** Every line of standard output as JSON; a line that is none is an error. */
export function events({ stdout }: Answer): Record<string, unknown>[] {
  const lines = stdout.split('\n');
  if (lines.pop() !== '') throw new Error(`the last line has no end: ${stdout.slice(-80)}`);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}
