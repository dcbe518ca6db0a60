// The environment in which every git process of fork-sync runs: no configuration, prompts or fetches of its own.

/** Replaces what a caller's shell may have set; GIT_DIR and friends would silently redirect every command. */
export const gitEnvironment: Readonly<Record<string, string | undefined>> = {
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_NO_LAZY_FETCH: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_DIR: undefined,
  GIT_WORK_TREE: undefined,
  GIT_INDEX_FILE: undefined,
  GIT_OBJECT_DIRECTORY: undefined,
  GIT_ALTERNATE_OBJECT_DIRECTORIES: undefined,
  GIT_NAMESPACE: undefined,
  GIT_CONFIG_COUNT: undefined,
  GIT_CONFIG_PARAMETERS: undefined,
};

/**
 * Settings of a fetch into a repository of ours: git would tidy up afterwards, and take away what no ref names and whose
 * file is old by the clock of the day. Another process may have written it a moment ago, before the clock was set.
 */
export const noTidying: readonly (readonly [string, string])[] = [
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
];
