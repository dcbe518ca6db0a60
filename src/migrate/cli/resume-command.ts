// `resume`: goes on with a migration that was interrupted.

import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import type { Host } from '../../core/host.ts';
import type { Output } from '../../core/output.ts';
import { inert } from '../../core/text.ts';
import { noteNames, requiredNote } from '../journal/noted.ts';
import { possible } from '../journal/run-state.ts';
import { goOnPurging } from '../run/purge-run.ts';
import { purgedInWords } from '../run/purge-source.ts';
import { describeRun, latestRun } from '../run/run-status.ts';
import { carryOut, listPurge, tellingOn } from './carry-out.ts';
import type { OptionsOf } from './command-options.ts';
import { confirm } from './confirm.ts';
import { servicesOf, stopOptions } from './options.ts';
import { nothing, withJournal, withWork } from './with-run.ts';

export async function resumeCommand(
  host: Host,
  options: OptionsOf<'resume'>,
  output: Output,
): Promise<ExitCode> {
  const asked = { ...stopOptions(options), services: servicesOf(options), report: options.report };
  const { yes = false, purgeSource = false } = options;
  return withJournal({ host, options, output }, 'resume', async (journal, folder) => {
    const latest = latestRun(journal, false);
    if (latest === undefined || !possible(latest.state).resume)
      return nothing(output, 'There is no unfinished migration to go on with.');
    const { run, state } = latest;
    output.line(describeRun(journal, latest));
    const plan = journal.plan(run.id);
    if (state.phase === 'purge-interrupted') {
      const listed = requiredNote(journal, run.id, noteNames.purge);
      if (!yes && !(await confirm('Go on removing LXD now?', output))) return exitCode.blocked;
      await goOnPurging({ host, plan, journal, run: run.id, ...tellingOn(output) }, listed);
      output.event({ event: 'purged', ...listed });
      output.line(inert(purgedInWords(listed)));
      return exitCode.done;
    }
    const purge = purgeSource ? await listPurge(host, plan, output) : undefined;
    const question =
      state.phase === 'rollback-interrupted'
        ? 'A rollback was begun. Move this server to Incus all the same?'
        : 'Go on with it now?';
    if (!yes && !(await confirm(question, output))) return exitCode.blocked;
    return withWork({ host, asked, output, state: folder, journal }, run, {
      act: (work) => carryOut({ ...work, purge }),
      comparesWithPlan: true,
    });
  });
}
