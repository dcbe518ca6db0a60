// Steps that clear what a dead daemon left, and that prove that nothing is left.
import { existsSync, readdirSync } from 'node:fs';
import type { Host } from '../../../core/host.ts';
import { directoryOfProcess, isDaemon, isSameFolder } from '../../machine/daemon-process.ts';
import { looseVeths } from '../../machine/host-stands.ts';
import { type DaemonDirectory, loopsInside, mountsInside } from '../../machine/own-mounts.ts';
import { atOneMoment, type HelperOwner, helperProcesses, whatIsLeft } from '../../machine/running.ts';
import type { PoolFacts } from '../../model/pool-facts.ts';
import type { Step } from '../../model/step.ts';
import { migrateFailure } from '../../problem.ts';
import type { StepHandler } from '../step-handler.ts';

type Of<K extends Step['kind']> = StepHandler<Extract<Step, { kind: K }>>;

const commandMs = 60_000;

export const clearLeftoversStep: Of<'clear-leftovers'> = {
  async apply({ step, context: { host, say, warn } }) {
    await clearLeftovers(host, step, say, warn);
  },
  undo() {},
};

export interface Leftovers extends HelperOwner {
  readonly pools?: readonly PoolFacts[];
  readonly bridges: readonly string[];
  readonly interfaces: readonly string[];
  readonly firewallTable: string | undefined;
}

/** Clears what a daemon left behind that does not run any more, and whose instances do not either. */
export async function clearLeftovers(
  host: Host,
  step: Leftovers,
  say: (text: string) => void,
  warn: (text: string) => void = say,
): Promise<void> {
  await endHelpers(host, step, say);
  const directory = { dataDirectory: step.dataDirectory, pools: step.pools ?? [] };
  await unmountInside(host, directory, say);
  for (const { device } of loopsInside(await host.loops(), directory).own) {
    say(`loop device ${device}`);
    await host.run(['losetup', '-d', device], { timeoutMs: commandMs });
  }
  // Deleting one end of a veth pair deletes both; bridges last, when nothing hangs on them.
  for (const name of [...step.interfaces, ...step.bridges])
    await deleteInterface(host, name, step.bridges.includes(name), step.interfaces, say);
  if (step.firewallTable !== undefined && !isShared(host, step))
    await deleteTables(host, step.firewallTable, say, warn);
}

/** Of instances that ended while their daemon was dead: with both ends on the host they are nobody's. */
export async function clearLooseVeths(
  host: Host,
  bridges: readonly string[],
  say: (text: string) => void,
): Promise<void> {
  for (const name of looseVeths(host, bridges)) await deleteInterface(host, name, false, [], say);
}

async function endHelpers(host: Host, owner: HelperOwner, say: (text: string) => void): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const helpers = helperProcesses(host, owner);
    for (const { pid, argv } of helpers) {
      say(`process ${pid} (${argv[0] ?? ''})`);
      host.signal(pid, signal);
    }
    const end = host.clock() + 3_000;
    while (helperProcesses(host, owner).length > 0 && host.clock() < end) await host.sleep(50);
  }
}

/**
 * What the daemon itself mounts, deepest first. A mount that is busy stays, and so does what somebody else has mounted: the
 * proof that follows names both.
 */
async function unmountInside(
  host: Host,
  directory: DaemonDirectory,
  say: (text: string) => void,
): Promise<void> {
  const { own, foreign } = mountsInside(host, directory);
  // umount(8) takes the uppermost mount of a path.
  const covered = new Set(foreign.map(({ path }) => path));
  for (const { path } of own.toReversed()) {
    if (covered.has(path)) continue;
    say(`mount ${path}`);
    await host.run(['umount', '--', path], { timeoutMs: commandMs, accept: 'any' });
  }
}

async function deleteInterface(
  host: Host,
  name: string,
  isBridge: boolean,
  interfaces: readonly string[],
  say: (text: string) => void,
): Promise<void> {
  const folder = host.path(`/sys/class/net/${name}`);
  if (name === '' || name.includes('/') || !existsSync(folder)) return;
  // Only a bridge where the database says there is one, and never a bridge or a physical card in place of a veth.
  if (isBridge !== existsSync(`${folder}/bridge`) || existsSync(`${folder}/device`)) return;
  const foreign = isBridge ? foreignPorts(host, name, interfaces) : [];
  if (foreign.length > 0) {
    say(`interface ${name} stays: ${foreign.join(', ')} is in it`);
    return;
  }
  say(`interface ${name}`);
  await host.run(['ip', 'link', 'delete', 'dev', name], { timeoutMs: commandMs });
}

/** Names that both daemons give to what they put into a bridge, apart from tunnels and the like, which begin with its name. */
const portOfDaemon = /^(?:veth|tap|mac)[0-9a-f]{8}$/;

/** What is in a bridge and not the daemon's: a card of the machine, an interface of somebody's own. */
function foreignPorts(host: Host, bridge: string, interfaces: readonly string[]): string[] {
  const folder = host.path(`/sys/class/net/${bridge}/brif`);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter(
    (port) =>
      existsSync(host.path(`/sys/class/net/${port}/device`)) ||
      !(interfaces.includes(port) || portOfDaemon.test(port) || port.startsWith(`${bridge}-`)),
  );
}

/** Whether a daemon of the same project works on another directory: it has its rules in a table of the same name. */
function isShared(host: Host, { dataDirectory, firewallTable }: Leftovers): boolean {
  return host.processes().some((process) => {
    if (!process.samePidNamespace || !isDaemon(process)) return false;
    const isIncus = /incusd$/.test(process.program ?? process.argv[0] ?? '');
    const directory = directoryOfProcess(host, process);
    return (
      isIncus === (firewallTable === 'incus') &&
      directory !== undefined &&
      !isSameFolder(host, directory, dataDirectory)
    );
  });
}

async function deleteTables(
  host: Host,
  table: string,
  say: (text: string) => void,
  warn: (text: string) => void,
): Promise<void> {
  if (host.which('nft') === undefined) return;
  const { status, stdout, stderr } = await host.run(['nft', 'list', 'tables'], {
    timeoutMs: commandMs,
    accept: 'any',
  });
  const words = stderr.toString('utf8').trim();
  // Without nftables in the kernel there are no tables to clear. A table that stays does nothing without its bridges.
  if (status !== 0 && !/not supported/.test(words))
    warn(
      `firewall tables could not be listed, so none of ${table} was removed: ${words || `status ${status}`}`,
    );
  for (const line of stdout.toString('utf8').split('\n')) {
    const [, family, name] = /^table (\S+) (\S+)$/.exec(line.trim()) ?? [];
    if (family === undefined || name !== table) continue;
    say(`firewall table ${family} ${table}`);
    await host.run(['nft', 'delete', 'table', family, table], { timeoutMs: commandMs });
  }
}

export const proveQuietStep: Of<'prove-quiet'> = {
  async apply({ step, context: { host } }) {
    await provedQuiet(host, step.owners);
  },
  undo() {},
};

/** @throws {Failure<MigrateProblem>} still-running, with everything that is left after 5 s */
export async function provedQuiet(host: Host, owners: readonly HelperOwner[]): Promise<void> {
  const end = host.clock() + 5_000;
  for (;;) {
    const now = atOneMoment(host);
    const left = (await Promise.all(owners.map((owner) => whatIsLeft(now, owner)))).flat();
    if (left.length === 0) return;
    if (host.clock() > end) throw migrateFailure({ code: 'still-running', what: left });
    await host.sleep(50);
  }
}
