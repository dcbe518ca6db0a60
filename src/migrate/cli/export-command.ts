// `export-db`: the LXD database as a plain SQLite file.
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import type { Host } from '../../core/host.ts';
import type { Output } from '../../core/output.ts';
import { findSource } from '../detect/index.ts';
import { exportDatabase } from '../export/export-database.ts';
import { requireDatabase } from '../inventory/database/database-files.ts';
import { isMoved, movedAlready } from './beside-a-run.ts';
import type { OptionsOf } from './command-options.ts';
import { detectOptions } from './options.ts';
import { refuseOwnPlaces } from './refuse-own-places.ts';

export async function exportCommand(
  host: Host,
  options: OptionsOf<'export-db'>,
  output: Output,
  out: string,
): Promise<ExitCode> {
  const where = detectOptions(options);
  const { salvage = false } = options;
  refuseOwnPlaces(host, { out }, where);
  if (isMoved(host, options, 'database')) return movedAlready(host, options, output);
  const source = findSource(host, where);
  const files = requireDatabase(host.path(source.dataDirectory));
  const result = exportDatabase(files.global, out, { salvage });
  for (const notice of result.notices) output.message(notice);
  output.event({ event: 'exported', ...result });
  output.line(result.summary);
  return exitCode.done;
}
