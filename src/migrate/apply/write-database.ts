// Writes the converted database as a directory that incusd starts on: global/ and local.db, all on disk when it returns.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { syncFolder, writeFileDurable } from '../../core/durable.ts';
import { type DatabaseImage, writeFreshDirectory } from '../../dqlite/index.ts';
import type { Conversion } from '../convert/index.ts';

/** @param folder must not exist; its parent must */
export function writeDatabaseDirectory(
  folder: string,
  conversion: Pick<Conversion, 'image' | 'local'>,
  { image }: { readonly image: Pick<DatabaseImage, 'configuration' | 'lastTerm'> },
): void {
  fs.mkdirSync(folder, { mode: 0o700 });
  writeFreshDirectory(join(folder, 'global'), conversion.image, {
    configuration: image.configuration,
    term: image.lastTerm,
  });
  if (conversion.local !== undefined) writeFileDurable(join(folder, 'local.db'), conversion.local, 0o600);
  syncFolder(folder);
}
