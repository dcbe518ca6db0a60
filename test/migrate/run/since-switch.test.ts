// What a rollback says about everything that changed in Incus since the move.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { standaloneConfiguration, writeFreshDirectory } from '../../../src/dqlite/index.ts';
import { openJournal } from '../../../src/migrate/journal/journal.ts';
import type { Finding } from '../../../src/migrate/model/finding.ts';
import { changesSinceSwitch } from '../../../src/migrate/run/since-switch.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { config, instance } from '../convert/converted.ts';
import { changedDatabase, lxdDatabase } from '../lxd-database.ts';
import { machineWith, planOf, writeDatabase } from '../plan/planned.ts';

const server = lxdDatabase(`
  ${instance(1, 'c1')} ${config('instances_config', 1, { 'limits.cpu': '1' })}
  INSERT INTO storage_pools VALUES (1, 'p', 'dir', '', 1);
  INSERT INTO storage_volumes VALUES (1, 'v', 1, 1, 2, '', 1, 0);
  INSERT INTO networks VALUES (1, 1, 'lxdbr0', '', 1, 0);
  INSERT INTO networks_zones VALUES (1, 1, 'z', '');
  INSERT INTO certificates VALUES (1, 'fff', 1, 'cli', 'PEM', 1);
`);
const folder = '/var/lib/lxd-to-incus/runs/RUN';

/** The findings after a finished move, where `damage` has happened to Incus's database. */
async function findingsAfter(
  change: string,
  damage: (database: string) => void = () => {},
): Promise<Finding[]> {
  const host = machineWith(server);
  const { plan, convertedImage } = await planOf(host);
  const journal = openJournal(temporaryFolder());
  onTestFinished(() => journal.close());
  journal.begin('RUN', plan, plan.steps, host.now());
  journal.note('RUN', 'power', { running: [], frozen: [], daemonRan: true });
  journal.note('RUN', 'pins', []);
  const kept = host.path(join(folder, 'source-database'));
  fs.mkdirSync(kept, { recursive: true });
  writeFreshDirectory(join(kept, 'global'), server, { configuration: standaloneConfiguration, term: 1 });
  writeDatabase(host, '/var/lib/incus', changedDatabase(convertedImage, change));
  damage(host.path('/var/lib/incus/database/global'));
  return [...changesSinceSwitch(host, journal, 'RUN', folder).findings];
}

const objectsOf = (found: readonly Finding[]): string[] =>
  found.flatMap(({ id, objects }) => objects.map((object) => `${id}: ${object}`));

test('nothing, where nothing changed', async () => {
  expect(await findingsAfter('')).toEqual([]);
});

test.each([
  [
    'the profiles of an instance',
    'INSERT INTO instances_profiles VALUES (1, 1, 1, 0);',
    /^changed-since-switch: instance default\/c1: profiles /,
  ],
  [
    'a device without settings',
    "INSERT INTO instances_devices VALUES (9, 1, 'eth9', 1);",
    /^changed-since-switch: instance default\/c1: devices\.eth9\.type /,
  ],
  [
    'a peer of a network',
    "INSERT INTO networks_peers VALUES (9, 1, 'x', '', 'dev', 'far', NULL);",
    /^new-since-switch: network peer default\/lxdbr0\/x$/,
  ],
  [
    'a record of a zone',
    "INSERT INTO networks_zones_records VALUES (9, 1, 'www', '', '[]');",
    /^new-since-switch: network zone record default\/z\/www$/,
  ],
  [
    'a bucket',
    "CREATE TABLE storage_buckets (id, name, storage_pool_id, node_id, description, project_id); INSERT INTO storage_buckets VALUES (1, 'b', 1, 1, '', 1);",
    /^new-since-switch: .*bucket.*b$/,
  ],
  [
    'the projects of a certificate',
    'INSERT INTO certificates_projects VALUES (1, 2);',
    /^changed-since-switch: certificate fff: projects /,
  ],
  [
    'the kind of content of a volume',
    'UPDATE storage_volumes SET content_type = 1;',
    /^changed-since-switch: volume .*v: contentType /,
  ],
  [
    'an instance that was deleted',
    'DELETE FROM instances_config; DELETE FROM instances;',
    /^gone-since-switch: instance default\/c1$/,
  ],
])('%s', async (_what, change, line) => {
  expect(objectsOf(await findingsAfter(change))).toEqual([expect.stringMatching(line)]);
});

test('that nobody can tell, where the database of Incus cannot be read; LXD can come back all the same', async () => {
  const found = await findingsAfter('', (database) => {
    for (const name of fs.readdirSync(database)) fs.writeFileSync(join(database, name), 'torn');
  });

  expect(found).toMatchObject([{ id: 'since-switch-unknown', severity: 'note' }]);
});
