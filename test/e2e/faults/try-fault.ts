// Lets one thing happen to one migration on a server of its own, and looks whether it ends well.
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cacheFolder } from '../machine/cache.ts';
import { copyDisk } from '../machine/disk.ts';
import type { Machine } from '../machine/machine.ts';
import { startLxd } from '../server/populated-machine.ts';
import { setPower } from '../server/power.ts';
import { tool } from '../server/tool.ts';
import { killDaemon } from '../server/variants.ts';
import { waitFor } from '../wait-for.ts';
import {
  badForPeople,
  callsOf,
  endsWell,
  events,
  type FaultLab,
  killTool,
  lastCall,
  lastStep,
  notBegun,
  said,
  tracedTool,
  watchedTool,
} from './fault-lab.ts';
import {
  describeOutcome,
  type Fault,
  type FaultOutcome,
  type KillPoint,
  type OtherFault,
} from './fault-points.ts';
import { faultPower } from './fault-server.ts';
import { tryChange } from './try-change.ts';
import { tryHistory } from './try-history.ts';

const migrate = ['migrate', '--yes', '--json'];
const limitMs = 300_000;

/** What happened; on which machine it is to end well, if not on the same. */
interface Happened {
  readonly where: string;
  readonly wrong?: readonly string[];
  readonly on?: Machine;
  /** Environment of the tool from here on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Its end was looked at already. */
  readonly isOver?: true;
}

