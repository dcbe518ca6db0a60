// Standard output and standard error that cannot be written: a full disk, a reader or a terminal that is gone. Neither
// ends a program in the middle of its work; what was lost is asked for at the end.
import { systemErrorCode } from './failure.ts';

/** The first write to standard output that failed. There is one in a process, and so is this. */
let lost: string | undefined;

function noteLoss(error: Error): void {
  lost ??= systemErrorCode(error) ?? error.message;
}

/** Nobody is left who could be told. */
function ignore(): void {}

/** From now on a failed write is noted and not thrown. */
export function watchStandardStreams(): void {
  for (const [stream, listener] of [
    [process.stdout, noteLoss],
    [process.stderr, ignore],
  ] as const)
    if (!stream.listeners('error').includes(listener)) stream.on('error', listener);
}

/** Waits until all of it is written; the errno of the first write that failed, or undefined. */
export function standardOutputLost(): Promise<string | undefined> {
  return new Promise((resolve) => {
    process.stdout.write('', (error) => {
      if (error instanceof Error) noteLoss(error);
      resolve(lost);
    });
  });
}

/** For people; undefined where a reader has only seen enough (`| head`), which no Unix tool makes words about. */
export function describeLoss(errno: string | undefined): string | undefined {
  if (errno === undefined || errno === 'EPIPE') return undefined;
  return `Not all of the output could be written: ${errno === 'ENOSPC' ? 'no space is left (ENOSPC)' : errno}.`;
}
