// `fork-sync scan` and `fork-sync status`: where every upstream commit stands.
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import { formatTable, inert } from '../../core/text.ts';
import { readable, readableJson } from '../git/output.ts';
import { openGit, resolveCommit } from '../git/resolve-commit.ts';
import type { Engine } from '../pick/open-engine.ts';
import { syncFailure } from '../problem.ts';
import { createReviewPage } from '../report/review-page.ts';
import { checkPagePath, writePage } from '../report/write-page.ts';
import { explainCommit } from '../scan/explain.ts';
import type { OpenScan } from '../scan/scan-repositories.ts';
import { type CommitState, countStates, type Scan, type ScannedCommit, states } from '../scan/scan-result.ts';
import { openScanFor, type ScanOptions } from './open-scan.ts';
import { needRepositories, openEngineFor, openPack, refuseUnused } from './options.ts';

export interface ScanCommandOptions extends ScanOptions {
  /** An upstream commit, or undefined. */
  readonly explain?: string;
  readonly json?: boolean;
  readonly html?: string;
  readonly state?: readonly string[];
  readonly courtesy?: boolean;
}

/** Every commit with its state and reason; exit 4 where nothing is pending. */
export async function runScan(options: ScanCommandOptions): Promise<ExitCode> {
  if (options.courtesy === true)
    refuseUnused(options, ['state'], 'with --courtesy, which lists commits of the fork');
  const wanted = readStates(options.state);
  const found = await scanFor(options);
  const scan = { ...found, commits: found.commits.filter((commit) => wanted.includes(commit.state)) };
  if (options.html !== undefined) writePage(options.html, createReviewPage({ scan, picks: [] }));
  if (options.json === true && options.courtesy === true)
    process.stdout.write(
      `${readableJson({ upstream: scan.upstream, fork: scan.fork, courtesy: scan.courtesy })}\n`,
    );
  else if (options.json === true) process.stdout.write(`${readableJson(scan)}\n`);
  else if (options.courtesy === true) process.stdout.write(`${formatCourtesy(scan)}\n`);
  else {
    for (const note of scan.notes) process.stderr.write(`${inert(readable(note))}\n`);
    process.stdout.write(`${formatCommits(scan.commits)}\n`);
  }
  return countStates(found.commits).pending > 0 ? exitCode.done : exitCode.nothingToDo;
}

/** How many commits are in each state and why; of one commit, all that is known. */
export async function runStatus(commit: string | undefined, options: ScanCommandOptions): Promise<ExitCode> {
  if (options.explain !== undefined) return explainStatus(options.explain, commit, options);
  const scan = await scanFor(options);
  if (options.html !== undefined) writePage(options.html, createReviewPage({ scan, picks: [] }));
  if (commit !== undefined) {
    const only = await findCommit(scan, commit, needRepositories(options).upstream);
    process.stdout.write(options.json === true ? `${readableJson(only)}\n` : `${describe(only)}\n`);
    return exitCode.done;
  }
  const counts = countStates(scan.commits);
  if (options.json === true)
    process.stdout.write(
      `${readableJson({ upstream: scan.upstream, fork: scan.fork, counts, reasons: countReasons(scan), courtesy: scan.courtesy.length, notes: scan.notes })}\n`,
    );
  else {
    for (const note of scan.notes) process.stderr.write(`${inert(readable(note))}\n`);
    process.stdout.write(
      `${formatTable(
        ['state', 'commits', 'reason'],
        countReasons(scan).map(({ state, commits, reason }) => [state, String(commits), readable(reason)]),
      )}\n`,
    );
  }
  return counts.pending > 0 ? exitCode.done : exitCode.nothingToDo;
}

/** By which evidence a commit is in its state. */
async function explainStatus(
  name: string,
  commit: string | undefined,
  options: ScanCommandOptions,
): Promise<ExitCode> {
  refuseUnused(options, ['html'], 'with --explain, which prints lines');
  if (commit !== undefined)
    throw syncFailure({
      code: 'usage',
      why: 'Two commits are named.',
      next: 'Give one of them to --explain, and nothing else.',
    });
  return withScan(options, async (open, { objects }) => {
    const only = await findCommit(open.scan, name, needRepositories(options).upstream);
    const lines = await explainCommit(objects, open, only);
    process.stdout.write(
      options.json === true
        ? `${readableJson({ ...only, lines })}\n`
        : `${lines.map((line) => inert(readable(line))).join('\n')}\n`,
    );
    return exitCode.done;
  });
}

