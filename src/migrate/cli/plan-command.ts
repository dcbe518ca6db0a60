// `plan`: look at everything, print it, change nothing.
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import type { Host } from '../../core/host.ts';
import type { Output } from '../../core/output.ts';
import { thisProcess } from '../../core/program-name.ts';
import { toolVersion } from '../../core/version.ts';
import { find } from '../detect/index.ts';
import { isOpen } from '../model/finding.ts';
import { expectedInventory, makePlan } from '../plan/index.ts';
import { rehearsalIds } from '../rehearse/rehearsal-ids.ts';
import { writeReport } from '../report/index.ts';
import { besideRuns } from './beside-a-run.ts';
import type { OptionsOf } from './command-options.ts';
import { answersOf, detectOptions, showsValues, stateFolder } from './options.ts';
import { refuseOwnPlaces } from './refuse-own-places.ts';
import { refuseUnknownIds } from './refuse-unknown-ids.ts';
import { renderPlan } from './render-plan.ts';

export async function planCommand(host: Host, options: OptionsOf<'plan'>, output: Output): Promise<ExitCode> {
  const showValues = showsValues(options, output);
  refuseOwnPlaces(host, { state: stateFolder(options), report: options.report }, detectOptions(options));
  return besideRuns({ host, options, output }, 'server', () => plan(host, options, output, showValues));
}

async function plan(
  host: Host,
  options: OptionsOf<'plan'>,
  output: Output,
  showValues: boolean,
): Promise<ExitCode> {
  const answers = answersOf(options);
  const where = detectOptions(options);
  const material = await makePlan({
    host,
    found: find(host, where),
    services: where.services,
    state: stateFolder(options),
    toolVersion,
    program: thisProcess(),
    run: 'RUN',
    keepable: options.report !== undefined || output.json,
  });
  const made = material.plan;
  refuseUnknownIds(answers, made.findings, rehearsalIds);
  output.line(renderPlan(made, answers, output, showValues ? material.changes : undefined));
  const report =
    options.report === undefined
      ? undefined
      : writeReport(options.report, { plan: made, answers, inventory: expectedInventory(material) });
  const open = made.findings.filter((finding) => isOpen(finding, answers));
  output.event({
    event: 'plan',
    plan: made,
    open: open.map(({ id }) => id),
    ...(report === undefined ? {} : { report }),
  });
  if (report !== undefined) output.line(`\nReport: ${report}`);
  if (open.length === 0) {
    output.line(`\n${output.colour('green', 'Ready to migrate.')} Nothing was changed.`);
    return exitCode.done;
  }
  output.line(
    `\n${output.colour('red', `Not ready: ${open.length} finding(s) stand in the way.`)} Nothing was changed.`,
  );
  return exitCode.blocked;
}
