// Finds the Go of this machine: where its standard library is, and which version that is of.
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../core/failure.ts';
import { run } from '../../core/run.ts';

export interface InstalledGo {
  /** The folder with `src` below it. */
  readonly root: string;
  /** As Go says it: `go1.22.3`. */
  readonly version: string;
}

const answer = z.object({ GOROOT: z.string(), GOVERSION: z.string() });
const longestMs = 10_000;

/** Undefined where Go is not installed, or does not answer: nothing hangs on it but what is known of its packages. */
export async function findGo(): Promise<InstalledGo | undefined> {
  try {
    const { stdout } = await run(['go', 'env', '-json', 'GOROOT', 'GOVERSION'], {
      timeoutMs: longestMs,
      // A go.mod where this process stands could ask for another Go, which would be fetched.
      cwd: '/',
      env: { GOTOOLCHAIN: 'local', GOWORK: 'off', GOTELEMETRY: 'off' },
    });
    const { GOROOT: root, GOVERSION: version } = answer.parse(JSON.parse(stdout.toString('utf8')));
    return isAbsolute(root) ? { root, version } : undefined;
  } catch (error) {
    if (error instanceof Failure || error instanceof SyntaxError || error instanceof z.ZodError)
      return undefined;
    throw error;
  }
}
