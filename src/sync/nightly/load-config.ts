// Reads fork-sync.yaml: checked against its schema, unknown keys refused, paths taken from where the file stands.

import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import type { Argv } from '../../core/run.ts';
import { suggest } from '../../core/suggest.ts';
import { describeFormat, otherFormatOf } from '../other-format.ts';
import { type ConfigError, syncFailure } from '../problem.ts';
import type { CredentialSource } from '../publish/github/credentials.ts';
import { titleNames } from '../publish/pull-request-text.ts';
import { isSameRepository } from '../publish/same-repository.ts';
import { readGivenText } from '../read-given-text.ts';
import { type SchemaNode, validateSchema } from '../rules/validate-schema.ts';
import schema from './config-schema.json' with { type: 'json' };

/** The file as its schema describes it. */
interface ConfigFile {
  readonly upstream: string;
  readonly fork: string;
  readonly rules?: string;
  readonly cache?: string;
  readonly branches?: readonly string[];
  readonly forge?: CredentialSource & { readonly apiUrl?: string; readonly login?: string };
  readonly publish: {
    readonly repositories: readonly string[];
    readonly repository: string;
    readonly headRepository?: string;
    readonly remote?: string;
    readonly baseRemote?: string;
    readonly base: string;
    readonly branch: string;
    readonly title?: string;
    readonly labels?: readonly string[];
    readonly personLabel?: string;
    readonly decisions?: string;
    readonly statusTitle?: string;
    readonly commitUrl?: string;
  };
  readonly limits?: Partial<Limits>;
  readonly preflight?: {
    readonly build?: readonly string[];
    readonly go?: boolean;
    readonly buildMinutes?: number;
    readonly buildEnvironment?: readonly string[];
    readonly forbiddenTrailerWords?: readonly string[];
  };
}

interface Limits {
  readonly commits: number;
  readonly writes: number;
  readonly minutes: number;
  /** Longest wait for the forge's rate limit. */
  readonly waitSeconds: number;
  /** Between two writes; three times as long between those that notify people. */
  readonly pauseMilliseconds: number;
}

export interface NightlyConfig {
  readonly path: string;
  readonly upstream: string;
  readonly fork: string;
  /** Undefined: the pack that comes with the program. */
  readonly rules: string | undefined;
  readonly cache: string;
  /** Upstream branches; undefined: those of the pack. */
  readonly branches: readonly string[] | undefined;
  readonly forge: CredentialSource & { readonly apiUrl: string; readonly login: string | undefined };
  readonly publish: {
    readonly repositories: readonly string[];
    readonly repository: string;
    readonly headRepository: string;
    readonly remote: string;
    readonly baseRemote: string;
    readonly base: string;
    readonly branch: string;
    readonly title: string;
    readonly labels: readonly string[];
    readonly personLabel: string;
    readonly decisions: string | undefined;
    readonly statusTitle: string;
    readonly commitUrl: string | undefined;
  };
  readonly limits: Limits;
  readonly preflight: {
    readonly build: Argv | undefined;
    /** Whether Go, where it is installed, builds what the picks touched. */
    readonly go: boolean;
    readonly buildMinutes: number;
    readonly buildEnvironment: readonly string[];
    readonly forbiddenTrailerWords: readonly string[];
  };
}

const largestFile = 1024 * 1024;
const repositoryName = /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\/[A-Za-z0-9._-]+$/;
const address = /^(?:https?|ssh|file):\/\/[^\s@]+$/;
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;
const folder = /^(?!\/)(?!.*(?:^|\/)\.\.?(?:\/|$))[\w./-]+[\w-]$/;

/** @throws {Failure<SyncProblem>} config-invalid, with everything that is wrong */
export function loadConfig(path: string): NightlyConfig {
  const value = readYaml(path);
  const other = otherFormatOf(value);
  if (other !== undefined)
    throw syncFailure({
      code: 'config-invalid',
      path,
      errors: [{ at: 'format', why: describeFormat(other) }],
    });
  const errors: ConfigError[] = [...validateSchema(value, schema as unknown as SchemaNode)];
  if (errors.length > 0) throw syncFailure({ code: 'config-invalid', path, errors });
  // The schema has just proven the shape.
  const file = value as ConfigFile;
  errors.push(...checkValues(file));
  if (errors.length > 0) throw syncFailure({ code: 'config-invalid', path, errors });
  return complete(resolve(path), file);
}

function readYaml(path: string): unknown {
  const read = readGivenText(path, largestFile);
  if ('why' in read)
    throw syncFailure({ code: 'config-invalid', path, errors: [{ at: 'file', why: read.why }] }, read.cause);
  const lines = new LineCounter();
  const document = parseDocument(read.text, { lineCounter: lines, uniqueKeys: true });
  if (document.errors.length > 0)
    throw syncFailure({
      code: 'config-invalid',
      path,
      errors: document.errors.map((error) => ({
        at: `line ${lines.linePos(error.pos[0]).line}`,
        why: error.message.split('\n')[0] ?? '',
      })),
    });
  return document.toJS({ maxAliasCount: 0 });
}

