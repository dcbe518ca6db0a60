// A run on a fake machine that is ready to be carried out, rolled back and broken off.
import * as fs from 'node:fs';
import { onTestFinished } from 'vitest';
import type { Host } from '../../../src/core/host.ts';
import { applySteps, type StepProgress, undoSteps } from '../../../src/migrate/apply/index.ts';
import { type RolledBack, rollBack } from '../../../src/migrate/apply/roll-back.ts';
import { startAgain } from '../../../src/migrate/apply/start-again.ts';
import type { ApplyContext } from '../../../src/migrate/apply/step-handler.ts';
import type { Asked } from '../../../src/migrate/condition/look-at-server.ts';
import { nothingRemembered } from '../../../src/migrate/daemon/remembering-client.ts';
import { smallServer } from '../../../src/migrate/daemon/server-size.ts';
import { readInventory } from '../../../src/migrate/inventory/database/read-inventory.ts';
import { type Journal, openJournal } from '../../../src/migrate/journal/journal.ts';
import { noteNames, requiredNote, toPowerRecord } from '../../../src/migrate/journal/noted.ts';
import type { Plan } from '../../../src/migrate/model/plan.ts';
import { daemonRef } from '../../../src/migrate/plan/make-steps.ts';
import type { PlanMaterial } from '../../../src/migrate/plan/plan-material.ts';
import { conversions } from '../../../src/migrate/run/conversions.ts';
import type { FakeHost } from '../../fakes/fake-host.ts';
import { boot, type TwoDaemons, twoDaemons } from '../../fakes/two-daemons.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { config, instance } from '../convert/converted.ts';
import { lxdDatabase } from '../lxd-database.ts';
import { machineWith, planOf } from '../plan/planned.ts';
import { treeOf } from './tree.ts';

const server = lxdDatabase(`
  ${instance(1, 'c1')} ${instance(2, 'c2', { project: 2 })} ${instance(3, 'c3')} ${instance(4, 'c4')}
  ${config('instances_config', 4, { 'boot.autostart': 'true' })}
  INSERT INTO storage_pools VALUES (1, 'default', 'dir', '', 1);
  INSERT INTO storage_pools_config (storage_pool_id, node_id, key, value) VALUES (1, 1, 'source', '/var/lib/lxd/storage-pools/default');
`);
/** What runs before. */
export const before = {
  'default/c1': 'Running',
  'dev/c2': 'Frozen',
  'default/c3': 'Stopped',
  'default/c4': 'Stopped',
} as const;

export interface Run {
  readonly host: FakeHost;
  readonly daemons: TwoDaemons;
  readonly journal: Journal;
  readonly plan: Plan;
  /** What LXD said to the plan. */
  askedByPlan: Asked | undefined;
  /** Lets the n-th use of the machine from now on fail, once. */
  failAt(uses: number): void;
  stopFailing(): void;
  /** As a kill does, when the undo of this step has been done and that is not written down yet; undefined: it lives again. */
  dieBehindUndoOf(position: number | undefined): void;
  readonly events: {
    readonly position: number;
    readonly kind: string;
    readonly state: StepProgress['state'];
  }[];
  apply(onProgress?: (progress: StepProgress) => void): Promise<unknown>;
  undo(onProgress?: (progress: StepProgress) => void): Promise<string[]>;
  /** As the command does it. */
  rollBack(onProgress?: (progress: StepProgress) => void): Promise<RolledBack>;
  startAgain(): Promise<void>;
  readonly warnings: string[];
  /** Lines for the person who waits. */
  readonly said: string[];
  readonly leftOpen: string[];
  interruptBefore: number | undefined;
  /** Everything that a person would call "as it was". */
  state(): unknown;
}

/** All machines of this file are alike: the plan of the first one is that of each. */
let planned: PlanMaterial | undefined;

