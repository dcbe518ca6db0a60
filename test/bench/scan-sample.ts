// Draws a sample of scanned commits by a seed and lays what git itself says of each beside it, to be checked by hand.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type Scan, type ScannedCommit, states } from '../../src/sync/scan/scan-result.ts';

const root = join(import.meta.dirname, '..', '..');
const { FORK_SYNC_UPSTREAM: upstream, FORK_SYNC_FORK: fork, SAMPLE_SCAN: kept } = process.env;
const seed = process.env['SAMPLE_SEED'] ?? '1';
const size = Number(process.env['SAMPLE_SIZE'] ?? '15');
const mostNamed = 3;
const wanted = process.env['SAMPLE_STATES']?.split(',') ?? states;

if (upstream === undefined || fork === undefined) {
  process.stderr.write('Set FORK_SYNC_UPSTREAM and FORK_SYNC_FORK to the two repositories.\n');
  process.exit(2);
}

function git(repository: string, ...args: readonly string[]): string {
  const done = spawnSync('git', ['-C', repository, ...args], {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  return done.status === 0 ? done.stdout.trimEnd() : '';
}

function scan(up: string, down: string): Scan {
  const text =
    kept === undefined
      ? spawnSync(
          process.execPath,
          [join(root, 'bin', 'fork-sync.js'), 'scan', '--json', '--upstream', up, '--fork', down],
          { encoding: 'utf8', maxBuffer: 1024 * 1024 * 1024 },
        ).stdout
      : fs.readFileSync(kept, 'utf8');
  // The script's own output: the shape is that of the command line.
  return JSON.parse(text) as Scan;
}

/** The same seed and the same commits give the same sample, whatever else changed state. */
function draw(commits: readonly ScannedCommit[]): readonly ScannedCommit[] {
  const place = ({ sha }: ScannedCommit): string =>
    createHash('sha256').update(`${seed} ${sha}`).digest('hex');
  return commits.toSorted((left, right) => (place(left) < place(right) ? -1 : 1)).slice(0, size);
}

/** Author, date, subject and the trailers that matter, as git shows them. */
function header(repository: string, sha: string): string {
  const line = git(repository, 'log', '-1', '--encoding=none', '--format=%h %ae %at %s', sha);
  const named = git(repository, 'log', '-1', '--format=%B', sha)
    .split('\n')
    .filter((text) => /cherry picked from|^licen[sc]e:/i.test(text));
  return [line, ...named].join(' | ');
}

function files(repository: string, sha: string): readonly string[] {
  return git(repository, 'show', '--format=', '--numstat', '--no-renames', sha).split('\n').slice(0, 12);
}

function holds(repository: string, tip: string, sha: string): string {
  const done = spawnSync('git', ['-C', repository, 'merge-base', '--is-ancestor', sha, tip]);
  return done.status === 0 ? 'in' : 'NOT in';
}

function missingOf({ missing = [] }: ScannedCommit): readonly string[] {
  const named = missing
    .slice(0, mostNamed)
    .map(({ sha, subject, reason }) => `  missing: ${sha.slice(0, 10)} ${subject} (${reason})`);
  return missing.length > mostNamed ? [...named, `  and ${missing.length - mostNamed} more`] : named;
}

const result = scan(upstream, fork);
const forkLog = git(
  fork,
  'log',
  '--all',
  '--no-merges',
  '--encoding=none',
  '--format=%H%x09%ae %at%x09%s',
).split('\n');
const byIdentity = new Map<string, string[]>();
const bySubject = new Map<string, string[]>();
/** A subject without its tags and without what the fork renamed. */
const fold = (subject: string): string =>
  subject
    .replace(/^\[[^\]]*\] /, '')
    .toLowerCase()
    .replace(/incusd?|lxd|lxc/g, '@');
for (const line of forkLog) {
  const [sha = '', identity = '', subject = ''] = line.split('\t');
  byIdentity.set(identity, [...(byIdentity.get(identity) ?? []), sha]);
  bySubject.set(fold(subject), [...(bySubject.get(fold(subject)) ?? []), sha]);
}

process.stdout.write(
  `seed ${seed}, ${size} of each state; upstream ${result.upstream.map((tip) => `${tip.branch} ${tip.sha.slice(0, 12)}`).join(', ')}; fork ${result.fork.slice(0, 12)}\n`,
);
for (const state of wanted) {
  const sample = draw(result.commits.filter((commit) => commit.state === state));
  process.stdout.write(`\n== ${state}\n`);
  for (const commit of sample) {
    const identity = git(upstream, 'log', '-1', '--encoding=none', '--format=%ae %at', commit.sha);
    const lines = [
      `\n${commit.branch} ${header(upstream, commit.sha)}`,
      `  said: ${commit.by}: ${commit.reason}`,
      ...(commit.fork === undefined
        ? []
        : [
            `  fork: ${header(fork, commit.fork)} (${holds(fork, result.fork, commit.fork)} the fork's branch)`,
            ...files(fork, commit.fork).map((line) => `        ${line}`),
          ]),
      ...(commit.via === undefined ? [] : [`  via: ${header(upstream, commit.via)}`]),
      ...(commit.merge === undefined ? [] : [`  merge: ${header(upstream, commit.merge)}`]),
      ...missingOf(commit),
      `  git: author and date in the fork: ${(byIdentity.get(identity) ?? []).map((sha) => sha.slice(0, 10)).join(' ') || 'none'}; subject: ${
        (bySubject.get(fold(commit.subject)) ?? [])
          .slice(0, 4)
          .map((sha) => sha.slice(0, 10))
          .join(' ') || 'none'
      }`,
      ...(commit.state === 'blocked' ? [] : files(upstream, commit.sha).map((line) => `    ${line}`)),
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  }
}
