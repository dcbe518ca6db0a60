// Failures of fork-sync: repositories, objects, rule packs, picks; the only place where their text is written.
import { type ExitCode, exitCode } from '../core/exit-code.ts';
import { Failure, unreachable } from '../core/failure.ts';
import { inert } from '../core/text.ts';
import { describeFormat, type OtherFormat } from './other-format.ts';
import { ownCall } from './own-command.ts';

export type SyncProblem =
  | { readonly code: 'not-a-repository'; readonly path: string; readonly detail: string }
  | { readonly code: 'object-names'; readonly path: string; readonly format: string }
  | { readonly code: 'cache-unusable'; readonly path: string; readonly why: string }
  | { readonly code: 'unknown-commit'; readonly name: string; readonly repository: string }
  | {
      readonly code: 'ambiguous-commit';
      readonly name: string;
      readonly repository: string;
      readonly candidates: readonly string[];
    }
  | { readonly code: 'object-missing'; readonly sha: string }
  | { readonly code: 'object-unreadable'; readonly sha: string; readonly detail: string }
  | { readonly code: 'not-the-type'; readonly sha: string; readonly wanted: string; readonly found: string }
  | { readonly code: 'git-stopped'; readonly command: string; readonly detail: string }
  | { readonly code: 'pack-invalid'; readonly errors: readonly PackError[] }
  | {
      readonly code: 'pairs-invalid';
      readonly path: string;
      /** Undefined: it is the file as a whole. */
      readonly line: number | undefined;
      readonly why: string;
    }
  /** Of another version of fork-sync. */
  | {
      readonly code: 'other-version';
      readonly what: string;
      readonly other: OtherFormat;
      readonly next: string;
    }
  | { readonly code: 'usage'; readonly why: string; readonly next: string }
  | { readonly code: 'credentials-missing'; readonly why: string; readonly next: string }
  | { readonly code: 'forge-failed'; readonly what: string; readonly status: number; readonly answer: string }
  | { readonly code: 'forge-limit'; readonly what: string }
  /** An answer that is not in the form of GitHub's description. */
  | { readonly code: 'forge-odd'; readonly what: string; readonly why: string }
  | { readonly code: 'push-refused'; readonly remote: string; readonly detail: string }
  | { readonly code: 'remote-failed'; readonly remote: string; readonly detail: string }
  | {
      readonly code: 'upstream-unreachable';
      readonly repository: string;
      /** The address that the repository would have been made from. */
      readonly from?: string;
      readonly detail: string;
    }
  | { readonly code: 'config-invalid'; readonly path: string; readonly errors: readonly ConfigError[] }
  | {
      readonly code: 'already-running';
      /** What its note says; undefined where there is none that can be read. */
      readonly holder:
        | { readonly pid: number; readonly since: string; readonly writtenBy: string }
        | undefined;
      readonly path: string;
    }
  | { readonly code: 'cannot-write'; readonly path: string; readonly why: string }
  | { readonly code: 'checkout-refused'; readonly path: string; readonly why: string; readonly next: string };

/** One thing wrong in a rule pack, with the place a person can go to. */
export interface PackError {
  readonly file: string;
  readonly at: string;
  readonly why: string;
}

/** One thing wrong in a configuration file. */
export interface ConfigError {
  readonly at: string;
  readonly why: string;
}

/** Makes the failure of a sync problem. */
export function syncFailure(problem: SyncProblem, cause?: unknown): Failure<SyncProblem> {
  return new Failure(problem, explain(problem), { cause, exitCode: exitOf(problem) });
}

function exitOf(problem: SyncProblem): ExitCode {
  if (problem.code === 'usage' || problem.code === 'config-invalid') return exitCode.usage;
  if (problem.code === 'forge-limit') return exitCode.interrupted;
  return exitCode.failed;
}

