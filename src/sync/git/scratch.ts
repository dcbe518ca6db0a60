// A repository of our own that borrows the objects of both inputs: results go here, the inputs are never written to.
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { asFileFailure } from '../../core/as-file-failure.ts';
import { ensurePrivateFolder, makeFolders } from '../../core/durable.ts';
import { systemErrorCode } from '../../core/failure.ts';
import { run } from '../../core/run.ts';
import { syncFailure } from '../problem.ts';
import { gitEnvironment } from './git-environment.ts';

const timeoutMs = 60_000;

export interface Scratch {
  readonly gitDir: string;
}

/** Opens the scratch repository of this pair of inputs below the cache folder, making it where it is missing. */
export async function openScratch(cache: string, upstream: string, fork: string): Promise<Scratch> {
  const stores = await Promise.all([objectsOf(upstream), objectsOf(fork)]);
  asFileFailure('make the cache folder', cache, () => ensurePrivateFolder(cache));
  const name = createHash('sha256').update(stores.join('\0')).digest('hex').slice(0, 16);
  const gitDir = join(cache, `${name}.git`);
  if (!isWhole(gitDir)) {
    // What a cleaner of old files left of it is of no use.
    rmSync(gitDir, { recursive: true, force: true });
    await makeScratch(cache, gitDir, [...new Set(stores)].map((store) => `${quotePath(store)}\n`).join(''));
  }
  return { gitDir };
}

function isWhole(gitDir: string): boolean {
  return ['HEAD', 'config', 'refs', 'objects/info/alternates'].every((name) =>
    existsSync(join(gitDir, name)),
  );
}

/** As gitrepository-layout has it: a line that begins with a quote is a C string. */
function quotePath(path: string): string {
  return /^["#]|[\n\\]/.test(path) ? JSON.stringify(path) : path;
}

/** Made whole under another name first: a second process may be doing the same, and the first to rename wins. */
async function makeScratch(cache: string, gitDir: string, alternates: string): Promise<void> {
  const made = mkdtempSync(join(cache, 'new-'));
  try {
    await run(['git', 'init', '--quiet', '--bare', '--template=', '--object-format=sha1', '--', made], {
      timeoutMs,
      env: gitEnvironment,
    });
    makeFolders(join(made, 'objects', 'info'));
    writeFileSync(join(made, 'objects', 'info', 'alternates'), alternates, { mode: 0o600 });
    renameSync(made, gitDir);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    if (systemErrorCode(error) !== 'ENOTEMPTY' && systemErrorCode(error) !== 'EEXIST') throw error;
  }
}

async function objectsOf(repository: string): Promise<string> {
  const path = resolve(repository);
  // A path is never an option here: it is absolute.
  const ask = (...args: readonly string[]) =>
    run(['git', '-C', path, 'rev-parse', ...args], { timeoutMs, env: gitEnvironment, accept: 'any' });
  if (!existsSync(path))
    throw syncFailure({ code: 'not-a-repository', path, detail: 'there is nothing at this path' });
  const result = await ask('--show-object-format', '--git-path', 'objects');
  const [format = '', ...rest] = result.stdout.toString('utf8').replace(/\n$/, '').split('\n');
  if (result.status !== 0) {
    const detail = result.stderr.toString('utf8').trim().split('\n')[0] ?? '';
    throw syncFailure({ code: 'not-a-repository', path, detail });
  }
  if (format !== 'sha1') throw syncFailure({ code: 'object-names', path, format });
  const found = rest.join('\n');
  return isAbsolute(found) ? found : join(path, found);
}