/** So many at a time; each is printed when it is over. */
export async function tryAll(
  lab: FaultLab,
  faults: readonly Fault[],
  parallel: number,
): Promise<FaultOutcome[]> {
  const outcomes: FaultOutcome[] = [];
  const left = faults.values();
  const worker = async (): Promise<void> => {
    for (const fault of left) {
      const outcome = await tryFault(lab, fault);
      outcomes.push(outcome);
      console.log(describeOutcome(outcome));
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return outcomes;
}

async function tryFault(lab: FaultLab, fault: Fault): Promise<FaultOutcome> {
  const begun = performance.now();
  const seconds = (): number => (performance.now() - begun) / 1000;
  const machine = await lab.start('faulty');
  const machines = [machine];
  let where = 'at the beginning';
  try {
    const happened = await letHappen(lab, machine, fault, (one) => machines.push(one));
    where = happened.where;
    const wrong =
      happened.isOver === true ? [] : await endsWell(lab, happened.on ?? machine, fault.ending, happened.env);
    return { fault, where, wrong: [...(happened.wrong ?? []), ...wrong], seconds: seconds() };
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { fault, where, wrong: [what, await lastOfLog(machines)], seconds: seconds() };
  } finally {
    for (const one of machines) await one.stop();
  }
}

function letHappen(
  lab: FaultLab,
  machine: Machine,
  fault: Fault,
  started: (machine: Machine) => void,
): Promise<Happened> {
  switch (fault.kind) {
    case 'boundary':
      return killAtBoundary(machine, fault.position);
    case 'syscall':
      return killAtCall(machine, fault.number);
    case 'random':
      return killAfter(machine, fault);
    case 'error':
      return happensAtCall(machine, fault.errno, fault.number, fault.lasting ? 1e9 : fault.number);
    case 'signal':
      return happensAtCall(machine, fault.signal, fault.number, fault.number);
    case 'second run':
      return beginAgainBeside(machine, fault.number);
    case 'command':
      return withoutCommand(machine, fault);
    case 'power cut':
      return cutPower(lab, machine, fault.number, started);
    case 'twice killed':
      return killTwice(machine, fault);
    case 'rollback killed':
      return killRollback(machine, fault);
    case 'clock jumps':
    case 'restarts':
      return tryHistory(lab, machine, fault, started);
    case 'change in Incus':
      return tryChange(lab, machine, fault.change).then((wrong) => ({
        where: 'used since',
        wrong,
        isOver: true,
      }));
  }
}

async function killAtBoundary(machine: Machine, position: number): Promise<Happened> {
  let killed: Promise<void> | undefined;
  const { stdout } = await watchedTool(machine, migrate, (text) => {
    if (text.includes(`"event":"step","position":${position},`)) killed ??= killTool(machine, 'migrate');
  });
  await killed;
  return { where: `at the beginning of ${lastStep(stdout)}` };
}

async function killAtCall(machine: Machine, number: number): Promise<Happened> {
  const { stdout } = await machine.exec(tracedTool('kill', number, number, migrate), {
    timeoutMs: limitMs,
    accept: 'any',
  });
  return { where: `in ${lastStep(stdout)}, before call ${lastCall(machine)}` };
}

async function killAfter(
  machine: Machine,
  { milliseconds, daemonsToo, ending }: Extract<Fault, { kind: 'random' }>,
): Promise<Happened> {
  const ended = watchedTool(machine, migrate, () => {});
  await Promise.race([ended, delay(milliseconds)]);
  await killTool(machine, 'migrate');
  const { stdout } = await ended;
  const where = lastStep(stdout);
  // Where there is nothing to finish or take back, a dead daemon is the service manager's to start again, and starts
  // what has boot.autostart.
  const nothingToDo = where === 'end' || (where === notBegun && ending === 'rollback');
  // Whichever of them runs; their containers live on. Before the first step no rollback has an Incus to start again.
  const before = where === 'rehearsal' && ending === 'rollback';
  if (daemonsToo && !nothingToDo)
    for (const product of before ? (['lxd'] as const) : (['lxd', 'incus'] as const))
      await killDaemon(machine, product);
  return { where: `${Math.round(milliseconds)} ms after its start, in ${where}` };
}

/** An error or a signal: the tool ends by itself, and says why. */
async function happensAtCall(
  machine: Machine,
  action: string,
  first: number,
  last: number,
): Promise<Happened> {
  const ended = await machine.exec(tracedTool(action, first, last, migrate), {
    timeoutMs: limitMs,
    accept: 'any',
  });
  const wrong = badForPeople('migrate', ended);
  // Done all the same, failed, or interrupted; a signal ends it only while nothing was begun.
  const begun = events(ended.stdout).some(({ event }) => event === 'step');
  // An error that keeps the rehearsal from being set up is a finding for a person to decide, which names it.
  const unrehearsed = !begun && ended.status === 3 && ended.stderr.includes('rehearsal-not-possible');
  const expected = begun ? [0, 1, 5] : [0, 1, 5, 137];
  if (!unrehearsed && !expected.includes(ended.status)) wrong.push(said('migrate', ended));
  const call = callsOf(machine).find((line) => line.startsWith(`${first} `)) ?? 'none';
  return { where: `at call ${call}; it ended with ${ended.status} in ${lastStep(ended.stdout)}`, wrong };
}

async function beginAgainBeside(machine: Machine, number: number): Promise<Happened> {
  const held = await hold(machine, number);
  const wrong: string[] = [];
  for (const command of ['migrate', 'resume', 'rollback']) {
    const second = await tool(machine, [command, '--yes']);
    wrong.push(...badForPeople(command, second));
    if (second.status !== 1 || !second.stderr.includes('is at work here'))
      wrong.push(said(`a second ${command}`, second));
  }
  const status = await tool(machine, ['status']);
  // Held in the middle of a write of the journal, it may have to wait as well.
  if (![0, 4].includes(status.status) && !status.stderr.includes('is at work here'))
    wrong.push(said('status', status));
  wrong.push(...badForPeople('status', status));
  const where = held.where();
  await held.end();
  return { where, wrong };
}

async function withoutCommand(
  machine: Machine,
  { command, when, how }: Extract<OtherFault, { kind: 'command' }>,
): Promise<Happened> {
  const path = `/usr/local/sbin/${command}`;
  const { stdout: found } = await machine.exec(['sh', '-c', `command -v ${command}`]);
  const broken = {
    missing: 'exec /no/such/command',
    failing: "echo 'it does not work today' >&2; exit 7",
    hanging: 'exec sleep 1000',
  }[how];
  const script =
    how === 'missing' && when === ''
      ? '#!/no/such/interpreter\n'
      : `#!/bin/sh\ncase "$*" in ${when === '' ? '' : `"${when}"`}*) ${broken};; esac\nexec ${found.trim()} "$@"\n`;
  writeFileSync(machine.rootPath(path), script, { mode: 0o755 });
  const ended = await tool(machine, migrate);
  rmSync(machine.rootPath(path));
  const wrong = badForPeople('migrate', ended);
  if (![0, 1, 3, 5].includes(ended.status)) wrong.push(said('migrate', ended));
  return { where: `it ended with ${ended.status} in ${lastStep(ended.stdout)}`, wrong };
}

/**
 * The disk is copied while it is mounted and nothing but the daemons could write to it; the machine that is started from
 * the copy boots as a host does: what is enabled and not masked is started.
 */
async function cutPower(
  lab: FaultLab,
  machine: Machine,
  number: number,
  started: (machine: Machine) => void,
): Promise<Happened> {
  const held = await hold(machine, number);
  const copy = join(cacheFolder(), `cut-${machine.name}.img`);
  try {
    await copyAtRest(machine.disk, copy);
    const where = held.where();
    const recorded = held.isDone('record-power');
    await machine.stop();
    const on = await lab.boot(copy, 'after-cut');
    started(on);
    // What ran when the power went is not known to the tool then: somebody starts it again.
    if (!recorded) {
      await startLxd(on);
      await setPower(on, 'lxd', faultPower);
    }
    return { where, on };
  } finally {
    rmSync(copy, { force: true });
  }
}

/** A copy during which nothing was written: each write through the loop device changes the time of the file. */
async function copyAtRest(disk: string, copy: string): Promise<void> {
  const changed = (): string => {
    const { mtimeNs, ctimeNs } = statSync(disk, { bigint: true });
    return `${mtimeNs} ${ctimeNs}`;
  };
  await waitFor('a copy of the disk during which nothing was written', 60_000, async () => {
    const before = changed();
    await copyDisk(disk, copy);
    return changed() === before ? true : undefined;
  });
}

async function killTwice(
  machine: Machine,
  { number, again, ending }: Extract<OtherFault, { kind: 'twice killed' }>,
): Promise<Happened> {
  const { where } = await killAtCall(machine, number);
  const second = await machine.exec(tracedTool('kill', again, again, [ending, '--yes', '--json']), {
    timeoutMs: limitMs,
    accept: 'any',
  });
  return {
    where: `${where}; ${ending} in ${lastStep(second.stdout)}, before call ${lastCall(machine)}`,
  };
}

/** A rollback that was begun is unfinished for every command, whatever state the move was in. */
async function killRollback(
  machine: Machine,
  { movedUpTo, at, number }: Extract<KillPoint, { kind: 'rollback killed' }>,
): Promise<Happened> {
  const wrong: string[] = [];
  let moved = 'all moved';
  if (movedUpTo === 'the end') {
    const ended = await tool(machine, migrate);
    if (ended.status !== 0) wrong.push(said('migrate', ended));
  } else moved = (await killAtBoundary(machine, movedUpTo)).where;
  const rollback = ['rollback', '--yes', '--json'];
  let undoing: string;
  if (at === 'call') {
    const options = { timeoutMs: limitMs, accept: 'any' } as const;
    undoing = (await machine.exec(tracedTool('kill', number, number, rollback), options)).stdout;
  } else {
    let killed: Promise<void> | undefined;
    const count = (text: string): number => events(text).filter(({ state }) => state === 'undone').length;
    undoing = (
      await watchedTool(machine, rollback, (text) => {
        if (count(text) >= number) killed ??= killTool(machine, 'rollback');
      })
    ).stdout;
    await killed;
  }
  const where = `${moved}; rollback in ${lastStep(undoing)}${at === 'call' ? `, before call ${lastCall(machine)}` : ''}`;
  const seen = events(undoing);
  const isBegun = seen.some(({ state }) => state === 'undone');
  const isOver = seen.some(({ event }) => event === 'end');
  if (isBegun && !isOver) {
    const status = await tool(machine, ['status']);
    const again = await tool(machine, ['migrate', '--yes']);
    // Killed behind its last step, it may have written down that it was complete.
    const complete = status.stdout.includes('Rolled back: LXD is as it was');
    if (!complete && !/Not finished: the rollback/.test(status.stdout)) wrong.push(said('status', status));
    if (!complete && again.status !== 5) wrong.push(said('a migrate beside it', again));
    wrong.push(...badForPeople('migrate', again));
    if (complete) return { where: `${where}, complete`, wrong, isOver: true };
  }
  return { where, wrong };
}

interface Held {
  where(): string;
  isDone(kind: string): boolean;
  /** Kills it. */
  end(): Promise<void>;
}

/** The tool, standing still before its n-th call. */
async function hold(machine: Machine, number: number): Promise<Held> {
  const child = machine.spawn(tracedTool('hold', number, number, migrate));
  let stdout = '';
  let ended = false;
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8');
  });
  const closed = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  void closed.then(() => {
    ended = true;
  });
  await waitFor('the tool to stand still', limitMs, async () =>
    ended || callsOf(machine).includes('held') ? true : undefined,
  );
  const call = callsOf(machine)
    .filter((line) => line !== 'held')
    .at(-1);
  return {
    where: () => `in ${lastStep(stdout)}, before call ${call ?? 'none'}`,
    isDone: (kind) => events(stdout).some((event) => event['kind'] === kind && event['state'] === 'done'),
    async end() {
      // What is traced dies with the tracer.
      await machine.exec(['pkill', '-KILL', '-f', '^perl /opt/at-call.pl '], { accept: [1] });
      await closed;
    },
  };
}

async function lastOfLog(machines: readonly Machine[]): Promise<string> {
  const texts = machines.map(async (machine) => {
    try {
      const script = `tail -n 12 /var/lib/lxd-to-incus/runs/*/log /var/log/lxd/lxd.log /var/log/incus/incus.log
        for socket in /var/lib/lxd/unix.socket /var/lib/incus/unix.socket; do
          curl -s -m 5 --unix-socket $socket 'http://x/1.0/operations?recursion=1'; done; ps axfww -o pid,etimes,args | tail -n 40`;
      return (await machine.exec(['sh', '-c', script], { accept: 'any' })).stdout;
    } catch (error) {
      return String(error);
    }
  });
  return (await Promise.all(texts)).join('\n');
}
