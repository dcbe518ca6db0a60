// Makes fixtures/databases from a folder of archives: NAME.tar.xz of a database directory, NAME.sql[.xz] of its dump.
// Usage: node src/dev/make-fixtures.ts FOLDER
import * as fs from 'node:fs';
import { join } from 'node:path';
import { run } from '../core/run.ts';
import { databaseFixtures, writePacked } from './database-fixture.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node src/dev/make-fixtures.ts FOLDER');
  process.exit(2);
}

for (const name of databaseFixtures) {
  writePacked(`${name}.tar.br`, await content(join(folder, `${name}.tar`)));
  writePacked(`${name}.sql.br`, await content(join(folder, `${name}.sql`)));
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
