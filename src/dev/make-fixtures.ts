// Makes fixtures/databases from a folder of archives: NAME.tar.xz of a database directory, NAME.sql[.xz] of its dump,
// NAME.api.json.xz of what the daemon's API said. Usage: node src/dev/make-fixtures.ts FOLDER [NAME…]
import * as fs from 'node:fs';
import { join } from 'node:path';
import { run } from '../core/run.ts';
import { databaseFixtures, recordedFixtures, recordingName, writePacked } from './database-fixture.ts';

const [folder, ...only] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node src/dev/make-fixtures.ts FOLDER [NAME…]');
  process.exit(2);
}

/** A description of all configuration keys, as large as everything else together, and nothing of this server. */
const leftOut = '/1.0/metadata/configuration';

for (const name of databaseFixtures.filter((one) => only.length === 0 || only.includes(one))) {
  writePacked(`${name}.tar.br`, await content(join(folder, `${name}.tar`)));
  writePacked(`${name}.sql.br`, await content(join(folder, `${name}.sql`)));
  const recorded = recordedFixtures.find((one) => one === name);
  if (recorded !== undefined) {
    const file = recordingName(recorded);
    const { [leftOut]: _leftOut, ...answers } = JSON.parse(
      (await content(join(folder, file))).toString('utf8'),
    );
    writePacked(`${file}.br`, Buffer.from(JSON.stringify(answers)));
  }
  console.log(name);
}

async function content(path: string): Promise<Buffer> {
  if (fs.existsSync(path)) return fs.readFileSync(path);
  const unpacked = await run(['xz', '--decompress', '--stdout', `${path}.xz`], {
    timeoutMs: 60_000,
    maxOutputBytes: 1024 * 1024 * 1024,
  });
  return unpacked.stdout;
}
