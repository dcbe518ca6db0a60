// The process that fuzz.ts watches: texts of /etc/subuid and /etc/subgid for a server with containers. A plan for them never
// throws, and the lines that it adds leave every container its ids.
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { planIdMaps } from '../../src/migrate/id-maps/plan-id-maps.ts';
import { fakeHost } from '../fakes/fake-host.ts';
import { config, instance } from '../migrate/convert/converted.ts';
import { anySubids } from '../migrate/id-maps/any-subids.ts';
import { lxdDatabase } from '../migrate/lxd-database.ts';
import { feed } from './fuzz-child.ts';

const map = (start: number, size: number): string =>
  JSON.stringify([
    { Isuid: true, Isgid: false, Hostid: start, Nsid: 0, Maprange: size },
    { Isuid: false, Isgid: true, Hostid: start, Nsid: 0, Maprange: size },
  ]);
const container = (id: number, idmap: string, more: Readonly<Record<string, string>> = {}): string =>
  `${instance(id, `c${id}`)} ${config('instances_config', id, {
    'volatile.last_state.idmap': idmap,
    'volatile.idmap.next': idmap,
    ...more,
  })}`;

const servers = [
  container(1, map(1_000_000, 1_000_000_000)),
  container(1, map(100_000, 65_536)),
  `${container(1, map(100_000, 10_000_001))} ${container(2, map(165_536, 65_536), { 'security.idmap.isolated': 'true' })}`,
  container(1, '[]'),
].map((sql) => new Database(lxdDatabase(sql)));

const bytes = fc.uint8Array({ maxLength: 200 }).map((content) => Buffer.from(content).toString('latin1'));
const text = fc.oneof({ weight: 9, arbitrary: anySubids }, { weight: 1, arbitrary: bytes });
const host = fakeHost();
process.on('exit', () => host.dispose());

await feed(
  fc.tuple(text, fc.option(text, { nil: undefined }), fc.constantFrom(...servers.keys()), fc.boolean()),
  ([subuid, other, server, hasTools]) => {
    host.writeFile('/etc/subuid', Buffer.from(subuid, 'latin1'));
    host.writeFile('/etc/subgid', Buffer.from(other ?? subuid, 'latin1'));
    for (const tool of ['newuidmap', 'newgidmap'])
      if (hasTools) host.machine.commands.set(tool, `/usr/bin/${tool}`);
      else host.machine.commands.delete(tool);
    const db = servers[server];
    if (db === undefined) throw new Error('no such server');

    const { lines, fates, refused, incus } = planIdMaps({ host, db, hasTarget: true });

    const kept = [...fates.values()].every((fate) => fate === 'kept') && refused.length === 0;
    if (lines.length > 0 && !kept) throw new Error('lines are added, and a container loses its ids');
    if (lines.length > 0 && ((incus?.uid.length ?? 0) !== 1 || (incus?.gid.length ?? 0) !== 1) && kept)
      return 'several ranges';
    return lines.length > 0 ? 'lines added' : kept ? 'kept as it is' : 'refused';
  },
);
