// Starts and stops a daemon the way this host does it, and keeps one from starting.
import type { Host } from '../../core/host.ts';
import { daemonClient } from '../daemon/client.ts';
import type { DaemonRef } from '../plan/step.ts';
import { migrateFailure } from '../problem.ts';

const commandLimitMs = 700_000;

/** The socket on which the daemon of an installation answers now; undefined when none does. */
export async function answeringSocket(host: Host, daemon: DaemonRef): Promise<string | undefined> {
  for (const socket of daemon.sockets) {
    // Asking a socket that only a service manager holds would start the daemon.
    if (host.listener(socket) !== undefined && (await daemonClient(host, socket).isAnswering()))
      return socket;
  }
  return undefined;
}

/**
 * Stops a daemon cleanly, so that it takes down its networks and mounts, and then everything that could start it.
 * Where it does not run, only the latter.
 */
export async function stopDaemon(host: Host, daemon: DaemonRef, limitMs: number): Promise<void> {
  const { service } = daemon;
  if (service.kind === 'commands') {
    for (const argv of service.stop) await host.run(argv, { timeoutMs: commandLimitMs });
  } else {
    const socket = await answeringSocket(host, daemon);
    if (socket !== undefined) await daemonClient(host, socket).shutDown(limitMs);
    if (service.kind === 'systemd')
      await host.run(['systemctl', 'stop', ...service.units], { timeoutMs: commandLimitMs });
  }
  await waitGone(host, daemon, 30_000);
}

async function waitGone(host: Host, daemon: DaemonRef, limitMs: number): Promise<void> {
  const end = host.clock() + limitMs;
  while (daemon.sockets.some((socket) => host.listener(socket) !== undefined)) {
    if (host.clock() > end) {
      throw migrateFailure({
        code: 'still-running',
        what: [
          `the daemon of ${daemon.dataDirectory} still listens ${limitMs / 1000} s after it was stopped`,
        ],
      });
    }
    await host.sleep(20);
  }
}

/** Starts a daemon and waits until its API answers; not until its instances run. Returns the socket. */
export async function startDaemon(host: Host, daemon: DaemonRef, limitMs: number): Promise<string> {
  const { service } = daemon;
  if (service.kind === 'none') {
    throw migrateFailure({
      code: 'bad-option',
      option: '--services',
      why: `nothing says how the daemon of ${daemon.dataDirectory} is started`,
    });
  }
  // systemctl start returns when every instance was started, which may take minutes: ask the API meanwhile.
  const started =
    service.kind === 'systemd'
      ? host.run(['systemctl', 'start', ...service.start], { timeoutMs: commandLimitMs })
      : service.start.reduce<Promise<unknown>>(async (before, argv) => {
          await before;
          return host.run(argv, { timeoutMs: commandLimitMs });
        }, Promise.resolve());
  let failure: unknown;
  started.catch((error: unknown) => {
    failure = error;
  });
  const end = host.clock() + limitMs;
  for (;;) {
    const socket = await answeringSocket(host, daemon);
    if (socket !== undefined) return socket;
    if (failure !== undefined) throw failure;
    if (host.clock() > end) {
      throw migrateFailure({
        code: 'daemon-silent',
        daemon: daemon.role === 'source' ? 'LXD' : 'Incus',
        limitMs,
        lastLines: [],
      });
    }
    await host.sleep(25);
  }
}

export interface UnitState {
  readonly unit: string;
  readonly enabled: string;
}

/** What `systemctl is-enabled` says of each unit (`enabled`, `disabled`, `static`, `masked`, …). */
export async function unitStates(host: Host, units: readonly string[]): Promise<UnitState[]> {
  const states: UnitState[] = [];
  for (const unit of units) {
    const { stdout } = await host.run(['systemctl', 'is-enabled', unit], {
      timeoutMs: 30_000,
      accept: 'any',
    });
    states.push({ unit, enabled: stdout.toString('utf8').trim() });
  }
  return states;
}
