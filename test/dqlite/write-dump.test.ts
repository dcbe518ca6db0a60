// The copy of a database by which a boot decides whether to start its daemon.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeDump } from '../../src/dqlite/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

it('leaves nothing of a writer that was killed, nor of an older dump, and nobody else loses a file', () => {
  const folder = temporaryFolder();
  for (const name of ['.db.bin.4711.tmp', '.metadata1.4711.tmp', 'db.bin', 'db.bin-wal', 'metadata1'])
    fs.writeFileSync(join(folder, name), 'before');

  writeDump(folder, Buffer.alloc(100));

  expect(fs.readdirSync(folder).sort()).toEqual(['.metadata1.4711.tmp', 'db.bin', 'metadata1']);
  expect(fs.readFileSync(join(folder, 'db.bin'))).toHaveLength(100);
});