function explain(problem: SyncProblem): { what: string; where?: string; next?: string } {
  switch (problem.code) {
    case 'not-a-repository':
      return {
        what: `This is not a git repository: ${inert(problem.path)}`,
        where: problem.detail,
        next: problem.detail.includes('dubious ownership')
          ? 'It belongs to somebody else: run fork-sync as that user, or let the repository belong to yours. safe.directory is not heeded.'
          : 'Name the repository folder (with its .git, or bare) and try again.',
      };
    case 'object-names':
      return {
        what: `The objects of ${inert(problem.path)} have ${inert(problem.format)} names.`,
        next: 'fork-sync works on repositories with SHA-1 names.',
      };
    case 'cache-unusable':
      return {
        what: `The cache cannot be used: ${inert(problem.why)}`,
        where: problem.path,
        next: 'Name another folder with --cache, or remove the file if nothing else needs it.',
      };
    case 'unknown-commit':
      return {
        what: `No commit is called ${inert(problem.name)} in ${inert(problem.repository)}.`,
        next: 'Fetch it first, or give the full sha of a commit that is there.',
      };
    case 'ambiguous-commit':
      return {
        what: `${problem.candidates.length} commits begin with ${problem.name} in ${inert(problem.repository)}.`,
        where: problem.candidates.join('\n'),
        next: 'Give more of the sha.',
      };
    case 'object-missing':
      return {
        what: `object missing ${problem.sha}`,
        next: 'Fetch it into one of the two repositories; nothing was fetched by itself.',
      };
    case 'object-unreadable':
      return { what: `The object ${problem.sha} cannot be read.`, where: problem.detail };
    case 'not-the-type':
      return { what: `The object ${problem.sha} is a ${problem.found}; a ${problem.wanted} is needed here.` };
    case 'git-stopped':
      return { what: `${problem.command} ended before it answered.`, where: problem.detail };
    case 'pack-invalid':
      return {
        what: `The rule pack has ${problem.errors.length} error${problem.errors.length === 1 ? '' : 's'}.`,
        where: listErrors(problem.errors.map((error) => `${error.file}: ${error.at}: ${error.why}`)),
        next: `Mend the pack and run: ${ownCall(['rules', 'check'], 'rules')}`,
      };
    case 'pairs-invalid':
      return {
        what: `${problem.line === undefined ? 'The file of pairs cannot be used' : 'A line of the file of pairs cannot be read'}: ${problem.why}`,
        where: `${problem.path}${problem.line === undefined ? '' : `, line ${problem.line}`}`,
        next: 'Each line is: upstream sha, tab, fork sha; further columns are ignored, # begins a comment.',
      };
    case 'other-version':
      return {
        what: `${problem.what} cannot be used: ${describeFormat(problem.other)}.`,
        next: problem.next,
      };
    case 'usage':
      return { what: problem.why, next: problem.next };
    case 'credentials-missing':
      return { what: `The forge cannot be written to: ${inert(problem.why)}.`, next: problem.next };
    case 'forge-failed':
      return {
        what: `The forge refused or failed to ${inert(problem.what)} (status ${problem.status}).`,
        where: inert(problem.answer),
        next: forgeAdvice(problem.status),
      };
    case 'forge-odd':
      return {
        what: `What the forge answers for ${problem.what} is not in the form that GitHub describes.`,
        where: inert(problem.why),
        next: 'See that forge.apiUrl is the address of its interface: https://api.github.com, or https://HOST/api/v3.',
      };
    case 'forge-limit':
      return {
        what: `The forge's rate limit stands in the way of: ${inert(problem.what)}.`,
        next: 'Run the same command again later: it goes on where it stopped.',
      };
    case 'push-refused':
      return {
        what: `${inert(problem.remote)} refused the push; nothing of it was taken.`,
        where: problem.detail.split('\n').map(inert).join('\n'),
        next: 'See which rule of the repository (a hook, a protected branch) stands against it.',
      };
    case 'remote-failed':
      return {
        what: `git could not work with ${inert(problem.remote)}.`,
        where: problem.detail.split('\n').map(inert).join('\n'),
        next: 'See that the address is right and that the token may read and write there.',
      };
    case 'upstream-unreachable':
      return {
        what: `Upstream could not be fetched into ${inert(problem.repository)}; ${problem.from === undefined ? 'what is there already stays as it was' : 'nothing was made there'}.`,
        where: problem.detail.split('\n').map(inert).join('\n'),
        next:
          problem.from === undefined
            ? 'See what `git remote -v` says there (the remote is called origin), then run the same command again.'
            : `See that --from is right: ${inert(problem.from)}`,
      };
    case 'config-invalid':
      return {
        what: `The configuration has ${problem.errors.length} error${problem.errors.length === 1 ? '' : 's'}.`,
        where: listErrors(problem.errors.map((error) => `${problem.path}: ${error.at}: ${error.why}`)),
        next: 'Mend the file; docs/fork-sync/nightly.md lists every key.',
      };
    case 'already-running':
      return {
        what:
          problem.holder === undefined
            ? 'Another run is at work.'
            : `Another run is at work since ${problem.holder.since} (process ${problem.holder.pid}, ${problem.holder.writtenBy}).`,
        where: problem.path,
        next: 'Wait for it to end; its lock goes with it.',
      };
    case 'cannot-write':
      return {
        what: `Nothing can be written to ${inert(problem.path)}: ${inert(writeReasons[problem.why] ?? problem.why)}`,
        next: 'Name a file in a folder that is there and that you may write to.',
      };
    case 'checkout-refused':
      return { what: `Not done: ${problem.why}`, where: problem.path, next: problem.next };
    default:
      return unreachable(problem);
  }
}

/** A file that is something else altogether has an error a line. */
const mostErrors = 50;

function listErrors(errors: readonly string[]): string {
  const more = errors.length - mostErrors;
  return [...errors.slice(0, mostErrors).map(inert), ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}

const writeReasons: Readonly<Record<string, string>> = {
  ENOENT: 'its folder is not there (ENOENT)',
  ENOTDIR: 'a part of the path is no folder (ENOTDIR)',
  EACCES: 'you may not write there (EACCES)',
  EROFS: 'the file system takes no changes (EROFS)',
  ENOSPC: 'no space is left (ENOSPC)',
};

function forgeAdvice(status: number): string {
  if (status === 401) return 'The token is not valid (any more): give a new one.';
  if (status === 403 || status === 404)
    return 'See that the repository is named rightly and that the token may do this there.';
  if (status >= 500) return 'Run the same command again later: it goes on where it stopped.';
  return 'Nothing was changed by this request.';
}

/** Whether an error says that an object is not in this clone. */
export function isMissingObject(error: unknown): boolean {
  return error instanceof Failure && error.problem.code === 'object-missing';
}
