// What a daemon writes into its log from a moment on.
import * as fs from 'node:fs';
import { Failure, systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { openRegularFile } from '../../core/read-regular-file.ts';
import type { DaemonRef } from '../model/step.ts';
import { migrationRules } from '../rules/migration-rules.ts';

const readLimitBytes = 256 * 1024;

/** Begins to watch; the answer reads what has come since, '' where nothing did or no log is known. */
export function watchDaemonLog(host: Host, daemon: DaemonRef): () => Promise<string> {
  const files = migrationRules().log_files[daemon.role].map((path) =>
    host.path(path.replace('<directory>', daemon.dataDirectory)),
  );
  const before = new Map(files.map((path) => [path, sizeOf(path)]));
  const since = Math.floor(host.now().getTime() / 1000);
  return async () => {
    const written = files.map((path) => readFrom(path, before.get(path) ?? 0));
    return [await fromJournal(host, daemon, since), ...written].filter((text) => text !== '').join('\n');
  };
}

function sizeOf(path: string): number {
  return fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** From where it ended before; a daemon that begins a new file begins it at 0. */
function readFrom(path: string, before: number): string {
  try {
    const fd = openRegularFile(path, 'follow');
    try {
      const { size } = fs.fstatSync(fd);
      const from = Math.max(size < before ? 0 : before, size - readLimitBytes);
      // A log may have any size: only its end is read.
      const piece = Buffer.alloc(Math.max(0, size - from));
      return piece
        .subarray(0, fs.readSync(fd, piece, 0, piece.length, from))
        .toString('utf8')
        .trim();
    } finally {
      fs.closeSync(fd);
    }
  } catch (error) {
    // A log that is a pipe or a device tells nothing.
    if (error instanceof Failure || ['ENOENT', 'EACCES'].includes(systemErrorCode(error) ?? '')) return '';
    throw error;
  }
}

/** What it printed, where systemd keeps that. */
async function fromJournal(host: Host, { service }: DaemonRef, since: number): Promise<string> {
  if (service.kind !== 'systemd' || host.which('journalctl') === undefined) return '';
  const units = service.units.filter((unit) => unit.endsWith('.service')).map((unit) => `--unit=${unit}`);
  try {
    const { stdout } = await host.run(
      ['journalctl', '--quiet', '--no-pager', '--output=cat', '--lines=50', `--since=@${since}`, ...units],
      { timeoutMs: 20_000 },
    );
    return stdout.toString('utf8').trim();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // Why the daemon did not start is what is told; a journal without an answer must not look like one without a word.
    return `error: what systemd's journal has of it is not known: ${error.explanation.what}`;
  }
}
