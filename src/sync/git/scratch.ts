// A repository of our own that borrows the objects of both inputs: results go here, the inputs are never written to.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { ensurePrivateFolder } from '../../core/durable.ts';
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
  ensurePrivateFolder(cache);
  const name = createHash('sha256').update(stores.join('\0')).digest('hex').slice(0, 16);
  const gitDir = join(cache, `${name}.git`);
  if (!existsSync(join(gitDir, 'HEAD')))
    await run(['git', 'init', '--quiet', '--bare', '--template=', '--', gitDir], {
      timeoutMs,
      env: gitEnvironment,
    });
  mkdirSync(join(gitDir, 'objects', 'info'), { recursive: true });
  writeFileSync(join(gitDir, 'objects', 'info', 'alternates'), `${[...new Set(stores)].join('\n')}\n`, {
    mode: 0o600,
  });
  return { gitDir };
}

async function objectsOf(repository: string): Promise<string> {
  const path = resolve(repository);
  const result = existsSync(path)
    ? await run(['git', '-C', path, 'rev-parse', '--git-path', 'objects'], {
        timeoutMs,
        env: gitEnvironment,
        accept: 'any',
      })
    : undefined;
  if (result === undefined || result.status !== 0) {
    const detail = result?.stderr.toString('utf8').trim().split('\n')[0] ?? 'there is nothing at this path';
    throw syncFailure({ code: 'not-a-repository', path, detail });
  }
  const found = result.stdout.toString('utf8').replace(/\n$/, '');
  return isAbsolute(found) ? found : join(path, found);
}
