// `status`: how the latest migration stands, and what resume and rollback would do.
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import type { Host } from '../../core/host.ts';
import type { Output } from '../../core/output.ts';
import { ownCommand } from '../../core/program-name.ts';
import { formatBytes, inert } from '../../core/text.ts';
import { keptFromStartingNow } from '../apply/kept-from-starting.ts';
import { sourceCameBackFinding } from '../apply/source-came-back.ts';
import { hasEnded, readJournal } from '../journal/journal.ts';
import { isLocked } from '../journal/lock.ts';
import { isUnfinished, possible, type RunState } from '../journal/run-state.ts';
import { hostStands } from '../machine/host-stands.ts';
import type { Answers } from '../model/finding.ts';
import { runFolder } from '../plan/make-steps.ts';
import { migrateFailure } from '../problem.ts';
import { type KeptFolder, keptFolders } from '../run/prune.ts';
import { whereItWas } from '../run/refuse-moved-folder.ts';
import { describeRun, latestRun, whatIsLeft } from '../run/run-status.ts';
import { sourceGone } from '../run/source-gone.ts';
import type { OptionsOf } from './command-options.ts';
import { list } from './list.ts';
import { stateFolder } from './options.ts';
import { renderFindings } from './render-plan.ts';
import { tellOtherRuns } from './tell-other-runs.ts';
import { nothing } from './with-run.ts';

export async function statusCommand(
  host: Host,
  options: OptionsOf<'status'>,
  output: Output,
): Promise<ExitCode> {
  if (host.userId() !== 0) throw migrateFailure({ code: 'needs-root', command: 'status' });
  const folder = stateFolder(options);
  tellOtherRuns(host, folder, 'status', output);
  const journal = readJournal(folder);
  try {
    const latest = journal === undefined ? undefined : latestRun(journal, isLocked(folder));
    if (journal === undefined || latest === undefined) return nothing(output, 'No migration was begun here.');
    const { run, state } = latest;
    const left = whatIsLeft(journal, latest);
    const kept = keptFolders(journal, folder);
    const cameBack = state.phase.startsWith('purg') ? [] : sourceCameBackFinding(host, journal, run.id);
    const gone = possible(state).rollback ? sourceGone(host, journal, run.id) : [];
    const findings = [...cameBack, ...gone];
    const steps = journal.steps(run.id).map(({ step }) => step);
    const was = hasEnded(run) ? undefined : whereItWas(host, steps, runFolder(folder, run.id));
    output.event({
      event: 'status',
      run: run.id,
      ...(was === undefined ? {} : { folderWas: was }),
      begunAt: run.begunAt,
      state: state.phase,
      ...(state.failed === undefined ? {} : { failed: state.failed }),
      steps: journal.steps(run.id).map(({ step, state: one }) => ({ kind: step.kind, state: one })),
      left,
      kept,
      findings,
    });
    output.line(describeRun(journal, latest).split('\n').map(inert).join('\n'));
    if (state.phase === 'done') {
      const copied = journal.steps(run.id).some(({ step }) => step.kind === 'copy-directory');
      const looked = { kept: copied, cameBack: cameBack.length > 0 };
      output.line(inert(await keptFromStartingNow(host, journal, run.id, looked)));
      if (was === undefined)
        output.line(
          findings.length === 0
            ? `"${ownCommand('rollback')}" brings LXD back.`
            : `"${ownCommand('rollback')}" refuses because of what is named below.`,
        );
    }
    if (was !== undefined)
      output.line(
        inert(
          `The folder of this migration was ${was} when it began, and its steps need it there. resume and rollback refuse until it is put back.`,
        ),
      );
    if (isUnfinished(state)) {
      output.line((await hostStands(host, journal.plan(run.id))).map(inert).join('\n'));
      output.line(
        `\n${resumeWould(state)}:\n${list(left.resume)}\n\nrollback would:\n${list(left.rollback)}`,
      );
    }
    if (findings.length > 0) output.line(`\n${renderFindings(findings, noAnswers, output, 'with --json')}`);
    output.line(renderKept(kept, folder));
    return exitCode.done;
  } finally {
    journal?.close();
  }
}

/** `status` only shows. */
const noAnswers: Answers = { accept: new Set(), fix: false };

/** After a rollback that was interrupted it is not what most people want. */
function resumeWould({ phase }: RunState): string {
  return phase === 'rollback-interrupted'
    ? '\nrollback goes on with bringing LXD back. resume moves the server to Incus again, and would'
    : 'resume would';
}

function renderKept(kept: readonly KeptFolder[], state: string): string {
  const total = kept.reduce((sum, { bytes }) => sum + bytes, 0);
  const old = kept.filter(({ prunable }) => prunable);
  const lines = kept.map(
    ({ run, bytes, prunable }) =>
      `${formatBytes(bytes).padStart(10)}  ${inert(run)}${prunable ? '  (nothing can need it any more)' : ''}`,
  );
  return [
    `\nKept in ${inert(state)}: ${formatBytes(total)}`,
    ...lines,
    ...(old.length === 0
      ? []
      : [
          `"${ownCommand('prune')}" removes what nothing can need; of runs that have ended, the next migration keeps the last one.`,
        ]),
  ].join('\n');
}
