// `rollback`: brings LXD back.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import type { Host } from '../../core/host.ts';
import type { Output } from '../../core/output.ts';
import { formatDuration } from '../../core/text.ts';
import { rollBack } from '../apply/roll-back.ts';
import { sourceCameBackFinding } from '../apply/source-came-back.ts';
import { answeringSocket } from '../daemon/answering-socket.ts';
import { noteNames } from '../journal/noted.ts';
import { isUnfinished, possible } from '../journal/run-state.ts';
import { isOpen } from '../model/finding.ts';
import { describeStep } from '../model/step.ts';
import { daemonRef, runFolder } from '../plan/make-steps.ts';
import { migrateFailure } from '../problem.ts';
import { applyContext } from '../run/apply-context.ts';
import { describeRun, latestRun } from '../run/run-status.ts';
import { changesSinceSwitch } from '../run/since-switch.ts';
import { sourceGone } from '../run/source-gone.ts';
import { refuseOtherRuns } from './beside-a-run.ts';
import { showProgress, type Work } from './carry-out.ts';
import type { OptionsOf } from './command-options.ts';
import { confirm } from './confirm.ts';
import { answersOf, servicesOf, stopOptions } from './options.ts';
import { refuseUnknownIds } from './refuse-unknown-ids.ts';
import { renderFindings } from './render-plan.ts';
import { nothing, withJournal, withWork } from './with-run.ts';

/** Accepted once, and named again when a rollback is tried again, which may have undone what they were about. */
const rollbackIds = ['gone-since-switch', 'source-gone'];

export async function rollbackCommand(
  host: Host,
  options: OptionsOf<'rollback'>,
  output: Output,
): Promise<ExitCode> {
  const asked = { ...stopOptions(options), services: servicesOf(options), report: undefined };
  const answers = answersOf(options);
  const { yes = false } = options;
  return withJournal({ host, options, output }, 'rollback', async (journal, folder) => {
    const latest = latestRun(journal, false);
    if (latest === undefined) return nothing(output, 'There is no migration to roll back.');
    const { run, state } = latest;
    if (!possible(state).rollback) return nothing(output, describeRun(journal, latest));
    // A later run that is under way elsewhere has the data; of two unfinished ones, either may have to go first.
    if (!isUnfinished(state)) refuseOtherRuns(host, options, (text) => output.message(text));
    const changes = changesSinceSwitch(host, journal, run.id, runFolder(folder, run.id));
    const findings = [
      ...sourceCameBackFinding(host, journal, run.id),
      ...sourceGone(host, journal, run.id),
      ...changes.findings,
    ];
    refuseUnknownIds(answers, findings, rollbackIds);
    output.line(describeRun(journal, latest));
    if (findings.length > 0) output.line(renderFindings(findings, answers, output, 'with --json'));
    output.event({ event: 'findings', run: run.id, findings });
    const open = findings.filter((finding) => isOpen(finding, answers));
    if (open.length > 0) throw migrateFailure({ code: 'findings-open', ids: open.map(({ id }) => id) });
    if (!yes && !(await confirm('Bring LXD back now?', output))) return exitCode.blocked;
    const accepted = new Set([...(journal.noted(run.id, noteNames.acceptedAsGone) ?? []), ...changes.gone]);
    journal.note(run.id, noteNames.acceptedAsGone, [...accepted]);
    return withWork({ host, asked, output, state: folder, journal }, run, {
      act: bringBack,
      comparesWithPlan: false,
    });
  });
}

async function bringBack(work: Work): Promise<ExitCode> {
  const { host, output, journal, run, folder, plannedOn } = work;
  const begun = host.clock();
  let current = '';
  const context = applyContext(work, () => current);
  const { failed, leftOpen } = await rollBack(context, {
    onProgress: (progress) => {
      current = describeStep(progress.step).inverse;
      showProgress(progress, output, host.clock() - begun);
    },
  });
  if (failed.length > 0) throw migrateFailure({ code: 'rollback-incomplete', failed, state: folder });
  output.event({
    event: 'end',
    outcome: 'undone',
    run,
    failed: leftOpen,
    exit: leftOpen.length === 0 ? exitCode.done : exitCode.failed,
  });
  if (leftOpen.length > 0) throw migrateFailure({ code: 'rollback-left-open', what: leftOpen });
  const socket = await answeringSocket(host, daemonRef(plannedOn.plan.source));
  const asBefore = journal.noted(run, noteNames.sourceListened) === false;
  const targetDatabase = join(folder, 'target-database');
  const keptDatabase = existsSync(targetDatabase) ? ` Incus's database is kept in ${targetDatabase}.` : '';
  const someGone = (journal.noted(run, noteNames.acceptedAsGone) ?? []).some((what) =>
    what.startsWith('instance '),
  );
  const runs =
    socket !== undefined
      ? `what ran runs${someGone ? ', apart from what is gone since the move' : ''}`
      : `it does not run${asBefore ? ', as when the migration began' : ''}`;
  output.line(
    `\n${output.colour('green', 'LXD is back')} in ${formatDuration(host.clock() - begun)}; ${runs}.${keptDatabase}`,
  );
  return exitCode.done;
}
