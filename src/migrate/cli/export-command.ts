// `export-db`: the LXD database as a plain SQLite file.
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import type { Host } from '../../core/host.ts';
import type { Output } from '../../core/output.ts';
import { find } from '../detect/index.ts';
import { exportDatabase } from '../export/export-database.ts';
import { requireDatabase } from '../inventory/database-files.ts';
import { type CommonOptions, detectOptions } from './options.ts';
import { refuseOwnPlaces } from './refuse-own-places.ts';

export async function exportCommand(
  host: Host,
  options: CommonOptions & { salvage?: boolean },
  out: string,
  output: Output,
): Promise<ExitCode> {
  const where = detectOptions(options);
  refuseOwnPlaces(host, { out }, where);
  const { source } = find(host, where);
  const files = requireDatabase(host.path(source.dataDirectory));
  const result = exportDatabase(files.global, out, { salvage: options.salvage === true });
  for (const notice of result.notices) output.message(notice);
  output.event({ event: 'exported', ...result });
  output.line(result.summary);
  return exitCode.done;
}
