// Options that several commands share, and how their values are read.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
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

export function withUpstream(command: Command): Command {
  return withRules(command).option('--upstream <repository>', 'the upstream repository');
}

export function withFork(command: Command): Command {
  return withUpstream(command).option('--fork <repository>', "the fork's repository");
}

export function withRepositories(command: Command): Command {
  return withFork(command).option(
    '--cache <dir>',
    'where results and the scratch repository are kept (can be deleted)',
  );
}

/** Of commands that pick many commits. */
export function withThreads(command: Command): Command {
  return withRepositories(command).option(
    '--threads <1|2>',
    'threads that pick (default: 2, where there is enough to do)',
  );
}

/** A value that was given is used: twice, or empty, is a mistake and not a wish. */
export function refuseDoubled(command: Command): void {
  for (const option of command.options)
    if (option.required && !option.variadic)
      option.argParser((value: string, previous: unknown) => {
        if (previous !== undefined) throw new InvalidArgumentError('It is given twice.');
        if (value === '') throw new InvalidArgumentError('It is empty.');
        return value;
      });
  for (const inner of command.commands) refuseDoubled(inner);
}

/** Answers options that this call would not use. */
export function refuseUnused(options: object, names: readonly string[], why: string): void {
  const given = Object.entries(options).find(([name, value]) => names.includes(name) && value !== undefined);
  if (given === undefined) return;
  const option = `--${given[0].replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw syncFailure({ code: 'usage', why: `${option} is not used ${why}.`, next: 'Leave it out.' });
}

export function needUpstream({ upstream }: RepositoryOptions): string {
  if (upstream !== undefined) return upstream;
  throw syncFailure({
    code: 'usage',
    why: 'The upstream repository is needed.',
    next: 'Give --upstream REPOSITORY.',
  });
}

/** A whole number from 1 on. */
export function readCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw syncFailure({
    code: 'usage',
    why: `This is not a number of picks: ${text}`,
    next: 'Give a whole number from 1 on.',
  });
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