function scanFor(options: ScanCommandOptions): Promise<Scan> {
  checkPagePath(options.html);
  return withScan(options, async ({ scan }) => scan);
}

async function withScan<T>(
  options: ScanCommandOptions,
  use: (open: OpenScan, engine: Engine) => Promise<T>,
): Promise<T> {
  const pack = openPack(options);
  const engine = await openEngineFor(options, pack, 'much');
  try {
    return await use(await openScanFor(options, pack, engine), engine);
  } finally {
    await engine.close();
  }
}

/** The commit of a name among those that were scanned. */
async function findCommit(scan: Scan, name: string, repository: string): Promise<ScannedCommit> {
  const found = scan.commits.filter((one) => one.sha.startsWith(name.toLowerCase()));
  const [only] = found;
  if (only !== undefined && found.length === 1 && /^[0-9a-f]{4,40}$/i.test(name)) return only;
  const sha = await resolveCommit(repository, name);
  const named = scan.commits.find((one) => one.sha === sha);
  if (named !== undefined) return named;
  const parents = await openGit(repository).raw(['show', '-s', '--format=%P', sha]);
  throw syncFailure({
    code: 'usage',
    why: parents.trim().includes(' ')
      ? `${sha} is a merge: the commits that it brought stand for themselves.`
      : `${sha} is not among the upstream commits since the fork point on ${scan.upstream.map((tip) => readable(tip.branch)).join(', ')}.`,
    next: 'Give another commit, or another branch with --branch.',
  });
}

function readStates(wanted: readonly string[] | undefined): readonly CommitState[] {
  if (wanted === undefined) return states;
  const unknown = wanted.find((name) => !states.some((state) => state === name));
  if (unknown === undefined) return states.filter((state) => wanted.includes(state));
  throw syncFailure({
    code: 'usage',
    why: `No state is called ${JSON.stringify(unknown)}.`,
    next: `States are ${states.join(', ')}.`,
  });
}

const longestSubject = 70;

function formatCommits(commits: readonly ScannedCommit[]): string {
  return formatTable(
    ['commit', 'branch', 'state', 'subject', 'reason'],
    commits.map(({ sha, branch, state, subject, reason }) => [
      sha.slice(0, 12),
      readable(branch),
      state,
      shorten(readable(subject)),
      readable(reason),
    ]),
  );
}

function shorten(text: string): string {
  const characters = [...text];
  return characters.length > longestSubject ? `${characters.slice(0, longestSubject).join('')}…` : text;
}

function describe(commit: ScannedCommit): string {
  const lines = [
    `${commit.sha} ${commit.subject}`,
    `${commit.state}: ${commit.reason}`,
    ...(commit.fork === undefined ? [] : [`fork commit ${commit.fork}`]),
    ...(commit.via === undefined ? [] : [`backport of ${commit.via}`]),
    ...(commit.missing ?? []).map(({ sha, subject }) => `missing ${sha} ${subject}`),
    ...(commit.evidence ?? []).map((line) => `licence: ${line}`),
  ];
  return lines.map((line) => inert(readable(line))).join('\n');
}

function formatCourtesy(scan: Scan): string {
  return formatTable(
    ['fork commit', 'upstream commit', 'branch', 'lag', 'picked before by', 'subject'],
    scan.courtesy.map(({ fork, upstream, branch, lagDays, duplicates, subject }) => [
      fork.slice(0, 12),
      upstream.slice(0, 12),
      readable(branch),
      `${lagDays} d`,
      duplicates.map((sha) => sha.slice(0, 12)).join(' '),
      shorten(readable(subject)),
    ]),
  );
}

/** Commits by state and reason; what names single commits or people counts as one reason. */
function countReasons(
  scan: Scan,
): readonly { readonly state: CommitState; readonly reason: string; readonly commits: number }[] {
  const counts = new Map<string, { state: CommitState; reason: string; commits: number }>();
  for (const { state, reason } of scan.commits) {
    const short =
      state === 'parked' || (state === 'skipped' && !reason.startsWith('rule '))
        ? (reason.split(':')[0] ?? '')
        : reason.startsWith('look again')
          ? 'look again'
          : reason;
    const key = `${state}\0${short}`;
    const known = counts.get(key) ?? { state, reason: short, commits: 0 };
    known.commits += 1;
    counts.set(key, known);
  }
  const rank = (state: CommitState): number => states.indexOf(state);
  return [...counts.values()].toSorted(
    (left, right) => rank(left.state) - rank(right.state) || right.commits - left.commits,
  );
}
