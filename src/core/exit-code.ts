// The exit codes that scripts rely on; documented in docs/cli.md.

export const exitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  blocked: 3,
  nothingToDo: 4,
  interrupted: 5,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
