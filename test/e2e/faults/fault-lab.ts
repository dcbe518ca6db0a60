// Tries faults: brings a small server into a migration, lets something happen to it, and looks whether resume or rollback end well.
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecResult, Machine } from '../machine/machine.ts';
import type { RootTreeName } from '../machine/root-tree.ts';
import type { Product } from '../server/api.ts';
import { startIncus, startLxd, stopIncus, stopLxd } from '../server/populated-machine.ts';
import { setPower } from '../server/power.ts';
import { startTool, tool } from '../server/tool.ts';
import { cannotWrite } from '../server/variants.ts';
import {
  bootFaultServer,
  type DataFileSystem,
  faultPower,
  makeFaultDisk,
  removeFaultDisk,
  startFaultServer,
} from './fault-server.ts';
import { changedByRestarts, changedFacts, describeChanges, type Facts, factsOf } from './server-state.ts';

export type Ending = 'resume' | 'rollback';

/** How the server is before a migration and after one, and what of it any restart changes. */
interface Expected {
  readonly facts: Facts;
  readonly anyway: ReadonlySet<string>;
}

export interface FaultLab {
  /** How many calls that change something a whole migration makes, and how long it takes when they are not counted. */
  readonly calls: number;
  readonly milliseconds: number;
  /** What is logged of each step: `kind` in order. */
  readonly steps: readonly string[];
  /** The same of the rollback of a whole migration. */
  readonly rollback: { readonly calls: number; readonly steps: number };
  start(name: string): Promise<Machine>;
  /** From a disk as a power cut left it: what is enabled and not masked starts. */
  boot(disk: string, name: string): Promise<Machine>;
  /**
   * In words what is not as it should be; empty when LXD is back as it was.
   * @param notRunning names of instances that cannot run any more
   */
  wrongWithLxd(machine: Machine, notRunning?: readonly string[]): Promise<string[]>;
  /** The same, when everything was moved as by a migration that nothing happened to. */
  wrongWithIncus(machine: Machine): Promise<string[]>;
  close(): void;
}

export const callLog = '/opt/calls';
const toolFile = '/opt/lxd-to-incus-e2e/lxd-to-incus';

/** Measures what is to be expected; that takes two machines and a minute. */
export async function openFaultLab(
  tree: RootTreeName,
  fileSystem: DataFileSystem = 'ext4',
): Promise<FaultLab> {
  const disk = await makeFaultDisk(tree, fileSystem);
  try {
    const [before, [moved, run]] = await Promise.all([measureLxd(tree, disk), measureMoved(tree, disk)]);
    return {
      ...run,
      start: (name) => startFaultServer(tree, disk, name),
      boot: (from, name) => bootFaultServer(tree, from, name),
      wrongWithLxd: (machine, notRunning) => wrongWith(machine, 'lxd', before, notRunning),
      wrongWithIncus: (machine) => wrongWith(machine, 'incus', moved),
      close: () => removeFaultDisk(disk),
    };
  } catch (error) {
    removeFaultDisk(disk);
    throw error;
  }
}

/** What two restarts of both daemons change, nobody having touched anything else. */
async function measureLxd(tree: RootTreeName, disk: string): Promise<Expected> {
  const machine = await startFaultServer(tree, disk, 'measure-lxd');
  try {
    const facts = await factsOf(machine, 'lxd');
    const restart = () =>
      Promise.all([restartLxd(machine), stopIncus(machine).then(() => startIncus(machine))]);
    return { facts, anyway: await changedByRestarts(machine, 'lxd', facts, restart) };
  } finally {
    await machine.stop();
  }
}

async function restartLxd(machine: Machine): Promise<void> {
  await stopLxd(machine);
  await startLxd(machine);
  await setPower(machine, 'lxd', faultPower);
}

/** Two migrations to which nothing happens; one of them is counted. */
async function measureMoved(
  tree: RootTreeName,
  disk: string,
): Promise<[Expected, Pick<FaultLab, 'calls' | 'milliseconds' | 'steps' | 'rollback'>]> {
  const machine = await startFaultServer(tree, disk, 'measure-moved');
  try {
    const counted = await countedTool(machine, 'migrate');
    const steps = counted.events
      .filter(({ event, state }) => event === 'step' && state === 'begun')
      .map(({ kind }) => String(kind));
    const facts = await factsOf(machine, 'incus');
    const anyway = new Set<string>();
    await stopIncus(machine);
    await startIncus(machine);
    await setPower(machine, 'incus', faultPower);
    for (const name of changedFacts(facts, await factsOf(machine, 'incus'))) anyway.add(name);
    const rollback = await countedTool(machine, 'rollback');
    const begun = performance.now();
    const again = await tool(machine, ['migrate', '--yes']);
    const milliseconds = performance.now() - begun;
    if (again.status !== 0) throw new Error(`${again.stdout}${again.stderr}`);
    for (const name of changedFacts(facts, await factsOf(machine, 'incus'))) anyway.add(name);
    return [
      { facts, anyway },
      {
        calls: counted.calls,
        milliseconds,
        steps,
        rollback: {
          calls: rollback.calls,
          steps: rollback.events.filter(({ state }) => state === 'undone').length,
        },
      },
    ];
  } finally {
    await machine.stop();
  }
}

