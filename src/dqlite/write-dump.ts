// Writes db.bin, the copy of the database that a daemon leaves beside its log at a clean stop.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { removeTemporaries, syncFolder, writeFileDurable } from '../core/durable.ts';

/**
 * At boot, `incusd activateifneeded` looks into db.bin to decide whether there is anything to start the daemon for
 * (cmd/incusd/main_activateifneeded.go). It prepares its statements on the tables as they are, so they must have the
 * daemon's own schema. It reads only, so the file is in rollback mode and needs no files beside it. The daemon itself
 * never reads it, and writes it anew when it stops.
 */
export function writeDump(folder: string, image: Buffer): void {
  // A kill in the middle of writing it leaves a file under another name.
  removeTemporaries(folder, 'db.bin');
  // The second half of an older dump would be taken for changes of this one.
  fs.rmSync(join(folder, 'db.bin-wal'), { force: true });
  syncFolder(folder);
  writeFileDurable(join(folder, 'db.bin'), asDump(image));
}

function asDump(image: Buffer): Buffer {
  const dump = Buffer.from(image);
  dump[18] = 1;
  dump[19] = 1;
  return dump;
}
