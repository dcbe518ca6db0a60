// Feeds readers with damaged input for as long as wanted, each in a process of its own, and holds them to limits of time
// and memory. Usage: node test/fuzz/fuzz.ts [--inputs N] [--seed N] [--only TARGET]
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { livedTime } from './lived-time.ts';

/** Of the processor's time: a busy machine makes nothing hang. */
const limitMs = 5000;
/** What waits for something that never comes takes no processor's time. */
const limitWaitMs = 120_000;
const limitBytes = 1024 * 1024 * 1024;

/** What is fed, by the program that does it; each begins, ends and fails one input a line (fuzz-child.ts). */
interface Target {
  readonly what: string;
  readonly program: string;
  /** Whether what it tries may change files, whose paths are part of the input. */
  readonly changesFiles?: true;
}

/** By name, for --only. */
const targets: Readonly<Record<string, Target>> = {
  databases: { what: 'database directories', program: 'fuzz-databases.ts' },
  local: {
    what: 'local.db, and files of other kinds in a data directory and /etc',
    program: 'fuzz-local.ts',
  },
  journals: {
    what: 'journals of each format, their values, and what runs keep beside them',
    program: 'fuzz-journals.ts',
    changesFiles: true,
  },
  plans: { what: 'files for migrate --plan', program: 'fuzz-plans.ts' },
  subids: { what: '/etc/subuid and /etc/subgid', program: 'fuzz-subids.ts' },
};

interface Tally {
  inputs: number;
  crashes: string[];
  slowestMs: number;
  peakBytes: number;
  readonly outcomes: Map<string, number>;
}

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    only: { type: 'string' },
  },
});
const wanted = Object.entries(targets).filter(([name]) => values.only === undefined || values.only === name);
const inputs = Number(values.inputs);
const seed = Number(values.seed);
if (!(inputs > 0) || !Number.isSafeInteger(seed) || wanted.length === 0) {
  console.error(`usage: fuzz [--inputs N] [--seed N] [--only ${Object.keys(targets).join('|')}]`);
  process.exit(2);
}

// Memory is faster than a disk, and the folders are small.
const scratch = fs.mkdtempSync(join(fs.existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'fuzz-'));
process.on('exit', () => fs.rmSync(scratch, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(5));

const all = { inputs: 0, crashes: 0 };
for (const [, target] of wanted) {
  const { what } = target;
  const begun = Date.now();
  console.log(`${what}: ${inputs} inputs, seed ${seed}`);
  const tally: Tally = { inputs: 0, crashes: [], slowestMs: 0, peakBytes: 0, outcomes: new Map() };
  // A child that dies or hangs is a crash; the next one goes on behind its last input.
  for (let from = 0; from < inputs; ) from = await runChild(target, from, tally);
  const counts = [...tally.outcomes].map(([outcome, count]) => `${count} ${outcome}`).sort();
  console.log(`${counts.join(', ')}; ${((Date.now() - begun) / 1000).toFixed(0)} s`);
  for (const crash of tally.crashes) console.log(`crash: ${crash}`);
  console.log(
    `${tally.inputs} inputs, ${tally.crashes.length} crashes, slowest ${tally.slowestMs.toFixed(0)} ms, peak ${Math.round(tally.peakBytes / 2 ** 20)} MiB`,
  );
  if (tally.crashes.length > 0) process.exitCode = 1;
  all.inputs += tally.inputs;
  all.crashes += tally.crashes.length;
}
if (wanted.length > 1)
  console.log(`in all ${all.inputs} inputs, ${all.crashes} crashes, of ${wanted.length} kinds, seed ${seed}`);

/** Runs a child from an input on; returns the input after the last one that it began. */
function runChild({ program, changesFiles }: Target, from: number, tally: Tally): Promise<number> {
  const folder = fs.mkdtempSync(join(scratch, 'child-'));
  const [command, ...args] = confined(changesFiles, [
    process.execPath,
    join(import.meta.dirname, program),
    ...[folder, String(seed), String(from), String(inputs)],
  ]);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let current = from;
  let began: { readonly cpuMs: number } | undefined;
  const waited = livedTime(() => performance.now());
  let errors = '';
  let killedFor: string | undefined;
  const watch = setInterval(() => {
    const waitedMs = waited.tick();
    const peak = peakOf(child);
    tally.peakBytes = Math.max(tally.peakBytes, peak);
    if (began !== undefined && cpuMsOf(child) - began.cpuMs > limitMs)
      killedFor ??= `more than ${limitMs / 1000} s of the processor's time`;
    if (began !== undefined && waitedMs > limitWaitMs)
      killedFor ??= `nothing came of it in ${limitWaitMs / 1000} s`;
    if (peak > limitBytes) killedFor ??= `more than ${limitBytes / 2 ** 20} MiB`;
    if (killedFor !== undefined) child.kill('SIGKILL');
  }, 100);
  child.stderr.on('data', (piece: Buffer) => {
    errors = `${errors}${piece.toString('utf8')}`.slice(-4000);
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [word, index, ...rest] = line.split('\t');
    if (word === 'begin') {
      current = Number(index) + 1;
      began = { cpuMs: cpuMsOf(child) };
      waited.start();
    } else if (word === 'done') began = undefined;
    else if (word === 'end') {
      const [ms = '0', outcome = ''] = rest;
      tally.inputs += 1;
      tally.slowestMs = Math.max(tally.slowestMs, Number(ms));
      tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1);
      if (Number(ms) > limitMs) tally.crashes.push(`input ${index}: ${ms} ms`);
      if (tally.inputs % 10_000 === 0) console.log(`${tally.inputs} inputs, ${tally.crashes.length} crashes`);
    } else if (word === 'crash') {
      tally.inputs += 1;
      tally.crashes.push(`input ${index}: ${rest.join(' ')}`);
      console.log(`crash: input ${index}`);
    } else if (word === 'peak') tally.peakBytes = Math.max(tally.peakBytes, Number(index));
  });
  return new Promise((resolve) => {
    child.on('close', (status, signal) => {
      clearInterval(watch);
      fs.rmSync(folder, { recursive: true, force: true });
      if (status === 0) return resolve(inputs);
      tally.inputs += current > from ? 1 : 0;
      tally.crashes.push(`input ${current - 1}: ${killedFor ?? signal ?? `status ${status}`} ${errors}`);
      // Nothing was begun: the child cannot work at all, and the next one could not either.
      resolve(current > from ? current : inputs);
    });
  });
}

/** Whatever it does to files, as root, it does to no file of this machine: all but the scratch folder is read-only to it. */
function confined(
  changesFiles: true | undefined,
  argv: readonly [string, ...string[]],
): [string, ...string[]] {
  if (changesFiles === undefined || process.getuid?.() !== 0) return [...argv];
  const script = 'mount --bind "$1" "$1"; mount -o remount,bind,ro /; shift; exec "$@"';
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', script, 'sh', scratch, ...argv];
}

/** What a process has taken of the processor, as Linux counts it in ticks of 10 ms; 0 where there is no such count. */
function cpuMsOf(child: ChildProcess): number {
  try {
    const stat = fs.readFileSync(`/proc/${child.pid}/stat`, 'utf8');
    // The name, in brackets, may hold blanks. utime and stime are the 14th and 15th field (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return 0;
  }
}

/** Highest resident memory of a process so far, as Linux counts it; 0 where there is no such count. */
function peakOf(child: ChildProcess): number {
  try {
    const status = fs.readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
