// `npm run bench`: the figures that the project promises, each beside its peer, measured in one run. Root, Debian.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { unpackDatabaseFixture } from '../../src/dev/database-fixture.ts';
import type { Machine } from '../e2e/machine/machine.ts';
import { packedTool } from '../e2e/packed-tool.ts';
import { startIncus, startPopulatedMachine, stopIncus } from '../e2e/server/populated-machine.ts';
import { populatedPower, powerOf } from '../e2e/server/power.ts';
import { installTool, tool } from '../e2e/server/tool.ts';
import { startManyMachine } from './many-server.ts';
import { benchMove } from './move.ts';
import { benchPicks } from './picks.ts';
import { benchSnapshots } from './snapshots.ts';
import { benchUpstream } from './upstream.ts';

const root = join(import.meta.dirname, '..', '..');
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** Of `move`: runs of each tool. */
    rounds: { type: 'string', default: '3' },
    /** Of `move`: only the server of about so many instances. */
    instances: { type: 'string' },
    /** Of `move`: a folder for what ours has written in each run. */
    keep: { type: 'string' },
    /** Of `move`: without the other tool. */
    alone: { type: 'boolean', default: false },
  },
});
const wanted = new Set(positionals);
const wants = (name: string): boolean => wanted.size === 0 || wanted.has(name);

if (wants('plan')) planOfManyInstances();
if (wants('downtime')) await downtimeOfManyInstances();
if (wants('upstream')) await besideUpstream();
if (wants('move'))
  await benchMove({
    rounds: Number(options.rounds),
    instances: options.instances === undefined ? undefined : Number(options.instances),
    beside: !options.alone,
    keep: options.keep,
  });
if (wants('snapshots')) await snapshotsOfOneContainer();
if (wants('picks')) await picksBesideGit();

