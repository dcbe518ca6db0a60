// The databases of real daemons and libraries in fixtures/databases: packs and unpacks them.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { untar } from './untar.ts';

const fixtures = join(import.meta.dirname, '..', '..', 'fixtures', 'databases');

/** Each is a directory as its writer left it, with the dump of tables and rows that it must give. */
export const databaseFixtures = [
  'dqlite-1.11.1-killed-lz4',
  'dqlite-1.18.6-killed',
  'incus-6.0.4-running',
  'lxd-4.0.13-clean',
  'lxd-4.0.13-to-5.0.2git-to-5.21.7-to-6.9-clean',
  'lxd-5.0.2-2001-instances',
  'lxd-5.0.2-clean',
  'lxd-5.0.2-cluster-m1',
  'lxd-5.0.2-cluster-m2',
  'lxd-5.0.2-cluster-m3',
  'lxd-5.0.2-killed',
  'lxd-5.0.2-rich-killed',
  'lxd-5.0.2-to-5.21.7-clean',
  'lxd-5.21.7-clean',
  'lxd-6.9-cluster-clean',
  'lxd-6.9-killed',
  'lxd-6.9-ovn-clean',
] as const;

export type DatabaseFixture = (typeof databaseFixtures)[number];

/** Of these it is also recorded what the API said before the daemon ended: for each path the `metadata` of its answer. */
export const recordedFixtures = [
  'lxd-4.0.13-clean',
  'lxd-4.0.13-to-5.0.2git-to-5.21.7-to-6.9-clean',
  'lxd-5.0.2-rich-killed',
  'lxd-5.0.2-to-5.21.7-clean',
  'lxd-5.21.7-clean',
  'lxd-6.9-cluster-clean',
  'lxd-6.9-killed',
  'lxd-6.9-ovn-clean',
] as const satisfies readonly DatabaseFixture[];

export type RecordedFixture = (typeof recordedFixtures)[number];

/** What the API said is the same however the daemon was ended then. */
export function recordingName(name: RecordedFixture): string {
  return `${name.replace(/-(clean|killed)$/, '')}.api.json`;
}

/**
 * Unpacks a fixture into an existing folder. Returns the folder that holds the log, and the one around it, in which
 * fixtures of daemons have `local.db` as well.
 */
export function unpackDatabaseFixture(
  name: DatabaseFixture,
  into: string,
): { readonly global: string; readonly database: string } {
  untar(readPacked(`${name}.tar.br`), into);
  const database = join(into, name);
  const global = join(database, 'global');
  return { database, global: fs.existsSync(global) ? global : database };
}

/** What `sqlite3 FILE .dump` prints for a fixture. */
export function readFixtureDump(name: DatabaseFixture): string {
  return readPacked(`${name}.sql.br`).toString('utf8');
}

/** Answers by path; one that the daemon refused is `{ error }`. */
export function readRecording(name: RecordedFixture): Readonly<Record<string, unknown>> {
  return JSON.parse(readPacked(`${recordingName(name)}.br`).toString('utf8')) as Record<string, unknown>;
}

function readPacked(file: string): Buffer {
  return brotliDecompressSync(fs.readFileSync(join(fixtures, file)), {
    params: { [constants.BROTLI_DECODER_PARAM_LARGE_WINDOW]: 1 },
  });
}

/** Packs the content of `NAME.tar.br` or `NAME.sql.br`; the window spans everything, for pages repeat far apart. */
export function writePacked(file: string, content: Buffer): void {
  const packed = brotliCompressSync(content, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_LARGE_WINDOW]: 1,
      [constants.BROTLI_PARAM_LGWIN]: 28,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  });
  fs.mkdirSync(fixtures, { recursive: true });
  fs.writeFileSync(join(fixtures, file), packed);
}