/** How many calls it makes that change something, and its events. */
async function countedTool(
  machine: Machine,
  command: 'migrate' | 'rollback',
): Promise<{ readonly calls: number; readonly events: readonly Event[] }> {
  const counted = await machine.exec(tracedTool('count', 0, 0, [command, '--yes', '--json']), {
    timeoutMs: 300_000,
    accept: 'any',
  });
  if (counted.status !== 0)
    throw new Error(`the ${command} that is counted: ${counted.stdout}${counted.stderr}`);
  const { stdout } = await machine.exec(['wc', '-l', callLog]);
  return { calls: Number.parseInt(stdout, 10), events: events(counted.stdout) };
}

async function wrongWith(
  machine: Machine,
  product: Product,
  expected: Expected,
  notRunning: readonly string[] = [],
): Promise<string[]> {
  const facts = await factsOf(machine, product);
  const running = faultPower.filter(
    ({ instance, status }) => status === 'Running' && !notRunning.includes(instance),
  );
  return [
    ...describeChanges(expected.facts, facts, expected.anyway),
    ...(await cannotWrite(machine, product, running)).map((line) => `root cannot write: ${line}`),
  ];
}

/** The tool with something that happens to it at system calls; see at-call.pl. */
export function tracedTool(
  action: string,
  first: number,
  last: number,
  args: readonly string[],
): [string, ...string[]] {
  return ['perl', '/opt/at-call.pl', callLog, action, String(first), String(last), toolFile, ...args];
}

export interface Event {
  readonly event?: string;
  readonly [key: string]: unknown;
}

/** Lines that are values; the last one may be cut off where the tool was killed. */
export function events(stdout: string): Event[] {
  return stdout.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Event];
    } catch {
      return [];
    }
  });
}

/** What at-call.pl wrote down: a line for each call. */
export function callsOf(machine: Machine): string[] {
  const path = machine.rootPath(callLog);
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return text.trimEnd().split('\n');
}

export function lastCall(machine: Machine): string {
  return callsOf(machine).at(-1) ?? 'none';
}

export const notBegun = 'the plan or rehearsal';

/** Where the tool was when it ended. */
export function lastStep(stdout: string): string {
  const last = events(stdout)
    .filter(({ event }) => event !== 'plan')
    .at(-1);
  if (last === undefined) return notBegun;
  return last.event === 'step'
    ? `${String(last['kind'])} (${String(last['position'])}, ${String(last['state'])})`
    : String(last.event);
}

export async function killTool(machine: Machine, command: string): Promise<void> {
  // Not this command itself, whose arguments hold the same words.
  const pattern = `^[^ ]*/bin/node [^ ]*lxd-to-incus.js ${command}`;
  await machine.exec(['pkill', '-KILL', '-f', pattern], { accept: [1] });
}

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the tool, watched; ends when it has. */
export function watchedTool(
  machine: Machine,
  args: readonly string[],
  watch: (stdout: string, child: ChildProcess) => void,
): Promise<Ended> {
  const child = startTool(machine, args);
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString('utf8');
      watch(stdout, child);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8');
    });
    child.on('error', reject);
    child.on('close', () => resolve({ stdout, stderr }));
    // Of a tool that is killed, a command that it started may hold its output open.
    child.on('exit', () => void delay(500).then(() => resolve({ stdout, stderr })));
  });
}

/**
 * Whatever happened: status speaks, then resume or rollback end well. In words what did not.
 * @param env of the tool
 */
export async function endsWell(
  lab: FaultLab,
  machine: Machine,
  ending: Ending,
  env: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const status = await tool(machine, ['status'], { env });
  const wrong = [
    ...badForPeople('status', status),
    ...(status.status === 0 || status.status === 4 ? [] : [said('status', status)]),
  ];
  const ended = await tool(machine, [ending, '--yes'], { env });
  wrong.push(...badForPeople(ending, ended));
  if (ended.status !== 0 && ended.status !== 4)
    return [...wrong, said('status', status), said(ending, ended)];
  if (ending === 'rollback') return [...wrong, ...withOutput(await lab.wrongWithLxd(machine), status, ended)];
  if (ended.status === 4) {
    // Nothing was begun, or the tool has taken it back by itself, or all was done.
    const again = await tool(machine, ['migrate', '--yes'], { env });
    wrong.push(...badForPeople('migrate', again));
    if (again.status !== 0 && again.status !== 4)
      return [...wrong, said('status', status), said(ending, ended), said('migrate', again)];
  }
  return [...wrong, ...withOutput(await lab.wrongWithIncus(machine), status, ended)];
}

function withOutput(wrong: readonly string[], status: ExecResult, ended: ExecResult): string[] {
  return wrong.length === 0 ? [] : [...wrong, said('status', status), said('then', ended)];
}

export function said(command: string, { status, stdout, stderr }: ExecResult): string {
  return `${command} ended with ${status}: ${stdout.trim()}\n${stderr.trim()}`;
}

/** Nothing that only a developer understands. */
export function badForPeople(command: string, { stdout, stderr }: Omit<ExecResult, 'status'>): string[] {
  return [/^\s+at .*:\d+/m, /this is a bug/, /\bundefined\b|\[object Object\]|\bNaN\b/].flatMap((pattern) =>
    pattern.test(stdout) || pattern.test(stderr) ? [`${command} says ${pattern}: ${stdout}${stderr}`] : [],
  );
}
