// Other states in which a migration may find the two servers.
import { inTurn } from '../../../src/core/in-turn.ts';
import type { Machine } from '../machine/machine.ts';
import { waitFor } from '../wait-for.ts';
import { api, type Product, socketPath } from './api.ts';

/** The machine's number of the process that listens on the daemon's socket; undefined where nobody does. */
export async function daemonPid(
  machine: Pick<Machine, 'exec'>,
  product: Product,
): Promise<number | undefined> {
  const { stdout } = await machine.exec(['ss', '-xlpH', `src ${socketPath[product]}`]);
  const [, pid] = /pid=(\d+)/.exec(stdout) ?? [];
  return pid === undefined ? undefined : Number(pid);
}

/** SIGKILL of the daemon, as a crash: its containers live on. */
export async function killDaemon(machine: Pick<Machine, 'exec'>, product: Product): Promise<void> {
  const pid = await daemonPid(machine, product);
  if (pid === undefined) return;
  await waitFor(`process ${pid} (${product}) to end`, 10_000, async () => {
    // Until it has become another program, a child that was just forked holds the socket too, and may be named first.
    const listening = await daemonPid(machine, product);
    if (listening === undefined) return true;
    // It may be at its end already; whether it is gone is looked at.
    await machine.exec(['kill', '-KILL', String(listening)], { accept: [0, 1] });
    return undefined;
  });
}

/** Removes LXD's packages but not its data, as `apt remove` does. */
export async function removeLxdPackage(machine: Machine): Promise<void> {
  await machine.exec(['dpkg', '--remove', 'lxd', 'lxd-client'], {
    timeoutMs: 120_000,
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  });
}

/** What `incus admin init` makes when it is asked for nothing special: a pool, a bridge, a profile that uses them. */
export async function initialiseIncus(machine: Machine): Promise<void> {
  await machine.exec(['incus', 'admin', 'init', '--minimal'], { timeoutMs: 120_000 });
}

/** Stopped, empty containers m00001, m00002, …, one project after the other; 4 are made at a time. */
export async function createInstances(
  machine: Machine,
  product: Product,
  count: number,
  projects: readonly [string, ...string[]] = ['default'],
): Promise<void> {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  await inTurn(numbers, 4, (number) =>
    api(
      machine,
      product,
      'POST',
      '/1.0/instances',
      { name: `m${String(number).padStart(5, '0')}`, source: { type: 'none' } },
      { project: projects[(number - 1) % projects.length] ?? 'default' },
    ),
  );
}

/** Whether root can write in every one of these containers; RUNNING alone does not say so. */
export async function cannotWrite(
  machine: Machine,
  product: Product,
  containers: readonly { readonly project: string; readonly instance: string }[],
): Promise<string[]> {
  const client = product === 'lxd' ? 'lxc' : 'incus';
  const failures: string[] = [];
  for (const { project, instance } of containers) {
    const script = 'touch /root/written && rm /root/written';
    const { status, stderr } = await machine.exec(
      [client, 'exec', instance, '--project', project, '--', 'sh', '-c', script],
      { accept: 'any' },
    );
    if (status !== 0) failures.push(`${project}/${instance}: ${stderr.trim()}`);
  }
  return failures;
}
