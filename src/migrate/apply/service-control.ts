// Starts and stops a daemon the way this host does it, and keeps one from starting.
import { Failure } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { answeringSocket } from '../daemon/answering-socket.ts';
import { daemonClient } from '../daemon/client.ts';
import { isMaskedByFile, neededToStart } from '../detect/systemd.ts';
import { daemonProcesses, runningInstances, runsStill } from '../machine/running.ts';
import type { DaemonRef } from '../model/step.ts';
import { migrateFailure } from '../problem.ts';
import { productOf } from './wait-for-operations.ts';

const commandLimitMs = 700_000;

/** What to do while a daemon shuts down. */
export interface WhileStopping {
  /** Milliseconds within which its instances must be gone; the daemon itself would force them later than that. */
  readonly instancesGoneWithinMs: number;
  readonly instance: string;
  /** Called about once a second until they are, but for the first seconds: most are gone by then. */
  readonly waiting: (elapsedMs: number) => void;
  /** What the daemon was last seen to wait for by itself, in words: it stops no instance before that is done. */
  readonly heldUpBy: () => readonly string[];
  /** Called once no instance of the daemon runs any more. */
  readonly instancesGone: () => Promise<void>;
  /** Called again and again from then on until the daemon has ended. */
  readonly stillStopping: () => void;
}

/**
 * What asks the daemon why it takes so long makes it take longer. Most instances end at once; the daemon is then busy with
 * the rest of its stop for a second, 0.5 s of it in the hook of LXCFS (share/lxc.reboot.hook.in).
 */
const quietMs = 3_000;

/** A look takes some milliseconds of the processor that the daemon needs for its end. */
const lookEveryMs = 250;

/**
 * Stops a daemon cleanly, so that it takes down its networks and mounts, and then everything that could start it.
 * Where it does not run, only the latter.
 */
export async function stopDaemon(
  host: Host,
  daemon: DaemonRef,
  limitMs: number,
  beside?: WhileStopping,
): Promise<void> {
  const { service } = daemon;
  if (service.kind === 'commands') {
    const runs = daemon.sockets.some((socket) => host.listener(socket) !== undefined);
    // Of a daemon that does not run, most commands say that they failed; a supervisor must be told all the same.
    for (const argv of service.stop)
      await host.run(argv, { timeoutMs: commandLimitMs, ...(runs ? {} : { accept: 'any' }) });
  } else {
    const socket = await answeringSocket(host, daemon);
    if (socket !== undefined) await shutDown(host, daemon, socket, limitMs, beside);
    if (service.kind === 'systemd')
      await host.run(['systemctl', 'stop', ...service.units], { timeoutMs: commandLimitMs });
  }
  await waitGone(host, daemon, 30_000);
}

async function shutDown(
  host: Host,
  daemon: DaemonRef,
  socket: string,
  limitMs: number,
  beside: WhileStopping | undefined,
): Promise<void> {
  const pid = host.listener(socket);
  const stopped = daemonClient(host, socket).shutDown(limitMs);
  if (beside === undefined) return stopped;
  // Its failure is looked at in what follows, whenever it comes.
  stopped.catch(() => {});
  try {
    await watchShutDown(host, daemon, pid, stopped, beside);
  } catch (error) {
    // Until it is gone it starts nothing, and whoever takes the step back would find it answering.
    await stopped.catch(() => {});
    throw error;
  }
  return stopped;
}

/** Until it has ended. @throws {Failure<MigrateProblem>} operations-running, instance-will-not-stop; what `beside` throws */
async function watchShutDown(
  host: Host,
  daemon: DaemonRef,
  pid: number | undefined,
  stopped: Promise<void>,
  beside: WhileStopping,
): Promise<void> {
  let running = runningInstances(host, daemon.dataDirectory);
  const begun = host.clock();
  const end = begun + beside.instancesGoneWithinMs;
  let tellAt = begun + Math.min(quietMs, beside.instancesGoneWithinMs / 2);
  for (;;) {
    // Looking at every process of a large host takes as long as its work beside it: those that are known are looked at first.
    if (!running.some((instance) => runsStill(host, instance)))
      running = runningInstances(host, daemon.dataDirectory);
    if (running.length === 0) break;
    if (host.clock() > end) {
      // The daemon would now stop the instance by force, and nobody allowed that. Killed, it leaves it running.
      if (pid !== undefined) host.signal(pid, 'SIGKILL');
      await stopped.catch((error: unknown) => {
        if (!(error instanceof Failure)) throw error;
      });
      const limitMs = beside.instancesGoneWithinMs;
      const operations = beside.heldUpBy();
      throw operations.length > 0
        ? migrateFailure({ code: 'operations-running', daemon: productOf(daemon), operations, limitMs })
        : migrateFailure({ code: 'instance-will-not-stop', instance: beside.instance, limitMs });
    }
    if (host.clock() >= tellAt) {
      tellAt = host.clock() + 1_000;
      beside.waiting(host.clock() - begun);
    }
    await host.sleep(10);
  }
  await beside.instancesGone();
  const ended = stopped.then(
    () => true,
    () => true,
  );
  // Its end is not waited for a moment longer: the last instance is down.
  while (!(await Promise.race([ended, host.sleep(lookEveryMs).then(() => false)]))) beside.stillStopping();
}

/**
 * Waits for a daemon that an interrupted run has told to stop: until it is gone it answers, but starts and stops nothing,
 * and a second request to stop would run beside the first.
 */
export async function waitIfShuttingDown(
  host: Host,
  daemon: DaemonRef,
  limitMs: number,
  say: (text: string) => void,
): Promise<void> {
  const socket = await answeringSocket(host, daemon);
  if (socket === undefined || !(await daemonClient(host, socket).isShuttingDown())) return;
  say(`${productOf(daemon)} is shutting down: waiting until it is gone`);
  await waitGone(host, daemon, limitMs);
}

async function waitGone(host: Host, daemon: DaemonRef, limitMs: number): Promise<void> {
  const end = host.clock() + limitMs;
  for (;;) {
    const listens = daemon.sockets.some((socket) => host.listener(socket) !== undefined);
    const [process] = daemonProcesses(host, daemon.dataDirectory);
    if (!listens && process === undefined) return;
    if (host.clock() > end) {
      const what = listens ? 'still listens' : `is still there (process ${process?.pid})`;
      throw migrateFailure({
        code: 'still-running',
        what: [`the daemon of ${daemon.dataDirectory} ${what} ${limitMs / 1000} s after it was stopped`],
      });
    }
    await host.sleep(20);
  }
}

/** One that somebody has masked stays so, and would end the start of the others; without those needed it fails by itself. */
function startable(host: Host, start: readonly string[]): string[] {
  const needed = neededToStart(start);
  return start.filter((unit) => needed.includes(unit) || !isMaskedByFile(host, unit));
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
      ? host.run(['systemctl', 'start', ...startable(host, service.start)], { timeoutMs: commandLimitMs })
      : service.start.reduce<Promise<unknown>>(async (before, argv) => {
          await before;
          // It may be the daemon itself, in the foreground.
          return host.run(argv, { timeoutMs: commandLimitMs, mayStay: true });
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
        daemon: productOf(daemon),
        limitMs,
        lastLines: [],
      });
    }
    await host.sleep(25);
  }
}
