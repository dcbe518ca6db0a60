// Orders the steps of a migration.
import { join } from 'node:path';
import { unreachable } from '../../core/failure.ts';
import type { IdLine } from '../id-maps/plan-id-maps.ts';
import { movedPools } from '../inventory/database/pool-facts.ts';
import type { Layout } from '../machine/layout.ts';
import type { Installation } from '../model/installation.ts';
import type { PoolFacts } from '../model/pool-facts.ts';
import type { DaemonRef, Step } from '../model/step.ts';

export interface StepFacts {
  /** Names of managed bridges and of host interfaces that LXD made, from its database. */
  readonly bridges: readonly string[];
  readonly interfaces: readonly string[];
  readonly pools: readonly PoolFacts[];
  /** Of the Incus that is set aside. */
  readonly targetPools: readonly PoolFacts[];
  /** Lines that /etc/subuid and /etc/subgid get. */
  readonly idLines: readonly IdLine[];
  readonly layout: Layout;
  /** What a copy takes; 0 where nothing is copied. */
  readonly bytes: number;
}

/** Folder of one run, below the tool's own folder; its steps keep there what they set aside. */
export function runFolder(state: string, run: string): string {
  return join(runsFolder(state), run);
}

export function runsFolder(state: string): string {
  return join(state, 'runs');
}

/**
 * The target is stopped and set aside before any instance of the source stops: that is not part of the time for which
 * instances are down. Everything between the last instance and the start of the target is renames, but for the new
 * database, whose size is that of the database.
 */
export function makeSteps(source: Installation, target: Installation, run: string, facts: StepFacts): Step[] {
  const lxd = daemonRef(source);
  const incus = daemonRef(target);
  const moved = target.dataDirectory;
  const database = join(moved, 'database');
  const { layout } = facts;
  const units = source.service.kind === 'systemd' ? source.service.units : [];
  const targetUnits = target.service.kind === 'systemd' ? target.service.units : [];
  return [
    { kind: 'record-source', daemon: lxd },
    { kind: 'stop-daemon', daemon: incus },
    ...(targetUnits.length === 0 ? [] : [{ kind: 'mask-target', units: targetUnits } as const]),
    {
      kind: 'clear-leftovers',
      role: 'target',
      dataDirectory: moved,
      program: target.program,
      bridges: [],
      interfaces: [],
      firewallTable: undefined,
      pools: facts.targetPools,
    },
    layout.kind === 'copy' && layout.intoMount
      ? { kind: 'empty-target-mount', path: moved, into: join(run, 'target-directory') }
      : { kind: 'set-aside-target', path: moved, into: join(run, 'target-directory') },
    ...(layout.kind === 'copy'
      ? [
          {
            kind: 'copy-ahead',
            from: source.dataDirectory,
            to: moved,
            intoMount: layout.intoMount,
            bytes: facts.bytes,
          } as const,
        ]
      : []),
    ...(units.length === 0 ? [] : [{ kind: 'disable-source', units } as const]),
    { kind: 'record-power', daemon: lxd, pools: facts.pools },
    { kind: 'stop-instances', daemon: lxd },
    { kind: 'stop-daemon', daemon: lxd },
    ...(units.length === 0 ? [] : [{ kind: 'mask-source', units } as const]),
    {
      kind: 'clear-leftovers',
      role: 'source',
      dataDirectory: source.dataDirectory,
      program: source.program,
      bridges: facts.bridges,
      interfaces: facts.interfaces,
      firewallTable: 'lxd',
      pools: facts.pools,
    },
    {
      kind: 'prove-quiet',
      owners: [source, target].map(({ dataDirectory, program }) => ({ dataDirectory, program })),
    },
    { kind: 'convert-again', sourceDirectory: source.dataDirectory, into: join(run, 'converted-database') },
    { kind: 'record-directory', directory: source.dataDirectory, into: join(run, 'source-directory.json') },
    moveStep(source.dataDirectory, moved, facts),
    { kind: 'set-aside-database', path: database, into: join(run, 'source-database') },
    {
      kind: 'install-database',
      from: join(run, 'converted-database'),
      path: database,
      keep: join(run, 'target-database'),
    },
    {
      kind: 'rename-snapshots-folder',
      from: join(moved, 'snapshots'),
      to: join(moved, 'containers-snapshots'),
    },
    { kind: 'repoint-links', directory: moved, from: source.dataDirectory, to: moved },
    ...facts.idLines.map((line) => ({ kind: 'add-id-range', ...line }) as const),
    ...(target.runtimeDirectory === undefined
      ? []
      : [{ kind: 'empty-runtime-folder', path: target.runtimeDirectory } as const]),
    ...(targetUnits.length === 0 ? [] : [{ kind: 'unmask-target', units: targetUnits } as const]),
    {
      kind: 'start-daemon',
      daemon: incus,
      bridges: facts.bridges,
      pools: movedPools(facts.pools, source.dataDirectory, moved),
    },
    { kind: 'restore-power', daemon: incus },
    { kind: 'release-autostart', daemon: incus },
    { kind: 'leave-note', directory: source.dataDirectory, movedTo: moved, kept: layout.kind === 'copy' },
    { kind: 'refresh-backup-files', daemon: incus },
    { kind: 'write-dump', folder: join(database, 'global') },
  ];
}

function moveStep(from: string, to: string, { layout }: StepFacts): Step {
  switch (layout.kind) {
    case 'rename':
      return { kind: 'move-directory', from, to };
    case 'move-mount':
      return { kind: 'move-mount', from, to, boot: layout.boot };
    case 'copy':
      return { kind: 'copy-directory', from, to, intoMount: layout.intoMount };
    default:
      return unreachable(layout);
  }
}

export function daemonRef({ role, dataDirectory, sockets, service, program }: Installation): DaemonRef {
  return { role, dataDirectory, sockets, service, program };
}
