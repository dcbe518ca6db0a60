// Findings about what the source uses and the target must be able to do: drivers, networks, commands, id maps, kernel.
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { isMaskedByFile, neededToStart } from '../detect/systemd.ts';
import { compareVersions } from '../model/compare-versions.ts';
import type { Finding } from '../model/finding.ts';
import type { Installation } from '../model/installation.ts';
import { migrationRules } from '../rules/migration-rules.ts';
import type { CheckContext } from './context.ts';
import { existing } from './file-system.ts';
import { checkIdMaps } from './id-maps.ts';
import { serviceManagerOffline } from './service-manager.ts';

export function checkCapabilities(context: CheckContext): Finding[] {
  return [
    ...drivers(context),
    ...networks(context),
    // A copy of a database says nothing about this machine, nor this machine about the server.
    ...(context.sourceIsWhole ? ofThisHost(context) : []),
  ];
}

function ofThisHost(context: CheckContext): Finding[] {
  return [
    ...commands(context),
    ...lxcfs(context),
    ...kernel(context),
    ...units(context),
    ...checkIdMaps(context),
  ];
}

function pools(db: Database): { name: string; driver: string }[] {
  return db.prepare('SELECT name, driver FROM storage_pools ORDER BY name').all() as {
    name: string;
    driver: string;
  }[];
}

function drivers({ sourceDatabase: { db } }: CheckContext): Finding[] {
  const rules = migrationRules().drivers;
  return pools(db).flatMap(({ name, driver }) => {
    const rule = rules[driver];
    if (rule?.support === 'yes') return [];
    return [
      {
        id: `storage-driver:${driver}`,
        severity: 'blocker' as const,
        objects: [`storage pool ${name}`],
        what:
          rule === undefined
            ? `The storage driver ${driver} is not known to this tool.`
            : `Pools of driver ${driver} cannot be moved: ${rule.because}.`,
        action: 'Move its volumes to a pool of driver dir or btrfs in LXD, then plan again.',
      },
    ];
  });
}

function networks({ sourceDatabase: { db } }: CheckContext): Finding[] {
  const ovn = db
    .prepare(
      "SELECT 'network ' || p.name || '/' || n.name AS object FROM networks n JOIN projects p ON p.id = n.project_id WHERE n.type = 3 ORDER BY 1",
    )
    .all() as {
    object: string;
  }[];
  if (ovn.length === 0) return [];
  return [
    {
      id: 'network-ovn',
      severity: 'blocker',
      objects: ovn.map(({ object }) => object),
      what: "OVN's own databases hold names that must be changed together with the server, with an inverse; this version does not do that yet.",
      action: 'Servers with OVN networks need a newer lxd-to-incus.',
    },
  ];
}

function commands({ host, sourceDatabase: { db }, target, targetVersion }: CheckContext): Finding[] {
  if (target?.program === undefined) return [];
  const rules = migrationRules();
  const bridges = db.prepare('SELECT 1 FROM networks WHERE type = 0').get() !== undefined;
  const storage = pools(db).flatMap(({ driver }) => rules.drivers[driver]?.tools ?? []);
  const needed = [
    ...new Set([...rules.required_commands, ...(bridges ? rules.bridge_commands : []), ...storage]),
  ];
  const missing = needed.filter((command) => host.which(command) === undefined);
  const firewalls = rules.firewall_commands
    .filter(({ until }) => until === undefined || compareVersions(targetVersion ?? '0', until) < 0)
    .map(({ command }) => command);
  const firewall =
    bridges && firewalls.every((command) => host.which(command) === undefined)
      ? [firewalls.join(' or ')]
      : [];
  const objects = [...missing, ...firewall];
  if (objects.length === 0) return [];
  return [
    {
      id: 'command-missing',
      severity: 'blocker',
      objects,
      what: 'Incus needs these commands for what this server has, and they are not on PATH.',
      action: 'Install them, then plan again.',
    },
  ];
}

