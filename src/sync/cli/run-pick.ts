// `fork-sync pick`: upstream commits onto fork commits; one line of JSON each, or a short account for people.
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import { inert, shellWord } from '../../core/text.ts';
import { readable, readableJson } from '../git/output.ts';
import { resolveCommits } from '../git/resolve-commit.ts';
import { asCalled } from '../own-command.ts';
import type { Engine } from '../pick/open-engine.ts';
import type { PickRequest } from '../pick/open-workshop.ts';
import { pickRef } from '../pick/pick-batches.ts';
import { pickCleared } from '../pick/pick-cleared.ts';
import type { PickResult } from '../pick/pick-result.ts';
import { syncFailure } from '../problem.ts';
import { reversePack } from '../rules/reverse-pack.ts';
import type { ScanTip } from '../scan/scan-result.ts';
import { interruption } from './interrupt.ts';
import { listedTips } from './open-scan.ts';
import {
  type NamedRepositories,
  needRepositories,
  openEngineFor,
  openPack,
  type RepositoryOptions,
  refuseUnused,
} from './options.ts';

export interface PickCommandOptions extends RepositoryOptions {
  readonly onto?: string;
  readonly stdin?: boolean;
  readonly json?: boolean;
  readonly reverse?: boolean;
}

/** A pick under way has so long to end after an interruption. */
const graceMs = 1000;

/** Each commit is picked onto the same fork commit unless `--stdin` pairs them itself. */
export async function runPick(commits: readonly string[], options: PickCommandOptions): Promise<ExitCode> {
  const reversed = options.reverse === true ? reversePack(openPack(options)) : undefined;
  // The other way round the fork is what is picked from, and upstream what is picked onto.
  const sides =
    reversed === undefined ? options : { ...options, ...swapped(needRepositories(options)), reverse: false };
  for (const loss of reversed?.losses ?? []) process.stderr.write(`no way back: ${inert(readable(loss))}\n`);
  const requests = await readRequests(commits, sides);
  const statuses = new Set<string>();
  let opened: Engine | undefined;
  let picked = 0;
  const sayInterrupted = (): void => {
    process.stderr.write(
      `Interrupted after ${picked} of ${requests.length} picks. What was printed is kept; the same command goes on.\n`,
    );
  };
  // A pick, or what all picks need first, may take long on a busy machine: nobody waits for its end.
  let grace: NodeJS.Timeout | undefined;
  const signal = interruption(() => {
    grace = setTimeout(() => {
      sayInterrupted();
      // What was made and could not be printed yet, for its turn had not come, is in the cache.
      void opened?.close();
      process.exit(exitCode.interrupted);
    }, graceMs).unref();
  });
  const engine = await openEngineFor(sides, reversed?.pack);
  opened = engine;
  try {
    const tips = (): Promise<readonly ScanTip[]> => listedTips(needRepositories(sides).upstream, engine.pack);
    for await (const { pick, request } of pickCleared(engine, tips, requests, { keep: true, signal })) {
      const { result } = pick;
      statuses.add(result.status);
      picked += 1;
      process.stdout.write(
        `${options.json === true ? formatJson(result) : describe(result, engine.gitDir, pickRef(request))}\n`,
      );
    }
  } finally {
    clearTimeout(grace);
    await engine.close();
  }
  if (picked < requests.length) {
    sayInterrupted();
    return exitCode.interrupted;
  }
  if (statuses.has('conflict') || statuses.has('blocked')) return exitCode.blocked;
  const something = statuses.has('clean') || statuses.has('review');
  return something ? exitCode.done : exitCode.nothingToDo;
}

function swapped({ upstream, fork }: NamedRepositories): NamedRepositories {
  return { upstream: fork, fork: upstream };
}

