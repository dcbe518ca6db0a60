// Brings everything that was written to a file system onto its disk.
import { totalmem } from 'node:os';
import type { Host } from '../../core/host.ts';

const leastMs = 3_600_000;
/** What a slow disk takes. */
const bytesPerMs = 1024;

/** The command waits in the kernel, where nothing shows progress; more than all memory cannot be left to write. */
const limitMs = leastMs + totalmem() / bytesPerMs;

/** Everything that was written to the file system of a path is on disk when it returns. */
export async function syncFileSystem(host: Host, path: string): Promise<void> {
  await host.run(['sync', '-f', '--', path], { timeoutMs: limitMs });
}
