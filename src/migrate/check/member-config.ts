// Findings about settings that local.db lacks though the daemon or the data go by them. LXD up to 6.9 deletes a member's
// settings when it refuses a change of the server's configuration, and goes on with the old values until it is restarted
// (doApi10Update: local.db is written before the rest is validated).
import * as fs from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../../core/failure.ts';
import type { Host, PortHolder } from '../../core/host.ts';
import { inert, shellWord } from '../../core/text.ts';
import { directoryOfProcess, isDaemon, isSameFolder } from '../machine/daemon-process.ts';
import type { Finding } from '../model/finding.ts';
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
  return [...addresses(context, config), ...daemonVolumes(context, config)];
}

type LocalConfig = ReadonlyMap<string, string>;

/** Ports that tell what is listened for, where more than one address may be missing (defaults of both projects). */
const usualPorts: Readonly<Record<number, string>> = {
  53: 'core.dns_address',
  179: 'core.bgp_address',
  8444: 'core.metrics_address',
  9100: 'core.metrics_address',
};

/** Without a port, LXD takes that of its API. */
const usualPort = 8443;

function addresses({ host, source }: CheckContext, config: LocalConfig): Finding[] {
  const known = new Set(
    [...config].flatMap(([key, value]) => (/_address$/.test(key) && value !== '' ? [portOf(value)] : [])),
  );
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
  return host
    .ports()
    .filter(({ pid, protocol, port }) => pid === daemon.pid && protocol === 'tcp' && !known.has(port))
    .map((address): Finding => {
      const key = keyOf(address, config);
      return {
        id: `member-config-lost:${key}`,
        severity: 'loss',
        objects: [`${key} = ${written(address)}`],
        what: `LXD listens here, and its database does not say so. ${explained}`,
        action: `Set it again: lxc config set ${key} ${shellWord(written(address))}. With --accept Incus does not listen here.`,
        answers: ['accept'],
      };
    });
}

function keyOf({ port }: PortHolder, config: LocalConfig): string {
  const usual = usualPorts[port];
  return usual !== undefined && (config.get(usual) ?? '') === '' ? usual : 'core.https_address';
}

function written({ address, port }: PortHolder): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function portOf(address: string): number {
  const port = /:(\d{1,5})$/.exec(address.replace(/^\[[^\]]*\]/, ''))?.[1];
  return port === undefined ? usualPort : Number(port);
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
