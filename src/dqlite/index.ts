// The database directory of LXD and Incus: read it, write it. Nothing outside this folder knows its format.
export { type Appended, appendTransaction } from './append-transaction.ts';
export {
  type RaftConfiguration,
  type RaftServer,
  type ServerRole,
  standaloneConfiguration,
} from './configuration.ts';
export { type DqliteNotice, describeNotice } from './notice.ts';
export { type DqliteProblem, dqliteFailure, isDqliteFailure } from './problem.ts';
export { type RaftPosition, raftPosition } from './raft-position.ts';
export {
  type DatabaseImage,
  type ReadOptions,
  type ReadStatistics,
  readDatabase,
} from './read-database.ts';
export type { CheckedSegments } from './reading.ts';
export { writeDump } from './write-dump.ts';
export { type FreshOptions, writeFreshDirectory } from './write-fresh-directory.ts';