async function readRequests(
  commits: readonly string[],
  options: PickCommandOptions,
): Promise<readonly PickRequest[]> {
  const { upstream, fork } = needRepositories(options);
  if (options.stdin === true) {
    refuseUnused(options, ['onto'], 'with --stdin: each line names its own fork commit');
    if (commits.length > 0)
      throw syncFailure({
        code: 'usage',
        why: 'Commits are named, and --stdin as well.',
        next: 'Give one or the other.',
      });
  }
  const pairs =
    options.stdin === true ? await readStdin() : commits.map((commit) => [commit, options.onto] as const);
  if (options.stdin !== true && options.onto === undefined)
    throw syncFailure({
      code: 'usage',
      why: 'pick needs a fork commit.',
      next: 'Give --onto FORK_COMMIT, or --stdin.',
    });
  if (options.stdin !== true && commits.length === 0)
    throw syncFailure({
      code: 'usage',
      why: 'pick needs upstream commits.',
      next: 'Name one or more, or give --stdin.',
    });
  const [commitShas, ontoShas] = await Promise.all([
    resolveCommits(
      upstream,
      pairs.map(([commit]) => commit),
    ),
    resolveCommits(
      fork,
      pairs.map(([, onto]) => onto ?? ''),
    ),
  ]);
  return pairs.map((_, index) => ({ upstream: commitShas[index] ?? '', onto: ontoShas[index] ?? '' }));
}

/** More than 700,000 pairs. */
const longestInput = 64 * 1024 * 1024;

async function readStdin(): Promise<readonly (readonly [string, string])[]> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    const piece = Buffer.from(chunk);
    bytes += piece.length;
    if (bytes > longestInput)
      throw syncFailure({
        code: 'usage',
        why: `The input has more than ${longestInput} bytes: that is no list of commits.`,
        next: 'Give one pair of commits a line.',
      });
    chunks.push(piece);
  }
  const lines = Buffer.concat(chunks).toString('utf8').split('\n');
  return lines.flatMap((line, index): readonly (readonly [string, string])[] => {
    if (line.trim() === '') return [];
    const [commit, onto, more] = line.split('\t');
    if (commit === undefined || onto === undefined || more !== undefined)
      throw syncFailure({
        code: 'usage',
        why: `Line ${index + 1} of the input is not "upstream<TAB>onto".`,
        next: 'Give one pair of commits a line.',
      });
    return [[commit.trim(), onto.trim()]];
  });
}

/** The keys in the order of the command-line contract; what a pick does not have is null, never left out. */
function formatJson(result: PickResult): string {
  const { upstream, onto, status, tree, commit, files, doubts, conflicts, reasons } = result;
  return readableJson({
    upstream,
    onto,
    status,
    tree: tree ?? null,
    commit: commit ?? null,
    files,
    doubts,
    conflicts: conflicts.map((conflict) => ({ ...conflict, next: asCalled(conflict.next) })),
    reasons,
  });
}

function bytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function describe(result: PickResult, gitDir: string, ref: string): string {
  const lines = [`${result.upstream.slice(0, 12)} -> ${result.status}`];
  for (const file of result.files)
    lines.push(`  ${file.how}: ${file.from === file.path ? '' : `${file.from} -> `}${file.path}`);
  for (const doubt of result.doubts) lines.push(`  doubt (${doubt.rule}) in ${doubt.path}: ${doubt.why}`);
  for (const conflict of result.conflicts) {
    lines.push(
      `  conflict (${conflict.type}) in ${conflict.path}: ${conflict.why}`,
      `    next: ${asCalled(conflict.next)}`,
    );
    for (const { line, forkCommit, forkSubject } of conflict.hunks ?? [])
      if (forkCommit !== undefined)
        lines.push(`    line ${line}: changed in the fork by ${forkCommit} (${forkSubject ?? ''})`);
    if (conflict.hunks === undefined && conflict.forkCommit !== undefined)
      lines.push(`    changed in the fork by ${conflict.forkCommit}`);
    for (const sha of conflict.prerequisites ?? []) lines.push(`    not in the fork yet: ${sha}`);
  }
  for (const reason of result.reasons) lines.push(`  ${reason}`);
  if (result.commit !== undefined)
    lines.push(`  commit ${result.commit}; to have it: git fetch ${bytes(shellWord(gitDir))} ${ref}`);
  return lines.map((line) => inert(readable(line))).join('\n');
}
