// What of its pools a daemon mounts and attaches by itself; kept in the steps that clear up after it.

export interface PoolFacts {
  readonly name: string;
  readonly driver: string;
  /** As the database has it: a folder, a device, a file, the name of something on it; undefined where it has none. */
  readonly source: string | undefined;
}