function lxcfs({ host, target, sourceDatabase: { db } }: CheckContext): Finding[] {
  if (
    target?.program === undefined ||
    db.prepare('SELECT 1 FROM instances WHERE type = 0').get() === undefined
  )
    return [];
  // LXD is where lxcfs is mounted for it; Incus looks in these two places (internal/server/instance/drivers).
  const mounted = host
    .mounts()
    .some(({ path }) => path === '/var/lib/lxcfs' || path === '/var/lib/incus-lxcfs');
  if (mounted) return [];
  return [
    {
      id: 'no-lxcfs',
      severity: 'note',
      objects: ['/var/lib/lxcfs'],
      what: 'lxcfs is not mounted here: containers see the memory and processors of the whole machine.',
      action: 'Install and start lxcfs if the containers had it under LXD.',
    },
  ];
}

function kernel({ host, targetVersion }: CheckContext): Finding[] {
  if (targetVersion === undefined || compareVersions(targetVersion, '7.0') < 0) return [];
  const release = existsSync(host.path('/proc/sys/kernel/osrelease'))
    ? readFileSync(host.path('/proc/sys/kernel/osrelease'), 'utf8').trim()
    : '';
  if (release === '' || compareVersions(release, '6.12') >= 0) return [];
  return [
    {
      id: 'kernel-old',
      severity: 'note',
      objects: [release],
      what: 'Incus 7 asks for Linux 6.12 or newer.',
      action: 'It may work; the Incus project does not support it.',
    },
  ];
}

function units({ host, source }: CheckContext): Finding[] {
  const { service } = source;
  const runs = source.sockets.some((socket) => host.listener(socket) !== undefined);
  if (service.kind !== 'systemd') {
    return [
      ...(runs && service.kind === 'none' ? [notStartable(source, service.offline)] : []),
      {
        id: 'source-may-come-back',
        severity: 'note',
        objects: [source.dataDirectory],
        what:
          service.kind === 'commands'
            ? 'The commands of --services start LXD here, and no systemd unit of it is masked.'
            : 'No systemd unit that this tool knows starts LXD here, so none is masked.',
        action: 'Make sure by yourself that nothing starts LXD again: it would make a new, empty server.',
      },
    ];
  }
  // Masking puts a link in /etc/systemd/system; where the unit itself stands there, systemctl refuses. A link gives way.
  const own = service.units.filter((unit) => isUnitItself(host.path(join('/etc/systemd/system', unit))));
  const masked = neededToStart(service.start).filter((unit) => isMaskedByFile(host, unit));
  const startless = runs && masked.length > 0 ? [maskedSource(masked)] : [];
  if (own.length === 0) return startless;
  return [
    ...startless,
    {
      id: 'unit-not-maskable',
      severity: 'blocker',
      objects: own.map((unit) => existing(host, '/etc/systemd/system', unit) ?? unit),
      what: 'The unit files stand in /etc/systemd/system itself, where systemd cannot mask them; LXD could start again on an empty directory.',
      action:
        'Move them to /usr/local/lib/systemd/system and run "systemctl daemon-reload", then plan again.',
    },
  ];
}

function notStartable(source: Installation, offline: string | undefined): Finding {
  if (offline !== undefined) return serviceManagerOffline(source, offline);
  return {
    id: 'source-not-startable',
    severity: 'loss',
    objects: [source.dataDirectory],
    what: 'LXD runs, and nothing says how it is started here. Taken back, the move would leave it and its instances stopped.',
    action:
      'Say how it is started and stopped with --services FILE. With --accept you start it yourself then.',
    answers: ['accept'],
  };
}

function maskedSource(units: readonly string[]): Finding {
  return {
    id: 'source-not-startable',
    severity: 'loss',
    objects: units,
    what: 'LXD runs, and these units of it are masked: it could not be started again. Rolled back, the move would leave it and its instances stopped.',
    action: `Unmask them ("systemctl unmask ${units.join(' ')}"). With --accept you start it yourself then.`,
    answers: ['accept'],
  };
}

/** An empty file masks as well (systemd.unit(5)). */
function isUnitItself(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.size > 0;
}
