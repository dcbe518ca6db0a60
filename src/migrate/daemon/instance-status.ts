// The state of an instance in the words of both daemons.

/** `Ready` is one that runs and has said through /dev/lxd that it is done starting (API extension instance_ready_state). */
export function plainStatus(status: string): string {
  return status === 'Ready' ? 'Running' : status;
}
