// Findings about the target: is there one, is it empty, can its daemon be started.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { Failure, systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { readRegularFile } from '../../core/read-regular-file.ts';
import { isMaskedByFile, neededToStart } from '../detect/systemd.ts';
import type { Finding } from '../model/finding.ts';
import { migrationRules } from '../rules/migration-rules.ts';
import type { CheckContext } from './context.ts';
import { contentOf } from './database.ts';
import { serviceManagerOffline } from './service-manager.ts';

export function checkTarget(context: CheckContext): Finding[] {
  const { target } = context;
  if (target?.program === undefined) return [noIncus(context)];
  return [...versionKnown(context), ...emptiness(context), ...startable(context)];
}

function noIncus({ host }: CheckContext): Finding {
  return {
    id: 'no-incus',
    severity: 'blocker',
    objects: ['Incus'],
    what: 'Incus is not installed on this machine.',
    action: `${howToInstall(host)} Do not run "incus admin init". If it is in an unusual place, name it with --incusd and --incus-dir.`,
  };
}

function howToInstall(host: Host): string {
  const release = osRelease(host);
  const like = [release.get('ID'), ...(release.get('ID_LIKE') ?? '').split(' ')];
  const rule = like
    .map((id) =>
      migrationRules().install.find(
        (one) =>
          one.id === id && (one.codename === undefined || one.codename === release.get('VERSION_CODENAME')),
      ),
    )
    .find((found) => found !== undefined);
  if (rule === undefined) return 'Install it with the package manager of this distribution.';
  return rule.before === undefined
    ? `Install it: ${rule.command}.`
    : `Install it: ${rule.before}, then ${rule.command}.`;
}

/** os-release(5); empty where there is none that can be read. */
function osRelease(host: Host): Map<string, string> {
  for (const path of ['/etc/os-release', '/usr/lib/os-release']) {
    const lines = textOf(host, path).matchAll(/^([A-Z_]+)=["']?(.*?)["']?$/gm);
    const found = new Map([...lines].map(([, key = '', value = '']) => [key, value]));
    if (found.size > 0) return found;
  }
  return new Map();
}

/** '' where there is no such file, or none that can be read: it only words an advice. */
function textOf(host: Host, path: string): string {
  try {
    return readRegularFile(host.path(path), { limit: 1024 * 1024, links: 'follow' }).toString('utf8');
  } catch (error) {
    if (error instanceof Failure || systemErrorCode(error) !== undefined) return '';
    throw error;
  }
}

function versionKnown({ target, targetVersion }: CheckContext): Finding[] {
  if (targetVersion !== undefined) return [];
  return [
    {
      id: 'target-version-unknown',
      severity: 'blocker',
      objects: [target?.program ?? 'incusd'],
      what: 'The Incus daemon could not be asked for its version.',
      action: 'Run it with --version to see why, or name another with --incusd.',
    },
  ];
}

function emptiness({ host, target, targetDatabase, unreadable }: CheckContext): Finding[] {
  if (target === undefined || unreadable.includes(host.path(target.dataDirectory))) return [];
  if (targetDatabase === undefined) {
    const folders = ['containers', 'virtual-machines', 'storage-pools', 'disks', 'images'].filter((name) => {
      const folder = host.path(join(target.dataDirectory, name));
      // Where the directory above is none, neither is there anything in it.
      return existsSync(folder) && (!statSync(folder).isDirectory() || readdirSync(folder).length > 0);
    });
    if (folders.length === 0) return [];
    return [notEmpty(folders.map((name) => `files in ${join(target.dataDirectory, name)}`))];
  }
  const content = contentOf(targetDatabase.db);
  if (content.length === 0) return [];
  return [isJustInitialised(targetDatabase.db) ? defaults(content) : notEmpty(content)];
}

function notEmpty(content: readonly string[]): Finding {
  return {
    id: 'target-not-empty',
    severity: 'blocker',
    objects: content,
    what: 'Incus is in use. The whole LXD takes its place, so what is there would be gone.',
    action: 'Move these objects away or delete them in Incus, then plan again.',
  };
}

function defaults(content: readonly string[]): Finding {
  return {
    id: 'target-has-defaults',
    severity: 'blocker',
    objects: content,
    what: 'Incus holds what "incus admin init" makes, and nothing else.',
    action: 'With --fix it is set aside in the migration folder and replaced.',
    answers: ['fix'],
  };
}

/** A pool and a bridge that nothing uses, and the default profile with a disk and a network interface: `incus admin init`. */
function isJustInitialised(db: Database): boolean {
  const n = (sql: string): number => (db.prepare(sql).get() as { n: number }).n;
  return (
    n('SELECT count(*) AS n FROM instances') === 0 &&
    n('SELECT count(*) AS n FROM images') === 0 &&
    n('SELECT count(*) AS n FROM storage_volumes') === 0 &&
    n('SELECT count(*) AS n FROM certificates') === 0 &&
    n('SELECT count(*) AS n FROM networks_acls') === 0 &&
    n('SELECT count(*) AS n FROM networks_zones') === 0 &&
    n('SELECT count(*) AS n FROM projects') === 1 &&
    n('SELECT count(*) AS n FROM profiles') === 1 &&
    n('SELECT count(*) AS n FROM profiles_config') === 0 &&
    n("SELECT count(*) AS n FROM profiles_devices WHERE name NOT IN ('root', 'eth0')") === 0 &&
    n("SELECT count(*) AS n FROM storage_pools WHERE name <> 'default'") === 0 &&
    n("SELECT count(*) AS n FROM networks WHERE name <> 'incusbr0'") === 0 &&
    n("SELECT count(*) AS n FROM config WHERE coalesce(value, '') <> '' AND key NOT LIKE 'volatile.%'") === 0
  );
}

function startable({ host, target }: CheckContext): Finding[] {
  if (target === undefined) return [];
  const { service } = target;
  if (service.kind === 'systemd') return masked(host, service.start);
  if (service.kind !== 'none') return [];
  if (service.offline !== undefined) return [serviceManagerOffline(target, service.offline)];
  return [
    {
      id: 'target-not-startable',
      severity: 'blocker',
      objects: [target.dataDirectory],
      what: 'No service manager starts Incus here, so the tool could not start it on the moved data.',
      action: 'Say how it is started and stopped with --services FILE.',
    },
  ];
}

function masked(host: Host, start: readonly string[]): Finding[] {
  const units = neededToStart(start).filter((unit) => isMaskedByFile(host, unit));
  if (units.length === 0) return [];
  return [
    {
      id: 'target-masked',
      severity: 'blocker',
      objects: units,
      what: 'These units of Incus are masked, so it could not be started on the moved data.',
      action: `Unmask them ("systemctl unmask ${units.join(' ')}"), then plan again.`,
    },
  ];
}