export async function readyRun(): Promise<Run> {
  const host = machineWith(server);
  for (const path of [
    '/var/lib/lxd/containers',
    '/var/lib/lxd/storage-pools/default/containers',
    '/sys/class/net',
    '/run/incus',
  ])
    fs.mkdirSync(host.path(path), { recursive: true });
  host.writeFile('/var/lib/lxd/snapshots/c1/kept', '');
  fs.symlinkSync('/var/lib/lxd/storage-pools/default/containers/c1', host.path('/var/lib/lxd/containers/c1'));
  host.writeFile('/var/lib/incus/database/fresh', 'of a fresh Incus');
  const daemons = twoDaemons(host);
  await boot(host, daemons.incus, {});
  await host.run(['systemctl', 'start', 'incus-user.socket'], { timeoutMs: 1 });
  daemons.lxd.startsByItself = ['default/c1', 'default/c4'];
  daemons.incus.startsByItself = ['default/c1'];
  await boot(host, daemons.lxd, before);
  await host.request(daemons.lxd.socket, {
    method: 'PUT',
    path: '/1.0/instances/c4/state?project=default',
    body: { action: 'stop' },
    timeoutMs: 1,
  });
  planned ??= await planOf(host);
  const material = planned;
  fs.mkdirSync(host.path('/var/lib/lxd-to-incus/runs/RUN'), { recursive: true });
  const journal = openJournal(temporaryFolder());
  onTestFinished(() => journal.close());
  journal.begin('RUN', material.plan, material.plan.steps, host.now());

  let left: number | undefined;
  let diesAt: number | undefined;
  let dead = false;
  const faulty = failing(host, () => {
    if (dead) throw new Error('dead');
    if (left === undefined) return;
    left -= 1;
    if (left > 0) return;
    left = undefined;
    throw new Error('the machine failed');
  });
  const conversion = conversions(host, material);
  const run: Run = {
    host,
    daemons,
    journal,
    plan: material.plan,
    failAt(uses) {
      left = uses;
    },
    stopFailing() {
      left = undefined;
    },
    dieBehindUndoOf(position) {
      diesAt = position;
      dead = false;
    },
    events: [],
    warnings: [],
    said: [],
    leftOpen: [],
    interruptBefore: undefined,
    askedByPlan: undefined,
    apply: (onProgress) =>
      applySteps(context, { onProgress: recording(onProgress) }).then(
        () => undefined,
        (error: unknown) => error,
      ),
    undo: (onProgress) => undoSteps(context, { onProgress: recording(onProgress) }),
    rollBack: (onProgress) => rollBack(context, { onProgress: recording(onProgress) }),
    startAgain: () => startAgain(context, daemonRef(material.plan.source)),
    state: () => ({
      lxd: treeOf(host.path('/var/lib/lxd')),
      incus: treeOf(host.path('/var/lib/incus')),
      etc: treeOf(host.path('/etc')),
      daemons: [daemons.lxd, daemons.incus].map(({ running, instances }) => ({
        running,
        instances: running ? [...instances] : [],
      })),
      units: [...daemons.units],
      active: [...daemons.active].sort(),
    }),
  };
  const recording =
    (onProgress: ((progress: StepProgress) => void) | undefined) => (progress: StepProgress) => {
      run.events.push({ position: progress.position, kind: progress.step.kind, state: progress.state });
      onProgress?.(progress);
    };
  const { mark } = journal;
  journal.mark = (name, position, state, at) => {
    dead ||= state === 'undone' && position === diesAt;
    if (dead) throw new Error('dead');
    mark(name, position, state, at);
  };
  const context: ApplyContext = {
    host: faulty,
    journal,
    run: 'RUN',
    size: smallServer,
    stopLimitMs: 60_000,
    forceStop: false,
    interrupted: () =>
      run.interruptBefore !== undefined &&
      run.events.filter(({ state }) => state === 'done').length >= run.interruptBefore,
    convertAgain: (power) => {
      // It uses the machine as well: files of the database.
      faulty.path('/');
      return conversion.again(power);
    },
    prepareConversion: () => conversion.prepare(toPowerRecord(requiredNote(journal, 'RUN', noteNames.power))),
    differences: conversion.differences,
    wouldStart: () => [],
    sourceInventory: () => readInventory(lxdDatabase()),
    tellingLines: (log) => [log],
    say: (text) => void run.said.push(text),
    warn: (text) => void run.warnings.push(text),
    askedByPlan: () => run.askedByPlan,
    prepareComparison: () => {},
    prepareVerification: () => {},
    saidByTarget: nothingRemembered(),
    leaveOpen(what) {
      run.leftOpen.push(what);
      journal.note('RUN', noteNames.leftOpen, [...run.leftOpen]);
    },
  };
  return run;
}

/** The same machine, of which each use may fail. Clocks do not. */
function failing(host: FakeHost, use: () => void): Host {
  const used =
    <A extends unknown[], R>(method: (...args: A) => R) =>
    (...args: A): R => {
      use();
      return method(...args);
    };
  const usedLater =
    <A extends unknown[], R>(method: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      use();
      return method(...args);
    };
  return {
    ...host,
    path: used(host.path),
    run: usedLater(host.run),
    processes: used(host.processes),
    mounts: used(host.mounts),
    loops: usedLater(host.loops),
    listener: used(host.listener),
    request: usedLater(host.request),
  };
}

export function undone(events: Run['events']): number[] {
  return events.filter(({ state }) => state === 'undone').map(({ position }) => position);
}
