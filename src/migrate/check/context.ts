// What every check looks at.

import type { Database } from 'better-sqlite3';
import type { Host, LoopDevice } from '../../core/host.ts';
import type { CopyFacts } from '../machine/measure-copy.ts';
import type { Installation } from '../model/installation.ts';

/** A database as it was read from files, opened read-only. */
export interface OpenDatabase {
  readonly db: Database;
  readonly local: Database | undefined;
  /** Servers of the raft configuration. */
  readonly servers: readonly { readonly id: bigint; readonly address: string }[];
}

export interface CheckContext {
  readonly host: Host;
  readonly source: Installation;
  readonly target: Installation | undefined;
  readonly targetVersion: string | undefined;
  readonly sourceDatabase: OpenDatabase;
  /** undefined: the target has no database yet. */
  readonly targetDatabase: OpenDatabase | undefined;
  /** Databases that this user may not read; a plan is made without them. */
  readonly unreadable: readonly string[];
  /** The tool's own folder. */
  readonly state: string;
  /** False where only a copy of a database was given, without the rest of the data directory. */
  readonly sourceIsWhole: boolean;
  /** What a copy of the data directory would take; absent where nothing is copied. */
  readonly copy?: CopyFacts;
  /** Loop devices of the machine. */
  readonly loops?: readonly LoopDevice[];
  /** Bytes of the source's database image. */
  readonly imageBytes: number;
}
