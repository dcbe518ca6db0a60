// Findings about settings that local.db lacks though the daemon or the data go by them. LXD up to 6.9 deletes a member's
// settings when it refuses a change of the server's configuration, and goes on with the old values until it is restarted
// (doApi10Update: local.db is written before the rest is validated).
import * as fs from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../../core/failure.ts';
import type { Host, PortHolder } from '../../core/host.ts';
import { inert, shellWord } from '../../core/text.ts';
import { endpointOf, isBound } from '../condition/addresses.ts';
import { isTrue } from '../is-true.ts';
import { directoryOfProcess, isDaemon, isSameFolder } from '../machine/daemon-process.ts';
import type { Finding } from '../model/finding.ts';
import { migrationRules } from '../rules/migration-rules.ts';
import type { CheckContext } from './context.ts';

const explained =
  'LXD loses settings of this server from local.db when it refuses a change of its configuration, and goes on with them until it is restarted.';

export function checkMemberConfig(context: CheckContext): Finding[] {
  const { local } = context.sourceDatabase;
  if (local === undefined || !context.sourceIsWhole) return [];
  const config = new Map(
    local
      .prepare<[], [string, string | null]>('SELECT key, value FROM config')
      .raw()
      .all()
      .map(([key, value]) => [key, value ?? '']),
  );
  return [...addresses(context, config), ...syslogSocket(context, config), ...daemonVolumes(context, config)];
}

type LocalConfig = ReadonlyMap<string, string>;

/** What LXD may be told to listen on, and the port that it takes where none is given. */
function listens(): { readonly key: string; readonly port: number }[] {
  return migrationRules().listens.flatMap(({ key, port }) => (port === undefined ? [] : [{ key, port }]));
}

/** Its pages name this port in their examples for metrics. */
const metricsOfThePages = { key: 'core.metrics_address', port: 8444 };

const apiKey = 'core.https_address';
/** Of a member of a cluster, which a server is not. */
const clusterKey = 'cluster.https_address';

function addresses({ host, source }: CheckContext, config: LocalConfig): Finding[] {
  const daemon = host
    .processes()
    .find(
      (process) =>
        process.samePidNamespace &&
        isDaemon(process) &&
        !/incusd$/.test(process.argv[0] ?? '') &&
        isSameFolder(host, directoryOfProcess(host, process) ?? '', source.dataDirectory),
    );
  if (daemon === undefined) return [];
  const rules = listens();
  const set = new Map(
    rules.flatMap(({ key, port }) => {
      const value = config.get(key) ?? '';
      return value === '' ? [] : [[key, endpointOf(value, port).port] as const];
    }),
  );
  const known = new Set(set.values());
  const own = host.ports().filter(({ pid, protocol }) => pid === daemon.pid && protocol === 'tcp');
  const lost = own.filter(({ port }) => !known.has(port));
  const keyOf = ({ port }: PortHolder): string | undefined =>
    [...rules, metricsOfThePages].find(
      (rule) => rule.port === port && rule.key !== clusterKey && !set.has(rule.key),
    )?.key;
  const open = new Set(lost.filter((address) => keyOf(address) === undefined).map(({ port }) => port));
  const apiPort = set.get(apiKey) ?? rules.find(({ key }) => key === apiKey)?.port;
  // Its port tells nothing, and the API listens nowhere: that is what every server is told to listen for.
  const isApi = open.size === 1 && own.every(({ port }) => port !== apiPort);
  const unset = rules.map(({ key }) => key).filter((key) => key !== clusterKey && !set.has(key));
  return lost.map((address): Finding => {
    const key = keyOf(address) ?? (isApi ? apiKey : undefined);
    return key === undefined
      ? unnamedAddress(address, unset)
      : lostSetting(key, written(address), 'Incus does not listen here');
  });
}

/** @param without what `--accept` comes to */
function lostSetting(key: string, value: string, without: string): Finding {
  return {
    id: `member-config-lost:${key}`,
    severity: 'loss',
    objects: [`${key} = ${value}`],
    what: `LXD listens here, and its database does not say so. ${explained}`,
    action: `Set it again: lxc config set ${key} ${shellWord(value)}. With --accept ${without}.`,
    answers: ['accept'],
  };
}

function unnamedAddress(address: PortHolder, keys: readonly string[]): Finding {
  return {
    id: 'member-config-lost:address',
    severity: 'loss',
    objects: [written(address)],
    what: `LXD listens here, and its database does not say for what. ${explained}`,
    action: `Set again the key that it belongs to, one of ${keys.join(', ')}. With --accept Incus does not listen here.`,
    answers: ['accept'],
  };
}

