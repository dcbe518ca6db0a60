// Which running processes are daemons of LXD or Incus, and on which data directory each works.
import { readFileSync, realpathSync } from 'node:fs';
import type { Host, ProcessInfo } from '../../core/host.ts';

/** The program of a daemon and of its helpers (forkproxy and others). */
export const daemonPrograms = /(?:^|\/)(?:lxd|incusd)$/;

/** Whether it was started as a daemon; `lxd activateifneeded` and the like are commands, which end by themselves. */
export function isDaemon({ argv: [program = '', first = '-'] }: ProcessInfo): boolean {
  return daemonPrograms.test(program) && first.startsWith('-');
}

/**
 * What LXD_DIR or INCUS_DIR of the process says, else the usual directory (both projects); undefined where nothing can
 * be known of it.
 */
export function directoryOfProcess(host: Host, { pid, program, argv }: ProcessInfo): string | undefined {
  let environment: string;
  try {
    environment = readFileSync(host.path(`/proc/${pid}/environ`), 'utf8');
  } catch {
    // It ended meanwhile, or is not ours to see.
    return undefined;
  }
  const isIncus = /incusd$/.test(argv[0] ?? program ?? '');
  const variable = isIncus ? 'INCUS_DIR=' : 'LXD_DIR=';
  const set = environment.split('\0').find((line) => line.startsWith(variable));
  return set?.slice(variable.length) || (isIncus ? '/var/lib/incus' : '/var/lib/lxd');
}

/** Whether two paths are one folder, whatever links lead there. */
export function isSameFolder(host: Host, one: string, other: string): boolean {
  return realPath(host, one) === realPath(host, other);
}

function realPath(host: Host, path: string): string {
  try {
    return realpathSync(host.path(path));
  } catch {
    return host.path(path);
  }
}
