// Runs nights through the whole bot, against a GitHub stand-in and real repositories: calls and seconds a night.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { loadConfig } from '../../src/sync/nightly/load-config.ts';
import { type Night, runNight } from '../../src/sync/nightly/run-night.ts';
import { loadPack } from '../../src/sync/rules/load-pack.ts';
import { startGitHub } from '../fakes/github/github-stand-in.ts';

const root = join(import.meta.dirname, '..', '..');
// The program's own file keys the caches, as for a user.
const program = join(root, 'dist', 'fork-sync.js');
const first = process.env['NIGHTS_FROM'] ?? '2023-09-01';
const last = process.env['NIGHTS_TO'] ?? '2023-09-30';

function git(repository: string, ...args: readonly string[]): string {
  return execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8' }).trim();
}

/** A repository that borrows all objects and whose branch is where it was: nothing later can be seen in it. */
function borrow(folder: string, name: string, from: string): string {
  const gitDir = join(folder, name);
  execFileSync('git', ['init', '--quiet', '--bare', '--template=', '--initial-branch=main', gitDir]);
  fs.mkdirSync(join(gitDir, 'objects', 'info'), { recursive: true });
  const objects = git(from, 'rev-parse', '--path-format=absolute', '--git-path', 'objects');
  fs.writeFileSync(join(gitDir, 'objects', 'info', 'alternates'), `${objects}\n`);
  return gitDir;
}

async function main(): Promise<void> {
  const { FORK_SYNC_UPSTREAM: upstream, FORK_SYNC_FORK: fork } = process.env;
  if (upstream === undefined || fork === undefined) {
    process.stderr.write('Set FORK_SYNC_UPSTREAM and FORK_SYNC_FORK to the two repositories.\n');
    process.exit(2);
  }
  const folder = fs.mkdtempSync(join(tmpdir(), 'fork-sync-bot-nights-'));
  const theirs = borrow(folder, 'upstream.git', upstream);
  const ours = borrow(folder, 'fork.git', fork);
  const github = await startGitHub({ gitDir: ours });
  const config = join(folder, 'fork-sync.yaml');
  fs.writeFileSync(
    config,
    stringify({
      upstream: theirs,
      fork: ours,
      cache: join(folder, 'cache'),
      forge: { apiUrl: `${github.url}/api/v3` },
      publish: {
        repositories: [github.repository],
        repository: github.repository,
        base: 'main',
        branch: 'fork-sync/main',
        decisions: '.fork-sync/decisions',
      },
      // Real time is what GitHub asks for; how often it would be waited for is what is counted here.
      limits: { pauseMilliseconds: 1 },
    }),
  );
  const pack = loadPack(join(root, 'rules', 'lxd-incus'));
  const nightAt = async (sha: string): Promise<Night> => {
    process.env['FORK_SYNC_TOKEN'] = github.token;
    return runNight({
      config: loadConfig(config),
      pack,
      publish: true,
      offline: false,
      program,
      tell: () => {},
      stop: () => false,
      upstreamTips: async () => [{ branch: 'main', sha }],
    });
  };
  const tipAt = (repository: string, night: string): string =>
    git(repository, 'rev-list', '-1', '--first-parent', `--before=${night}T02:00:00Z`, 'main');

  const totals = {
    nights: 0,
    calls: 0,
    writes: 0,
    seconds: 0,
    secondWrites: 0,
    secondSeconds: 0,
    secondCalls: 0,
  };
  for (let time = Date.parse(first); time <= Date.parse(last); time += 86_400_000) {
    const night = new Date(time).toISOString().slice(0, 10);
    const tip = tipAt(upstream, night);
    git(theirs, 'update-ref', 'refs/heads/main', tip);
    git(ours, 'update-ref', 'refs/heads/main', tipAt(fork, night));
    const one = await nightAt(tip);
    const two = await nightAt(tip);
    totals.nights += 1;
    totals.calls += one.apiCalls;
    totals.writes += one.written.length;
    totals.seconds += one.milliseconds / 1000;
    totals.secondCalls += two.apiCalls;
    totals.secondWrites += two.written.length;
    totals.secondSeconds += two.milliseconds / 1000;
    process.stdout.write(
      `${night}: ${one.result.outcome}, ${one.result.plan.entries.length} commits and ${one.result.plan.waiting} more; ` +
        `${one.apiCalls} calls, ${one.written.length} writes, ${(one.milliseconds / 1000).toFixed(1)} s; ` +
        `again: ${two.result.outcome}, ${two.apiCalls} calls, ${two.written.length} writes, ${(two.milliseconds / 1000).toFixed(1)} s\n`,
    );
  }
  const each = (sum: number): string => (sum / totals.nights).toFixed(1);
  process.stdout.write(
    `${totals.nights} nights: ${each(totals.calls)} calls, ${each(totals.writes)} writes and ${each(totals.seconds)} s a night; ` +
      `second runs: ${each(totals.secondCalls)} calls, ${totals.secondWrites} writes in all, ${each(totals.secondSeconds)} s; ` +
      `${github.violations.length} requests or answers against GitHub's description\n`,
  );
  await github.close();
  fs.rmSync(folder, { recursive: true, force: true });
  if (totals.secondWrites > 0 || github.violations.length > 0) process.exitCode = 1;
}

await main();
