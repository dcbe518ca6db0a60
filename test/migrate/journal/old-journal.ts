// Journals as former versions wrote them: real ones, from fixtures/journals.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { temporaryFolder } from '../../temporary-folder.ts';

const folder = join(import.meta.dirname, '../../../fixtures/journals');

/** Of a migration, its rollback and another migration, on Debian's LXD 5.0.2 with two containers. */
export function formerJournal(format: 1): Buffer {
  return brotliDecompressSync(fs.readFileSync(join(folder, `format-${format}.db.br`)));
}

export interface JournalFolder {
  readonly state: string;
  readonly file: string;
  bytes(): Buffer;
}

/** The tool's own folder with that journal in it, changed as a test wants it. */
export function folderWith(
  journal: Buffer,
  change: (db: Database.Database) => void = () => {},
): JournalFolder {
  const state = join(temporaryFolder(), 'state');
  const file = join(state, 'journal.db');
  fs.mkdirSync(state, { mode: 0o700 });
  fs.writeFileSync(file, journal, { mode: 0o600 });
  const db = new Database(file);
  try {
    change(db);
  } finally {
    db.close();
  }
  return { state, file, bytes: () => fs.readFileSync(file) };
}
