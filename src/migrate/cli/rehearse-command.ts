// `rehearse`: plan, and start Incus on a copy of the converted database; also the stage of `migrate` that does so.
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import type { Host } from '../../core/host.ts';
import type { Output } from '../../core/output.ts';
import { thisProcess } from '../../core/program-name.ts';
import { firstOf, formatDuration, inert } from '../../core/text.ts';
import { toolVersion } from '../../core/version.ts';
import { find } from '../detect/index.ts';
import { type Answers, isOpen } from '../model/finding.ts';
import type { FreshRehearsal, Rehearsal } from '../model/rehearsal.ts';
import { expectedInventory, makePlan } from '../plan/index.ts';
import type { PlanMaterial } from '../plan/plan-material.ts';
import { migrateFailure } from '../problem.ts';
import { rehearsalIds } from '../rehearse/rehearsal-ids.ts';
import { writeReport } from '../report/index.ts';
import { besideRuns } from './beside-a-run.ts';
import type { OptionsOf } from './command-options.ts';
import { type EarlyRehearsal, earlyRehearsal } from './early-rehearsal.ts';
import { answersOf, detectOptions, stateFolder } from './options.ts';
import { refuseOwnPlaces } from './refuse-own-places.ts';
import { refuseUnknownIds } from './refuse-unknown-ids.ts';
import { renderFindings, renderSummary } from './render-plan.ts';

export async function rehearseCommand(
  host: Host,
  options: OptionsOf<'rehearse'>,
  output: Output,
): Promise<ExitCode> {
  if (host.userId() !== 0) throw migrateFailure({ code: 'needs-root', command: 'rehearse' });
  refuseOwnPlaces(host, { state: stateFolder(options), report: options.report }, detectOptions(options));
  return besideRuns({ host, options, output }, 'server', async () => {
    const early = earlyRehearsal(host, answersOf(options), output);
    try {
      return await planAndRehearse(host, options, output, early);
    } finally {
      await early.abandon();
    }
  });
}

async function planAndRehearse(
  host: Host,
  options: OptionsOf<'rehearse'>,
  output: Output,
  early: EarlyRehearsal,
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
    converted: early.begin,
  });
  refuseUnknownIds(answers, material.plan.findings, rehearsalIds);
  output.line(`${renderSummary(material.plan, answers, output)}\n`);
  output.event({ event: 'plan', plan: material.plan });
  if (material.plan.findings.some(({ id }) => id === 'schema-unknown'))
    throw migrateFailure({ code: 'findings-open', ids: ['schema-unknown'] });
  const rehearsal = await showRehearsal(early, material, answers, output);
  if (options.report !== undefined) {
    const { plan } = material;
    const place = writeReport(options.report, {
      plan,
      rehearsal,
      answers,
      inventory: expectedInventory(material),
    });
    output.line(`\nReport: ${place}`);
  }
  const open = [...material.plan.findings, ...rehearsal.findings].filter((one) => isOpen(one, answers));
  output.event({
    event: 'end',
    open: open.map(({ id }) => id),
    exit: open.length === 0 ? exitCode.done : exitCode.blocked,
  });
  if (open.length === 0) {
    output.line(`\n${output.colour('green', 'Ready to migrate.')} Nothing was changed.`);
    return exitCode.done;
  }
  output.line(
    `\n${output.colour('red', `Not ready: ${open.length} finding(s) stand in the way.`)} Nothing was changed.`,
  );
  return exitCode.blocked;
}

/** @throws {Failure<MigrateProblem>} findings-open where the rehearsal has some that are not answered */
export async function rehearseFirst(
  early: EarlyRehearsal,
  material: PlanMaterial,
  answers: Answers,
  output: Output,
): Promise<FreshRehearsal> {
  const rehearsal = await showRehearsal(early, material, answers, output);
  const open = rehearsal.findings.filter((finding) => isOpen(finding, answers));
  if (open.length > 0) throw migrateFailure({ code: 'findings-open', ids: open.map(({ id }) => id) });
  return rehearsal;
}

async function showRehearsal(
  early: EarlyRehearsal,
  material: PlanMaterial,
  answers: Answers,
  output: Output,
): Promise<FreshRehearsal> {
  const rehearsal = await early.result(material);
  output.event({ event: 'rehearsal', rehearsal });
  output.line(renderRehearsal(rehearsal, answers, output));
  return rehearsal;
}

export function renderRehearsal(rehearsal: Rehearsal, answers: Answers, output: Output): string {
  const { ran, version, compared, findings, notProven, milliseconds } = rehearsal;
  const taken = formatDuration(milliseconds);
  const title = output.colour('bold', 'Rehearsal');
  if (findings.length > 0)
    return `${title} (${taken})\n${renderFindings(findings, answers, output).split('\n').slice(1).join('\n')}`;
  const counts = Object.entries(compared).map(([kind, count]) => `${count} ${kind}`);
  const unproven = notProven.map(
    ({ kind, what, objects }) => `  ${kind} ${inert(what)}: ${firstOf(objects.map(inert))}`,
  );
  return [
    `${title} (${taken})`,
    ran
      ? `Incus ${version ?? ''} took a copy of the converted database and shows ${counts.join(', ')} as LXD has them.`
      : 'not run',
    'What the trial could not prove, and verify checks after the switch:',
    ...unproven,
  ].join('\n');
}
