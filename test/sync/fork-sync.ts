// Runs the built fork-sync as a person would, and names the repositories of a tiny history to it.
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { TinyFork } from '../../fixtures/histories/tiny-fork.ts';

export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
  /** In place of this process's own. */
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds after which it is ended, where a test is about waiting. */
  readonly timeout?: number;
}

export function forkSync(args: readonly string[], options: RunOptions = {}): SpawnSyncReturns<string> {
  const program = join(import.meta.dirname, '..', '..', 'bin', 'fork-sync.js');
  const maxBuffer = 64 * 1024 * 1024;
  return spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', maxBuffer, ...options });
}

export function repositoriesOf({ upstream, fork, rules, cache }: TinyFork): string[] {
  return ['--upstream', upstream, '--fork', fork, '--rules', rules, '--cache', cache];
}
