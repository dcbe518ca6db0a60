// The folder in which root trees, disks and running machines are kept; what is expensive is made once, under a lock.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Where the harness keeps its files; LXD_TO_INCUS_E2E_CACHE names another folder. */
export function cacheFolder(): string {
  const folder = process.env['LXD_TO_INCUS_E2E_CACHE'] ?? '/var/cache/lxd-to-incus-e2e';
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** A short name for content that is made from `parts`; equal parts give equal names. */
export function cacheKey(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest('hex').slice(0, 12);
}

/**
 * Returns `path`, made by `make` where it is missing. `make` is given a temporary path beside it, which is renamed
 * when it is whole; what a failed or killed run left is removed. Two processes make it once.
 */
export async function madeOnce(path: string, make: (temporary: string) => Promise<void>): Promise<string> {
  if (existsSync(path)) {
    const now = new Date();
    utimesSync(path, now, now);
    return path;
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return withLock(join(dirname(path), `.${basename(path)}.lock`), async () => {
    if (existsSync(path)) return path;
    const prefix = `.${basename(path)}.making-`;
    const leftovers = readdirSync(dirname(path)).filter((name) => name.startsWith(prefix));
    // The lock is held, so nobody is at work on them.
    for (const name of leftovers) rmSync(join(dirname(path), name), { recursive: true, force: true });
    const temporary = join(dirname(path), `${prefix}${process.pid}`);
    try {
      await make(temporary);
      const now = new Date();
      utimesSync(temporary, now, now);
      renameSync(temporary, path);
      removeUnused(dirname(path));
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
    return path;
  });
}

/** What no run asked for in two weeks was made by an older version of the harness. */
function removeUnused(folder: string): void {
  const oldest = Date.now() - 14 * 24 * 3600 * 1000;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (!name.startsWith('.') && statSync(path).mtimeMs < oldest)
      rmSync(path, { recursive: true, force: true });
  }
}

/** Runs `work` while holding flock(2) on `path`; the lock ends with this process, however it ends. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  // `cat` ends when this process does, because its input is then closed.
  const holder = spawn('flock', ['--exclusive', path, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve, reject) => {
    holder.on('error', reject);
    holder.on('close', () => resolve());
  });
  const held = new Promise<void>((resolve) => holder.stdout.once('data', () => resolve()));
  try {
    await Promise.race([
      held,
      ended.then(() => Promise.reject(new Error(`flock ended before it held ${path}`))),
    ]);
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
