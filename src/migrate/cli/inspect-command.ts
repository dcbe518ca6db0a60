// `inspect`: what the database holds, read from its files.
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import type { Host } from '../../core/host.ts';
import type { Output } from '../../core/output.ts';
import { inert } from '../../core/text.ts';
import { describeNotice } from '../../dqlite/index.ts';
import { findSource } from '../detect/index.ts';
import { readDatabaseFiles } from '../inventory/database/database-files.ts';
import { readInventory } from '../inventory/database/read-inventory.ts';
import { redactInventory } from '../inventory/redact-inventory.ts';
import { inventoryText } from '../inventory/render.ts';
import { writeReport } from '../report/index.ts';
import { besideRuns } from './beside-a-run.ts';
import type { OptionsOf } from './command-options.ts';
import { detectOptions, showsValues } from './options.ts';
import { refuseOwnPlaces } from './refuse-own-places.ts';

export async function inspectCommand(
  host: Host,
  options: OptionsOf<'inspect'>,
  output: Output,
): Promise<ExitCode> {
  const where = detectOptions(options);
  refuseOwnPlaces(host, { report: options.report }, where);
  const showValues = showsValues(options, output);
  return besideRuns({ host, options, output }, 'database', () => inspect(host, options, output, showValues));
}

async function inspect(
  host: Host,
  options: OptionsOf<'inspect'>,
  output: Output,
  showValues: boolean,
): Promise<ExitCode> {
  const source = findSource(host, detectOptions(options));
  const { image, local } = readDatabaseFiles(host.path(source.dataDirectory), {
    unreadable: (path) => output.message(`You may not read ${inert(path)}; shown without what it holds.`),
  });
  const inventory = readInventory(image.bytes, local === undefined ? {} : { localDatabase: local });
  for (const notice of image.notices) output.message(describeNotice(notice));
  output.line(inventoryText(inventory, { showValues }).trimEnd());
  output.event({ event: 'inventory', inventory: redactInventory(inventory), notices: image.notices });
  if (options.report !== undefined) output.line(`\nReport: ${writeReport(options.report, { inventory })}`);
  return exitCode.done;
}
