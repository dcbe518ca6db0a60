// Findings about instances: ephemeral ones, saved states, virtual machines, names that the target refuses.
import type { Database } from 'better-sqlite3';
import { compareVersions } from '../model/compare-versions.ts';
import type { Finding } from '../model/finding.ts';
import type { CheckContext } from './context.ts';

interface InstanceRow {
  readonly object: string;
}

export function checkInstances({ sourceDatabase: { db }, targetVersion }: CheckContext): Finding[] {
  return [
    ...ephemeral(db),
    ...savedStates(db),
    ...virtualMachines(db),
    ...guestNames(db),
    ...deviceNames(db, targetVersion),
  ];
}

function instances(db: Database, where: string): string[] {
  const rows = db
    .prepare(
      `SELECT 'instance ' || p.name || '/' || i.name AS object FROM instances i JOIN projects p ON p.id = i.project_id WHERE ${where} ORDER BY p.name, i.name`,
    )
    .all() as InstanceRow[];
  return rows.map(({ object }) => object);
}

function ephemeral(db: Database): Finding[] {
  const objects = instances(db, 'i.ephemeral = 1');
  if (objects.length === 0) return [];
  return [
    {
      id: 'instance-ephemeral',
      severity: 'loss',
      objects,
      what: 'LXD deletes an ephemeral instance when it stops, and every instance must stop for the move.',
      action:
        'To keep one, run "lxc config edit" and set ephemeral: false. With --accept it is deleted by LXD when it stops.',
      answers: ['accept'],
    },
  ];
}

function savedStates(db: Database): Finding[] {
  const objects = [
    ...instances(db, 'i.stateful = 1'),
    ...(
      db
        .prepare(
          "SELECT 'instance snapshot ' || p.name || '/' || i.name || '/' || s.name AS object FROM instances_snapshots s JOIN instances i ON i.id = s.instance_id JOIN projects p ON p.id = i.project_id WHERE s.stateful = 1 ORDER BY 1",
        )
        .all() as InstanceRow[]
    ).map(({ object }) => object),
  ];
  if (objects.length === 0) return [];
  return [
    {
      id: 'saved-state',
      severity: 'loss',
      objects,
      what: 'A saved running state cannot be restored by Incus, since the devices in it have other names.',
      action:
        'Start and stop the instance in LXD before the move to give up its state yourself. With --accept the files are moved, but starting from them may fail.',
      answers: ['accept'],
    },
  ];
}

function virtualMachines(db: Database): Finding[] {
  const objects = instances(db, 'i.type = 1');
  if (objects.length === 0) return [];
  return [
    {
      id: 'virtual-machine',
      severity: 'loss',
      objects,
      what: 'Virtual machines see other disk serials (incus_NAME instead of lxd_NAME), another board name and, where firmware files of the host are named otherwise, may not start. This version does not check firmware.',
      action: 'With --accept they are moved like the others. Look into each after the move.',
      answers: ['accept'],
    },
  ];
}

/** Incus leaves the project out of the DNS names of instances outside project default. */
function guestNames(db: Database): Finding[] {
  const objects = instances(db, "p.name <> 'default'");
  if (objects.length === 0) return [];
  return [
    {
      id: 'dns-name-without-project',
      severity: 'note',
      objects,
      what: "On shared bridges, LXD's DNS knows these instances as NAME.PROJECT; Incus knows them as NAME only.",
      action: 'Nothing can be set to keep the longer name. Change what uses it.',
    },
  ];
}

/** Incus 7.0.1 and later check device names as strictly as names of objects (internal/server/device/device_load.go). */
function deviceNames(db: Database, targetVersion: string | undefined): Finding[] {
  if (targetVersion === undefined || compareVersions(targetVersion, '7.0.1') < 0) return [];
  const rows = db
    .prepare(
      `SELECT 'instance ' || p.name || '/' || i.name AS object, d.name AS name FROM instances_devices d JOIN instances i ON i.id = d.instance_id JOIN projects p ON p.id = i.project_id
       UNION ALL SELECT 'profile ' || p.name || '/' || f.name, d.name FROM profiles_devices d JOIN profiles f ON f.id = d.profile_id JOIN projects p ON p.id = f.project_id`,
    )
    .all() as { object: string; name: string }[];
  const refused = rows.filter(
    ({ name }) =>
      Buffer.byteLength(name) > 64 ||
      /[\s$?&+"'`*/]/.test(name) ||
      !/^[a-z0-9].*[a-z0-9]$|^[a-z0-9]$/i.test(name),
  );
  if (refused.length === 0) return [];
  return [
    {
      id: 'device-name',
      severity: 'blocker',
      objects: refused.map(({ object, name }) => `${object}, device ${name}`),
      what: 'This Incus refuses these device names, and an instance that has one would not start.',
      action: 'Rename the devices in LXD, then plan again.',
    },
  ];
}
