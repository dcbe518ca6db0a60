// Makes a database directory out of an SQLite file, for a daemon to start with.
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { coreFailure } from '../core/core-problem.ts';
import { makeFolderDurable, renameDurable, syncFolder, writeFileDurable } from '../core/durable.ts';
import { checkImage, pageForLog, pageNumbersOf, requiredPageSize } from './check-image.ts';
import type { RaftConfiguration } from './configuration.ts';
import { configurationEntry, encodeSegment, framesEntry } from './encode-log.ts';
import { encodeMetadata } from './metadata.ts';
import { dqliteFailure } from './problem.ts';
import { writeDump } from './write-dump.ts';

export interface FreshOptions {
  /** Ids and addresses of the source; `standaloneConfiguration` for a daemon that is not clustered. */
  readonly configuration: RaftConfiguration;
  /** At least the term of everything that members of the same cluster hold; 1 unless told. */
  readonly term?: number;
}

/**
 * Writes a log of two entries, configuration and one transaction with all pages: every version of dqlite and cowsql
 * starts with it. The folder appears whole or not at all, and is refused if it exists.
 * @throws {Failure<DqliteProblem | CoreProblem>} image-unsuitable, target-exists
 */
export function writeFreshDirectory(folder: string, image: Buffer, options: FreshOptions): void {
  checkImage(image);
  if (!options.configuration.servers.some(({ role }) => role === 'voter'))
    throw dqliteFailure({ code: 'image-unsuitable', why: 'no server of the configuration may vote' });
  const term = options.term ?? 1;
  const temporary = join(dirname(folder), `.${basename(folder)}.new`);
  if (fs.lstatSync(folder, { throwIfNoEntry: false }) !== undefined)
    throw coreFailure({ code: 'target-exists', path: folder });
  fs.rmSync(temporary, { recursive: true, force: true });
  try {
    makeFolderDurable(temporary, 0o750);
    writeFileDurable(join(temporary, 'metadata1'), encodeMetadata(term));
    writeFileDurable(
      join(temporary, '0000000000000001-0000000000000002'),
      encodeSegment([
        configurationEntry(term, options.configuration),
        framesEntry(term, requiredPageSize, pageNumbersOf(image), (page) => pageForLog(image, page)),
      ]),
    );
    writeDump(temporary, image);
    syncFolder(temporary);
    renameDurable(temporary, folder);
  } catch (error) {
    fs.rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
}