/** Log lines of the kernel's network that LXD takes in. */
function syslogSocket({ host, source }: CheckContext, config: LocalConfig): Finding[] {
  return migrationRules().listens.flatMap(({ key, socket }) =>
    socket === undefined || isTrue(config.get(key)) || !isBound(host, join(source.dataDirectory, socket))
      ? []
      : [lostSetting(key, 'true', 'Incus takes in no such lines')],
  );
}

function written({ address, port }: PortHolder): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

const volumes = [
  { folder: 'images', key: 'storage.images_volume' },
  { folder: 'backups', key: 'storage.backups_volume' },
] as const;

function daemonVolumes(context: CheckContext, config: LocalConfig): Finding[] {
  return volumes.flatMap(({ folder, key }) => {
    const isSet = (config.get(key) ?? '') !== '';
    const found =
      volumeOfLink(context, folder) ?? (isSet || folder !== 'images' ? undefined : volumeOfImages(context));
    if (!isSet && found !== undefined) return [lost(key, found, join(context.source.dataDirectory, folder))];
    return isSet ? emptied(context, folder, key) : [];
  });
}

/** LXD refuses to set it again, for its volume is not empty; so it is written into the database. */
function lost(key: string, volume: string, path: string): Finding {
  const statement = `INSERT OR REPLACE INTO config (key, value) VALUES ('${key}', '${volume.replaceAll("'", "''")}')`;
  return {
    id: `member-config-lost:${key}`,
    severity: 'blocker',
    objects: [`${key} = ${inert(volume)}`, inert(path)],
    what: `LXD keeps this folder on a volume, and its database does not say so. ${explained} Incus would not know of the volume.`,
    action: `Write it again: lxd sql local ${shellWord(statement)}. Then plan again.`,
  };
}

/** `POOL/VOLUME` where the folder is LXD's link to one (daemonStorageMove). */
function volumeOfLink({ host, source }: CheckContext, folder: string): string | undefined {
  const target = orNothing(() => fs.readlinkSync(host.path(join(source.dataDirectory, folder))));
  const match = /\/storage-pools\/([^/]+)\/custom\/default_([^/]+)\/?$/.exec(target ?? '');
  return match === null ? undefined : `${match[1]}/${match[2]}`;
}

/**
 * Where the folder is empty though the database has images of this server: the volume in which their files are. Files are
 * named after the fingerprint.
 */
function volumeOfImages(context: CheckContext): string | undefined {
  const { host, source, sourceDatabase } = context;
  const images = sourceDatabase.db
    .prepare<[], string>('SELECT fingerprint FROM images ORDER BY id')
    .pluck()
    .all();
  const isFile = (folder: string): boolean =>
    images.some((name) => /^[0-9a-f]+$/.test(name) && fs.existsSync(host.path(join(folder, name))));
  if (images.length === 0 || isFile(join(source.dataDirectory, 'images'))) return undefined;
  const pools = join(source.dataDirectory, 'storage-pools');
  for (const pool of namesIn(host, pools))
    for (const volume of namesIn(host, join(pools, pool, 'custom')))
      if (volume.startsWith('default_') && isFile(join(pools, pool, 'custom', volume)))
        return `${pool}/${volume.slice('default_'.length)}`;
  return undefined;
}

/** Both daemons delete the folder at their start, to put a link in its place. */
function emptied({ host, source }: CheckContext, folder: string, key: string): Finding[] {
  const path = join(source.dataDirectory, folder);
  const stat = orNothing(() => fs.lstatSync(host.path(path)));
  if (stat?.isDirectory() !== true) return [];
  const left = namesIn(host, path).filter((name) => !isEmptyFolder(host, join(path, name)));
  if (left.length === 0) return [];
  return [
    {
      id: `daemon-volume-folder:${folder}`,
      severity: 'blocker',
      objects: [path],
      what: `${key} names a volume, and this is a folder with files in it. Either daemon deletes the folder when it starts, to put a link to the volume in its place.`,
      action: `Look whether the files are on the volume as well. Move them there, or unset ${key}, then plan again.`,
    },
  ];
}

/** LXD makes some in every folder of backups. */
function isEmptyFolder(host: Host, path: string): boolean {
  const stat = orNothing(() => fs.lstatSync(host.path(path)));
  return stat?.isDirectory() === true && namesIn(host, path).length === 0;
}

function namesIn(host: Host, folder: string): string[] {
  return (orNothing(() => fs.readdirSync(host.path(folder))) ?? []).sort();
}

function orNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (systemErrorCode(error) !== undefined) return undefined;
    throw error;
  }
}
