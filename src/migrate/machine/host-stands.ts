// Says in plain words what of both servers runs on the host now, and what a daemon that died left behind.
import { existsSync, readdirSync } from 'node:fs';
import type { Host } from '../../core/host.ts';
import type { Plan } from '../model/plan.ts';
import { runningInstances, whatIsLeft } from './running.ts';
import { isLooseVeth } from './veth.ts';

/** One line each. */
export async function hostStands(host: Host, { source, target }: Plan): Promise<string[]> {
  const lines: string[] = [];
  const left: string[] = [];
  for (const [name, server] of [
    ['LXD', source],
    ['Incus', target],
  ] as const) {
    if (server === undefined) continue;
    const { dataDirectory, program } = server;
    const runs = server.sockets.some((socket) => host.listener(socket) !== undefined);
    const instances = runningInstances(host, dataDirectory).length;
    lines.push(`${name} ${inWords(runs, instances, existsSync(host.path(dataDirectory)), dataDirectory)}`);
    if (runs) continue;
    const found = await whatIsLeft(host, { dataDirectory, program });
    left.push(...found.filter((what) => !what.startsWith('instance ')));
  }
  left.push(...looseVeths(host).map((name) => `interface ${name}`));
  if (left.length > 0)
    lines.push(
      'Left over, and cleared by resume and rollback before a daemon starts:',
      ...left.map((what) => `  ${what}`),
    );
  return lines;
}

function inWords(runs: boolean, instances: number, isThere: boolean, dataDirectory: string): string {
  const some = `${instances} of its instances ${instances === 1 ? 'does' : 'do'}`;
  if (runs) return instances === 0 ? 'runs; none of its instances does.' : `runs, and ${some}.`;
  const still = instances === 0 ? 'does not run' : `does not run, but ${some}`;
  return isThere ? `${still}.` : `${still}; there is no ${dataDirectory}.`;
}

/** Both ends of such a pair are on the host, and in no bridge but these: the container that had one is gone. */
export function looseVeths(host: Host, bridges: readonly string[] = []): string[] {
  const folder = host.path('/sys/class/net');
  return existsSync(folder) ? readdirSync(folder).filter((name) => isLooseVeth(host, name, bridges)) : [];
}
