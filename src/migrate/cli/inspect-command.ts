// `inspect`: what the database holds, read from its files.
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import type { Host } from '../../core/host.ts';
import type { Output } from '../../core/output.ts';
import { inert } from '../../core/text.ts';
import { describeNotice } from '../../dqlite/index.ts';
import { find } from '../detect/index.ts';
import { readDatabaseFiles } from '../inventory/database-files.ts';
import { readInventory } from '../inventory/read-inventory.ts';
import { redactInventory } from '../inventory/redact-inventory.ts';
import { inventoryText } from '../inventory/render.ts';
import { writeReport } from '../report/index.ts';
import { besideRuns } from './beside-a-run.ts';
import { type CommonOptions, detectOptions } from './options.ts';
import { refuseOwnPlaces } from './refuse-own-places.ts';

export async function inspectCommand(host: Host, options: CommonOptions, output: Output): Promise<ExitCode> {
  const where = detectOptions(options);
  refuseOwnPlaces(host, { report: options.report }, where);
  return besideRuns({ host, options, output }, 'database', () => inspect(host, options, output));
}

async function inspect(host: Host, options: CommonOptions, output: Output): Promise<ExitCode> {
  const { source } = find(host, detectOptions(options));
  const { image, local } = readDatabaseFiles(host.path(source.dataDirectory), {
    unreadable: (path) => output.message(`You may not read ${inert(path)}; shown without what it holds.`),
  });
  const inventory = readInventory(image.bytes, local === undefined ? {} : { localDatabase: local });
  for (const notice of image.notices) output.message(describeNotice(notice));
  output.line(inventoryText(inventory, { showValues: options.showValues === true }).trimEnd());
  output.event({ event: 'inventory', inventory: redactInventory(inventory), notices: image.notices });
  if (options.report !== undefined) output.line(`\nReport: ${writeReport(options.report, { inventory })}`);
  return exitCode.done;
}
