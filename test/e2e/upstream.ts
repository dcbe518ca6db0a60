// Runs Incus's own lxd-to-incus on a machine: what it prints and when, and what it leaves.
import { performance } from 'node:perf_hooks';
import { coreFailure } from '../../src/core/core-problem.ts';
import type { Machine } from './machine/machine.ts';

export interface TimedLine {
  /** Since the start of the program. */
  readonly seconds: number;
  readonly text: string;
}

export interface UpstreamRun {
  readonly status: number;
  readonly seconds: number;
  readonly lines: readonly TimedLine[];
}

const limitMs = 300_000;

/** Answers its question with --yes; it stops, moves and starts the servers and removes LXD's package. */
export function runUpstream(machine: Machine): Promise<UpstreamRun> {
  const start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1000;
  const child = machine.spawn(['lxd-to-incus', '--yes']);
  const lines: TimedLine[] = [];
  let rest = '';
  const take = (data: Buffer): void => {
    rest += data.toString('utf8');
    const parts = rest.split('\n');
    rest = parts.pop() ?? '';
    for (const text of parts) lines.push({ seconds: seconds(), text });
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  child.stdin?.end();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      const last = lines.at(-1)?.text ?? 'nothing';
      reject(coreFailure({ code: 'wait-limit', what: "upstream's lxd-to-incus", limitMs, last }));
    }, limitMs);
    child.on('error', reject);
    child.on('close', (status) => {
      clearTimeout(timer);
      if (rest !== '') lines.push({ seconds: seconds(), text: rest });
      resolve({ status: status ?? -1, seconds: seconds(), lines });
    });
  });
}
