// The whole move of large servers, beside Incus's own lxd-to-incus, in turn on copies of one disk.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { formatTable } from '../../src/core/text.ts';
import type { Machine } from '../e2e/machine/machine.ts';
import { packedTool } from '../e2e/packed-tool.ts';
import { installTool, startTool } from '../e2e/server/tool.ts';
import { runUpstream } from '../e2e/upstream.ts';
import { cpuSecondsOf } from './machine-cpu.ts';
import { type ManyOptions, startManyMachine } from './many-server.ts';
import { type Phase, readTrace } from './read-trace.ts';
import { watchContainer } from './watch-container.ts';

/** 506 and 2,001 instances. */
const servers: readonly ManyOptions[] = [
  { stopped: 500, running: 6, projects: 100, profiles: 101, snapshots: 50 },
  { stopped: 1995, running: 6, projects: 100, profiles: 101, snapshots: 50 },
];

export interface MoveBench {
  /** Runs of each tool. */
  readonly rounds: number;
  /** Only servers of about so many instances. */
  readonly instances: number | undefined;
  /** Whether Incus's own tool runs in turn with ours. */
  readonly beside: boolean;
  /** Folder for what ours has written in each run: its log and its report. */
  readonly keep: string | undefined;
}

interface Run {
  readonly seconds: number;
  /** Of everything in the machine: both daemons, the tool and the containers. */
  readonly cpuSeconds: number;
  readonly down: number;
  /** Of the other tool its times only. */
  readonly phases: readonly (Pick<Phase, 'name' | 'seconds'> & Partial<Phase>)[];
}

export async function benchMove({ rounds, instances, beside, keep }: MoveBench): Promise<void> {
  const tarball = await packedTool();
  for (const server of servers) {
    const total = server.stopped + server.running;
    if (instances !== undefined && Math.abs(instances - total) > 100) continue;
    const ours: Run[] = [];
    const theirs: Run[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      ours.push(await withMachine(server, (machine) => runOurs(machine, tarball, keep, `${total}-${round}`)));
      print(`ours, ${total} instances, run ${round}`, ours.at(-1));
      if (!beside) continue;
      theirs.push(await withMachine(server, runTheirs));
      print(`Incus's own, ${total} instances, run ${round}`, theirs.at(-1));
    }
    if (beside) summarise(total, ours, theirs);
  }
}

async function withMachine<T>(server: ManyOptions, use: (machine: Machine) => Promise<T>): Promise<T> {
  const machine = await startManyMachine(server);
  try {
    return await use(machine);
  } finally {
    await machine.stop();
  }
}

const traceInMachine = '/opt/trace.jsonl';

/** Rehearsed, verified and reported, LXD kept. */
async function runOurs(
  machine: Machine,
  tarball: string,
  keep: MoveBench['keep'],
  run: string,
): Promise<Run> {
  await installTool(machine, tarball);
  machine.copyIn(join(import.meta.dirname, 'trace.mjs'), '/opt/trace.mjs');
  const watch = watchContainer(machine, 'c1');
  const cpuBefore = cpuSecondsOf(machine);
  const begun = performance.now();
  const child = startTool(machine, ['migrate', '--yes', '--json'], {
    NODE_OPTIONS: '--import /opt/trace.mjs',
    LXD_TO_INCUS_BENCH_TRACE: traceInMachine,
  });
  child.stdin?.end();
  const errors: string[] = [];
  child.stderr?.on('data', (data: Buffer) => errors.push(data.toString('utf8')));
  child.stdout?.resume();
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const seconds = (performance.now() - begun) / 1000;
  const cpuSeconds = cpuSecondsOf(machine) - cpuBefore;
  if (status !== 0) throw new Error(`ours ended with ${status}: ${errors.join('')}`);
  const trace = machine.rootPath(traceInMachine);
  if (keep !== undefined) {
    cpSync(machine.rootPath('/var/lib/lxd-to-incus/runs'), join(keep, run), { recursive: true });
    cpSync(trace, join(keep, run, 'trace.jsonl'));
  }
  return { seconds, cpuSeconds, down: watch.down(), phases: readTrace(trace) };
}

/** It asks nothing, verifies nothing, and removes LXD's package at the end. */
async function runTheirs(machine: Machine): Promise<Run> {
  const watch = watchContainer(machine, 'c1');
  const cpuBefore = cpuSecondsOf(machine);
  const { status, seconds, lines } = await runUpstream(machine);
  const cpuSeconds = cpuSecondsOf(machine) - cpuBefore;
  if (status !== 0) throw new Error(lines.map(({ text }) => text).join('\n'));
  const headings = lines.filter(({ text }) => text.startsWith('=> '));
  const phases = headings.map(({ seconds: at, text }, index) => ({
    name: text.slice('=> '.length),
    seconds: (headings[index + 1]?.seconds ?? seconds) - at,
  }));
  return { seconds, cpuSeconds, down: watch.down(), phases };
}

function print(title: string, run: Run | undefined): void {
  if (run === undefined) return;
  const rows = run.phases
    .filter(({ seconds }) => seconds >= 0.05)
    .map(({ name, seconds, cpuSeconds, machineCpuSeconds, requests, commands }) => [
      name,
      seconds.toFixed(2),
      cpuSeconds?.toFixed(2) ?? '',
      machineCpuSeconds?.toFixed(2) ?? '',
      String(requests ?? ''),
      String(commands ?? ''),
    ]);
  const sum = (of: (phase: Run['phases'][number]) => number | undefined): number | undefined =>
    run.phases.reduce<number | undefined>((total, phase) => {
      const value = of(phase);
      return value === undefined ? total : (total ?? 0) + value;
    }, undefined);
  const whole = [
    'whole',
    run.seconds.toFixed(2),
    sum(({ cpuSeconds }) => cpuSeconds)?.toFixed(2) ?? '',
    run.cpuSeconds.toFixed(2),
    String(sum(({ requests }) => requests) ?? ''),
    String(sum(({ commands }) => commands) ?? ''),
  ];
  const header = [title, 'seconds', 'processor: ours', 'whole machine', 'requests', 'commands'];
  process.stdout.write(
    `${formatTable(header, [...rows, whole, ['c1 down', run.down.toFixed(2), '', '', '', '']])}\n\n`,
  );
}

function summarise(total: number, ours: readonly Run[], theirs: readonly Run[]): void {
  const row = (name: string, of: (run: Run) => number): string[] => {
    const [us, them] = [median(ours.map(of)), median(theirs.map(of))];
    return [name, us.toFixed(1), them.toFixed(1), (us / them).toFixed(2)];
  };
  const rows = [
    row('whole, in seconds', ({ seconds }) => seconds),
    row('processor, whole machine', ({ cpuSeconds }) => cpuSeconds),
    row('c1 down, in seconds', ({ down }) => down),
  ];
  process.stdout.write(
    `${formatTable([`${total} instances, median of ${ours.length}`, 'ours', "Incus's own", 'ratio'], rows)}\n\n`,
  );
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}
