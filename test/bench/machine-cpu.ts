// The processor's time that everything in a machine has taken: what load changes less than the clock.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from '../e2e/machine/machine.ts';

/** NaN where the host's cgroups do not count it. */
export function cpuSecondsOf({ pid }: Machine): number {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trimEnd().split('\n');
  for (const line of lines) {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const isOne = controllers.split(',').includes('cpuacct');
    const file = isOne ? join('/sys/fs/cgroup', controllers, path, 'cpuacct.usage') : undefined;
    if (file !== undefined && existsSync(file)) return Number(readFileSync(file, 'utf8')) / 1e9;
  }
  // Version 2: the machine's first process stands in a folder of its own below the machine's.
  const own = /^0::(.*)\/init$/m.exec(lines.join('\n'))?.[1];
  const file = own === undefined ? undefined : join('/sys/fs/cgroup', own, 'cpu.stat');
  if (file === undefined || !existsSync(file)) return Number.NaN;
  return Number(/^usage_usec (\d+)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? Number.NaN) / 1e6;
}
