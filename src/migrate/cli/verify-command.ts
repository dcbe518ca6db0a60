// `verify`: the checks of a finished migration once more.
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import type { Host } from '../../core/host.ts';
import type { Output } from '../../core/output.ts';
import type { Journal } from '../journal/journal.ts';
import { takeLock } from '../journal/lock.ts';
import { possible } from '../journal/run-state.ts';
import { runFolder } from '../plan/make-steps.ts';
import { migrateFailure } from '../problem.ts';
import { openForWork } from '../run/open-for-work.ts';
import { describeRun, latestRun, lookAtLatestRun } from '../run/run-status.ts';
import { verifyRun } from '../verify/index.ts';
import type { OptionsOf } from './command-options.ts';
import { stateFolder } from './options.ts';
import { renderVerification } from './render-verification.ts';
import { tellOtherRuns } from './tell-other-runs.ts';

export async function verifyCommand(
  host: Host,
  options: OptionsOf<'verify'>,
  output: Output,
): Promise<ExitCode> {
  if (host.userId() !== 0) throw migrateFailure({ code: 'needs-root', command: 'verify' });
  const state = stateFolder(options);
  tellOtherRuns(host, state, 'verify', output);
  if (lookAtLatestRun(state) === undefined) return nothingToVerify(output);
  const release = takeLock(host, state);
  try {
    const journal = openForWork(state);
    try {
      return await verify(host, output, state, journal);
    } finally {
      journal.close();
    }
  } finally {
    release();
  }
}

async function verify(host: Host, output: Output, state: string, journal: Journal): Promise<ExitCode> {
  const latest = latestRun(journal, false);
  if (latest === undefined || latest.state.phase === 'rolled-back') return nothingToVerify(output);
  if (!possible(latest.state).verify)
    throw migrateFailure({
      code: 'unfinished-migration',
      run: latest.run.id,
      where: describeRun(journal, latest),
    });
  const { run, state: runState } = latest;
  const verification = await verifyRun(host, journal, run.id, runFolder(state, run.id), (text) =>
    output.progress(`  ${text}`),
  );
  const failed = verification.checks.filter(({ ok }) => !ok).length;
  output.line(renderVerification(verification, output));
  output.event({
    event: 'verification',
    run: run.id,
    verification,
    exit: failed === 0 ? exitCode.done : exitCode.failed,
  });
  // What failed after the move is mended.
  if (failed === 0 && runState.phase === 'done' && runState.failed !== undefined)
    journal.enter(run.id, 'done', host.now());
  return failed === 0 ? exitCode.done : exitCode.failed;
}

function nothingToVerify(output: Output): ExitCode {
  output.line('No migration was carried out here; there is nothing to verify.');
  output.event({ event: 'end', outcome: 'nothing-to-do', exit: exitCode.nothingToDo });
  return exitCode.nothingToDo;
}
