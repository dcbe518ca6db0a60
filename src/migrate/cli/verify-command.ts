// `verify`: the checks of a finished migration once more.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import type { Host } from '../../core/host.ts';
import type { Output } from '../../core/output.ts';
import { openJournal } from '../apply/journal.ts';
import { runFolder } from '../plan/make-steps.ts';
import { migrateFailure } from '../problem.ts';
import { verifyRun } from '../verify/index.ts';
import { type CommonOptions, stateFolder } from './options.ts';
import { renderVerification } from './render-verification.ts';

export async function verifyCommand(host: Host, options: CommonOptions, output: Output): Promise<ExitCode> {
  if (host.userId() !== 0) throw migrateFailure({ code: 'needs-root', command: 'verify' });
  const state = stateFolder(options);
  // Looking must not make a folder where nothing was ever begun.
  if (!existsSync(join(state, 'journal.db'))) return nothingToVerify(output);
  const journal = openJournal(state);
  try {
    const latest = journal.latest();
    if (latest === undefined || latest.outcome === 'undone') return nothingToVerify(output);
    const verification = await verifyRun(host, journal, latest.id, runFolder(state, latest.id), (text) =>
      output.progress(`  ${text}`),
    );
    const failed = verification.checks.filter(({ ok }) => !ok).length;
    output.line(renderVerification(verification, output));
    output.event({
      event: 'verification',
      run: latest.id,
      verification,
      exit: failed === 0 ? exitCode.done : exitCode.failed,
    });
    return failed === 0 ? exitCode.done : exitCode.failed;
  } finally {
    journal.close();
  }
}

function nothingToVerify(output: Output): ExitCode {
  output.line('No migration was carried out here; there is nothing to verify.');
  output.event({ event: 'end', outcome: 'nothing-to-do', exit: exitCode.nothingToDo });
  return exitCode.nothingToDo;
}
