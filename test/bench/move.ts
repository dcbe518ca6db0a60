// The whole move of large servers, beside Incus's own lxd-to-incus, in turn on copies of one disk.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { formatTable } from '../../src/core/text.ts';
import type { Machine } from '../e2e/machine/machine.ts';
import { packedTool } from '../e2e/packed-tool.ts';
import { installTool, startTool } from '../e2e/server/tool.ts';
import { runUpstream } from '../e2e/upstream.ts';
import { type ManyOptions, startManyMachine } from './many-server.ts';
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

interface Phase {
  readonly name: string;
  readonly seconds: number;
}

interface Run {
  readonly seconds: number;
  readonly down: number;
  readonly phases: readonly Phase[];
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

/** Rehearsed, verified and reported, LXD kept. */
async function runOurs(
  machine: Machine,
  tarball: string,
  keep: MoveBench['keep'],
  run: string,
): Promise<Run> {
  await installTool(machine, tarball);
  const watch = watchContainer(machine, 'c1');
  const begun = performance.now();
  const child = startTool(machine, ['migrate', '--yes', '--json']);
  child.stdin?.end();
  const seconds = (): number => (performance.now() - begun) / 1000;
  const phases: Phase[] = [];
  let since = 0;
  const ends = (name: string): void => {
    phases.push({ name, seconds: seconds() - since });
    since = seconds();
  };
  const errors: string[] = [];
  child.stderr?.on('data', (data: Buffer) => errors.push(data.toString('utf8')));
  if (child.stdout === null) throw new Error('no output');
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as { event: string; kind?: string; state?: string };
    if (event.event === 'plan') ends('plan');
    else if (event.event === 'rehearsal') ends('rehearsal');
    else if (event.event === 'step' && event.state === 'done') ends(event.kind ?? '');
    else if (event.event === 'end') ends('verify and report');
  }
  const status = await ended;
  if (status !== 0) throw new Error(`ours ended with ${status}: ${errors.join('')}`);
  const figures = { seconds: seconds(), down: watch.down(), phases };
  if (keep !== undefined)
    cpSync(machine.rootPath('/var/lib/lxd-to-incus/runs'), join(keep, run), { recursive: true });
  return figures;
}

/** It asks nothing, verifies nothing, and removes LXD's package at the end. */
async function runTheirs(machine: Machine): Promise<Run> {
  const watch = watchContainer(machine, 'c1');
  const { status, seconds, lines } = await runUpstream(machine);
  if (status !== 0) throw new Error(lines.map(({ text }) => text).join('\n'));
  const headings = lines.filter(({ text }) => text.startsWith('=> '));
  const phases = headings.map(({ seconds: at, text }, index) => ({
    name: text.slice('=> '.length),
    seconds: (headings[index + 1]?.seconds ?? seconds) - at,
  }));
  return { seconds, down: watch.down(), phases };
}

function print(title: string, run: Run | undefined): void {
  if (run === undefined) return;
  const rows = run.phases
    .filter(({ seconds }) => seconds >= 0.05)
    .map(({ name, seconds }) => [name, seconds.toFixed(2)]);
  process.stdout.write(
    `${formatTable([title, 'seconds'], [...rows, ['whole', run.seconds.toFixed(2)], ['c1 down', run.down.toFixed(2)]])}\n\n`,
  );
}

function summarise(total: number, ours: readonly Run[], theirs: readonly Run[]): void {
  const row = (name: string, of: (run: Run) => number): string[] => {
    const [us, them] = [median(ours.map(of)), median(theirs.map(of))];
    return [name, us.toFixed(1), them.toFixed(1), (us / them).toFixed(2)];
  };
  const rows = [
    row('whole, in seconds', ({ seconds }) => seconds),
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
