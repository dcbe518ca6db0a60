// Several commands that follow each other on one server, between which the clock jumps or the machine is started again.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../machine/cache.ts';
import type { ExecResult, Machine } from '../machine/machine.ts';
import { startIncus, startLxd, stopIncus, stopLxd } from '../server/populated-machine.ts';
import { setPower } from '../server/power.ts';
import { tool } from '../server/tool.ts';
import { fakeClock } from './fake-clock.ts';
import { badForPeople, events, type FaultLab, lastCall, lastStep, said, tracedTool } from './fault-lab.ts';
import type { HistoryCommand, OtherFault } from './fault-points.ts';
import { faultPower } from './fault-server.ts';
import { latestOnDisk, lostFolders } from './kept-runs.ts';

const limitMs = 300_000;

export interface HistoryEnd {
  readonly where: string;
  readonly wrong: readonly string[];
  /** For the tool, when it is to end well. */
  readonly env: Readonly<Record<string, string>>;
  readonly on: Machine;
}

/** @param started is told of each machine that takes the place of the one before */
export async function tryHistory(
  lab: FaultLab,
  first: Machine,
  fault: Extract<OtherFault, { kind: 'clock jumps' | 'restarts' }>,
  started: (machine: Machine) => void,
): Promise<HistoryEnd> {
  const wrong: string[] = [];
  const where: string[] = [];
  let machine = first;
  let day = 0;
  const clock = (index: number): Readonly<Record<string, string>> => {
    if (fault.kind !== 'clock jumps') return {};
    day += fault.days[index] ?? 0;
    return fakeClock(machine, day);
  };
  let migrated: string | undefined;
  for (const [index, command] of fault.commands.entries()) {
    const { result, run, how } = await runOne(machine, command, clock(index));
    where.push(how);
    if (command.killedAt === undefined) {
      wrong.push(...badForPeople(command.command, result));
      const expected = command.command === 'status' ? [0, 4] : [0];
      if (!expected.includes(result.status)) wrong.push(said(command.command, result));
      // The run that was begun last, whatever its date says.
      if (command.command === 'rollback' && run !== migrated)
        wrong.push(`rolled back ${run}, and ${migrated} was migrated last`);
      if (command.command === 'migrate') migrated = run;
    }
    wrong.push(...lostFolders(machine));
    if (fault.kind === 'restarts') {
      machine = await restart(lab, machine);
      started(machine);
      await startWhatAPersonWould(machine);
    }
  }
  return { where: where.join('; '), wrong, env: clock(fault.commands.length), on: machine };
}

async function runOne(
  machine: Machine,
  { command, killedAt }: HistoryCommand,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly result: ExecResult; readonly run: string | undefined; readonly how: string }> {
  const args = [command, ...(command === 'status' ? [] : ['--yes']), '--json'];
  if (killedAt === undefined) {
    const result = await tool(machine, args, { env });
    const run = events(result.stdout).findLast(({ event }) => event === 'end')?.['run'];
    return { result, run: typeof run === 'string' ? run : undefined, how: `${command} (${result.status})` };
  }
  const result = await machine.exec(tracedTool('kill', killedAt, killedAt, args), {
    timeoutMs: limitMs,
    accept: 'any',
    env,
  });
  const how = `${command} killed in ${lastStep(result.stdout)}, before call ${lastCall(machine)}`;
  return { result, run: undefined, how };
}

/** Both daemons are shut down with their instances, as at the end of a machine; what is enabled starts with the next one. */
async function restart(lab: FaultLab, machine: Machine): Promise<Machine> {
  const disk = join(cacheFolder(), `restart-${machine.name}.img`);
  try {
    await stopLxd(machine);
    await stopIncus(machine);
    await machine.stop({ keepDisk: disk });
    return await lab.boot(disk, 'restarted');
  } finally {
    rmSync(disk, { force: true });
  }
}

/**
 * Both daemons start other instances at a boot than ran before. Where no run is under way that knows better, a person
 * brings that in order.
 */
async function startWhatAPersonWould(machine: Machine): Promise<void> {
  const latest = latestOnDisk(machine);
  const phase = latest?.run.phase;
  if (phase === 'done') {
    await startIncus(machine);
    await setPower(machine, 'incus', faultPower);
  } else if (phase === undefined || phase === 'rolled-back' || latest?.knowsPower === false) {
    await startLxd(machine);
    await setPower(machine, 'lxd', faultPower);
  }
}
