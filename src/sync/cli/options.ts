// Options that several commands share, and how their values are read.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { inert } from '../../core/text.ts';
import type { GitMemory } from '../git/object-reader.ts';
import type { Engine } from '../pick/open-engine.ts';
import { openEngine } from '../pick/open-engine.ts';
import { syncFailure } from '../problem.ts';
import { loadPack } from '../rules/load-pack.ts';
import type { RulePack } from '../rules/model.ts';

export interface RulesOption {
  readonly rules?: string;
}

export interface RepositoryOptions extends RulesOption {
  readonly upstream?: string;
  readonly fork?: string;
  readonly cache?: string;
  readonly threads?: string;
}

export function withRules(command: Command): Command {
  return command.option('--rules <dir>', 'rule pack (default: rules/lxd-incus)');
}

export function withRepositories(command: Command): Command {
  return withRules(command)
    .option('--upstream <repository>', 'the upstream repository')
    .option('--fork <repository>', "the fork's repository")
    .option('--cache <dir>', 'where results and the scratch repository are kept (can be deleted)')
    .option('--threads <1|2>', 'threads that pick (default: 2, where there is enough to do)');
}

/** The pack named, or the one that comes with the program. */
export function openPack(options: RulesOption): RulePack {
  return loadPack(options.rules ?? join(packageRoot(), 'rules', 'lxd-incus'));
}

function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

export interface NamedRepositories {
  readonly upstream: string;
  readonly fork: string;
}

export function needRepositories(options: RepositoryOptions): NamedRepositories {
  const { upstream, fork } = options;
  if (upstream !== undefined && fork !== undefined) return { upstream, fork };
  throw syncFailure({
    code: 'usage',
    why: 'Both repositories are needed.',
    next: 'Give --upstream REPOSITORY and --fork REPOSITORY.',
  });
}

function readThreads(text: string | undefined): { readonly threads?: 1 | 2 } {
  if (text === undefined) return {};
  if (text === '1') return { threads: 1 };
  if (text === '2') return { threads: 2 };
  throw syncFailure({ code: 'usage', why: `This is not a number of threads: ${text}`, next: 'Give 1 or 2.' });
}

export async function openEngineFor(
  options: RepositoryOptions,
  pack: RulePack = openPack(options),
  gitMemory: GitMemory = 'little',
): Promise<Engine> {
  const { upstream, fork } = needRepositories(options);
  const cacheHome = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return openEngine({
    upstream,
    fork,
    pack,
    cache: options.cache ?? join(cacheHome, 'fork-sync'),
    program: import.meta.filename,
    ...readThreads(options.threads),
    gitMemory,
    note: (text) => process.stderr.write(`${inert(text)}\n`),
  });
}