/** Whole process, from a cold start of Node: at most 0.8 s and 260 MB. */
function planOfManyInstances(): void {
  const folder = fs.mkdtempSync(join(tmpdir(), 'lxd-to-incus-bench-'));
  try {
    const { database } = unpackDatabaseFixture('lxd-5.0.2-2001-instances', folder);
    const runs = Array.from({ length: 7 }, () => {
      const begun = performance.now();
      const result = spawnSync(
        process.execPath,
        [
          join(root, 'bin', 'lxd-to-incus.js'),
          'plan',
          '--lxd-dir',
          database,
          '--state',
          join(folder, 'state'),
        ],
        {
          encoding: 'utf8',
          maxBuffer: 64 * 1024 * 1024,
          env: { ...process.env, NODE_OPTIONS: `--import ${join(import.meta.dirname, 'print-peak.mjs')}` },
        },
      );
      const milliseconds = performance.now() - begun;
      // 3: a copy of a database can be planned but not migrated.
      if (result.status !== 0 && result.status !== 3) throw new Error(result.stderr);
      return {
        milliseconds,
        peak: Number(/peak-rss-kib (\d+)/.exec(result.stderr)?.[1] ?? Number.NaN) * 1024,
      };
    });
    const times = runs.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
    const peak = Math.max(...runs.map((run) => run.peak));
    print(
      'plan, 2001 instances, whole process',
      `${seconds(times[0])} to ${seconds(times.at(-1))}, median ${seconds(times[3])}; peak ${(peak / 1e6).toFixed(0)} MB`,
    );
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Upstream's tool and ours on the same populated server. */
async function besideUpstream(): Promise<void> {
  await benchUpstream();
  const tarball = await packedTool();
  const machine = await startPopulatedMachine({ name: 'ours' });
  try {
    await installTool(machine, tarball);
    const begun = performance.now();
    const { status, stdout, stderr } = await tool(machine, ['migrate', '--yes']);
    const whole = performance.now() - begun;
    if (status !== 0) throw new Error(`${stdout}${stderr}`);
    const after = new Map(
      (await powerOf(machine, 'incus')).map((state) => [`${state.project}/${state.instance}`, state.status]),
    );
    const changed = populatedPower.filter(
      ({ project, instance, status: before }) => after.get(`${project}/${instance}`) !== before,
    );
    print('ours on the same server, verified', seconds(whole));
    print('  instances not as they were', String(changed.length));
  } finally {
    await machine.stop();
  }
}

/** Upstream's look at the server before it asks whether to go on; needs a running LXD. */
async function upstreamValidation(machine: Machine): Promise<number> {
  const begun = performance.now();
  await machine.exec(['lxd-to-incus'], { input: 'no\n', accept: 'any' });
  return performance.now() - begun;
}

/** From the last monitor gone to Incus's API answering, beyond what starting incusd alone takes: under 1 s. */
async function downtimeOfManyInstances(): Promise<void> {
  const tarball = await packedTool();
  const machine = await startManyMachine({
    stopped: 2000,
    running: 1,
    projects: 0,
    profiles: 0,
    snapshots: 0,
  });
  try {
    await installTool(machine, tarball);
    print(
      "upstream's validation of 2001 instances (LXD running)",
      seconds(await upstreamValidation(machine)),
    );
    const begun = performance.now();
    const plan = await tool(machine, ['plan']);
    if (plan.status !== 0) throw new Error(plan.stderr);
    print('our plan of the same running server', seconds(performance.now() - begun));
    const result = await tool(machine, ['migrate', '--yes', '--json']);
    if (result.status !== 0) throw new Error(`${result.stdout}${result.stderr}`);
    const { between, beforeStart } = await journalled(machine);
    const alone = await startAlone(machine);
    print('2001 instances on dir: last monitor gone to API answering', seconds(between));
    print('  of it, what starting incusd alone takes', seconds(alone));
    print('  beyond it', seconds(between - alone));
    print('  of that, until incusd is started', seconds(beforeStart));
  } finally {
    await machine.stop();
  }
}

/** Milliseconds from the last monitor gone until the API answers, and until the step that starts incusd. */
async function journalled(machine: Machine): Promise<{ between: number; beforeStart: number }> {
  const script = `
    const Database = require('/opt/lxd-to-incus-e2e/dist/node_modules/better-sqlite3');
    const db = new Database('/var/lib/lxd-to-incus/journal.db', { readonly: true });
    const at = (name) => Date.parse(JSON.parse(db.prepare('SELECT value FROM note WHERE name = ?').get(name).value));
    const steps = db.prepare('SELECT value, changed_at FROM step ORDER BY position').all();
    const start = steps.findIndex(({ value }) => JSON.parse(value).kind === 'start-daemon');
    const gone = at('instances-gone-at');
    console.log(JSON.stringify({ between: at('api-answered-at') - gone, beforeStart: Date.parse(steps[start - 1].changed_at) - gone }));`;
  const { stdout } = await machine.exec(['/opt/lxd-to-incus-e2e/bin/node', '-e', script]);
  return JSON.parse(stdout) as { between: number; beforeStart: number };
}

/** The same Incus, stopped cleanly and started again, until its API answers; the median of three. */
async function startAlone(machine: Machine): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    await stopIncus(machine);
    const begun = performance.now();
    const started = startIncus(machine);
    for (;;) {
      const { status } = await machine.exec(
        ['curl', '--silent', '--fail', '--unix-socket', '/var/lib/incus/unix.socket', 'http://incus/1.0'],
        { accept: 'any' },
      );
      if (status === 0) break;
    }
    times.push(performance.now() - begun);
    await started;
  }
  return times.sort((a, b) => a - b)[1] ?? Number.NaN;
}

async function snapshotsOfOneContainer(): Promise<void> {
  const count = 20_000;
  await benchSnapshots(count, ({ command, milliseconds, peakBytes }) =>
    print(
      `${command}, ${count} snapshots of one container`,
      `${seconds(milliseconds)}; peak ${(peakBytes / 1e6).toFixed(0)} MB`,
    ),
  );
}

function seconds(milliseconds: number | undefined): string {
  return `${((milliseconds ?? Number.NaN) / 1000).toFixed(2)} s`;
}

function print(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(62)} ${figure}\n`);
}

/** Cold no slower than git's own merges one by one, warm at most a third of that, under 400 MB with all processes. */
async function picksBesideGit(): Promise<void> {
  const bench = await benchPicks();
  if (bench === undefined) {
    print('picks', 'left out: FORK_SYNC_PAIRS, FORK_SYNC_UPSTREAM and FORK_SYNC_FORK are not set');
    return;
  }
  print(`${bench.pairs} picks`, `the shas are ${bench.sameShas ? 'the same in all runs' : 'DIFFERENT'}`);
  print('  git commit-tree and merge-tree, one after another', seconds(bench.gitMs));
  for (const { name, milliseconds, peakBytes } of bench.runs)
    print(
      `  fork-sync, ${name}`,
      `${seconds(milliseconds)} (${(milliseconds / bench.gitMs).toFixed(2)} of git's); peak ${(peakBytes / 1e6).toFixed(0)} MB`,
    );
}