/** A ref name as git allows it, and without anything that a command line or a page could take for more. */
export function isBranchName(name: string): boolean {
  return (
    /^[A-Za-z0-9_][\w./+-]*$/.test(name) &&
    !/\.\.|\/\/|\/\.|\.\/|\.lock(?:\/|$)/.test(name) &&
    !/[./]$/.test(name)
  );
}

function checkValues({ publish, forge = {} }: ConfigFile): readonly ConfigError[] {
  const errors: ConfigError[] = [];
  const check = (
    at: string,
    value: string | undefined,
    right: (value: string) => boolean,
    what: string,
  ): void => {
    if (value !== undefined && !right(value))
      errors.push({ at, why: `${JSON.stringify(value)} is not ${what}` });
  };
  const name = (value: string): boolean => repositoryName.test(value);
  for (const [index, one] of publish.repositories.entries())
    check(`publish.repositories[${index}]`, one, name, 'owner/name');
  check('publish.repository', publish.repository, name, 'owner/name');
  check('publish.headRepository', publish.headRepository, name, 'owner/name');
  for (const key of ['base', 'branch'] as const)
    check(`publish.${key}`, publish[key], isBranchName, 'a name of a branch');
  for (const key of ['remote', 'baseRemote'] as const)
    check(
      `publish.${key}`,
      publish[key],
      (value) => address.test(value),
      'an address without a name or token in it',
    );
  check('publish.decisions', publish.decisions, (value) => folder.test(value), 'a folder in the repository');
  check(
    'publish.commitUrl',
    publish.commitUrl,
    (value) => /^https?:\/\/[^\s()<>]+$/.test(value),
    'an address',
  );
  check('forge.apiUrl', forge.apiUrl, (value) => /^https?:\/\/[^\s@]+$/.test(value), 'an address');
  check(
    'forge.tokenVariable',
    forge.tokenVariable,
    (value) => variableName.test(value),
    'a name of a variable',
  );
  for (const [, word = ''] of (publish.title ?? '').matchAll(/\{(\w*)\}/g))
    if (!(titleNames as readonly string[]).includes(word))
      errors.push({ at: 'publish.title', why: `{${word}} is not known${suggest(word, titleNames)}` });
  // Nothing is ever written anywhere else.
  for (const key of ['repository', 'headRepository'] as const) {
    const value = publish[key];
    if (value !== undefined && !publish.repositories.some((one) => isSameRepository(one, value)))
      errors.push({ at: `publish.${key}`, why: `${value} is not listed in publish.repositories` });
  }
  return errors;
}

function complete(path: string, file: ConfigFile): NightlyConfig {
  const at = (value: string): string =>
    value.startsWith('~/') ? join(homedir(), value.slice(2)) : resolve(dirname(path), value);
  const { publish, forge = {}, limits = {}, preflight = {} } = file;
  const headRepository = publish.headRepository ?? publish.repository;
  const apiUrl = (forge.apiUrl ?? 'https://api.github.com').replace(/\/+$/, '');
  const remote = publish.remote ?? `${webOf(apiUrl)}/${headRepository}.git`;
  const [command, ...args] = preflight.build ?? [];
  return {
    path,
    upstream: at(file.upstream),
    fork: at(file.fork),
    rules: file.rules === undefined ? undefined : at(file.rules),
    cache:
      file.cache === undefined
        ? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'fork-sync')
        : at(file.cache),
    branches: file.branches,
    forge: {
      ...forge,
      ...(forge.tokenFile === undefined ? {} : { tokenFile: at(forge.tokenFile) }),
      ...(forge.app?.keyFile === undefined ? {} : { app: { ...forge.app, keyFile: at(forge.app.keyFile) } }),
      apiUrl,
      login: forge.login,
    },
    publish: {
      repositories: publish.repositories,
      repository: publish.repository,
      headRepository,
      remote,
      baseRemote:
        publish.baseRemote ??
        (isSameRepository(headRepository, publish.repository)
          ? remote
          : `${webOf(apiUrl)}/${publish.repository}.git`),
      base: publish.base,
      branch: publish.branch,
      title: publish.title ?? '{commits} from {name} {branch}',
      labels: publish.labels ?? [],
      personLabel: publish.personLabel ?? 'needs a person',
      decisions: publish.decisions,
      statusTitle: publish.statusTitle ?? 'Upstream commits: where they stand',
      commitUrl: publish.commitUrl,
    },
    limits: {
      commits: limits.commits ?? 30,
      writes: limits.writes ?? 50,
      minutes: limits.minutes ?? 60,
      waitSeconds: limits.waitSeconds ?? 900,
      pauseMilliseconds: limits.pauseMilliseconds ?? 1000,
    },
    preflight: {
      build: command === undefined ? undefined : [command, ...args],
      go: preflight.go === true,
      buildMinutes: preflight.buildMinutes ?? 30,
      buildEnvironment: preflight.buildEnvironment ?? [],
      forbiddenTrailerWords: (preflight.forbiddenTrailerWords ?? []).map((word) => word.toLowerCase()),
    },
  };
}

/** `https://api.github.com` → `https://github.com`, `https://HOST/api/v3` → `https://HOST`. */
export function webOf(apiUrl: string): string {
  const url = new URL(apiUrl);
  return url.host === 'api.github.com' ? 'https://github.com' : url.origin;
}
