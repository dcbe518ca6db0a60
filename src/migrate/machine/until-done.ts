// The limit of commands whose work grows with the data: they are ended only when they do nothing any more.

/** Longer than a network file system takes to come back after a restart of its server. */
export const untilDone = { timeoutMs: 1_800_000, whileIdle: true } as const;
