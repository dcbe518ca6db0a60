// `prune`: removes what is kept of runs that nothing can need any more.

import { existsSync } from 'node:fs';
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import type { Host } from '../../core/host.ts';
import type { Output } from '../../core/output.ts';
import { formatBytes, inert } from '../../core/text.ts';
import { journalFile } from '../journal/journal.ts';
import { takeLock } from '../journal/lock.ts';
import { migrateFailure } from '../problem.ts';
import { forgetFolders, listOfFolders } from '../run/known-folders.ts';
import { goneFolders } from '../run/other-runs.ts';
import { type KeptFolder, keptFolders, pruneRun } from '../run/prune.ts';
import { usualState } from '../usual-state.ts';
import type { OptionsOf } from './command-options.ts';
import { confirm } from './confirm.ts';
import { stateFolder } from './options.ts';
import { nothing, withJournal } from './with-run.ts';

/** Removes what the tool keeps of runs that can never be rolled back, and forgets folders that are gone. */
export async function pruneCommand(
  host: Host,
  options: OptionsOf<'prune'>,
  output: Output,
): Promise<ExitCode> {
  if (host.userId() !== 0) throw migrateFailure({ code: 'needs-root', command: 'prune' });
  const { yes = false } = options;
  const asked = await forgetGoneFolders(host, options, output);
  const forgotten = asked === 'declined' ? [] : asked;
  const end = (removed: readonly KeptFolder[]): ExitCode => {
    output.event({ event: 'end', outcome: 'pruned', removed, forgotten, exit: exitCode.done });
    return exitCode.done;
  };
  if (forgotten.length > 0 && !existsSync(journalFile(stateFolder(options)))) return end([]);
  return withJournal({ host, options, output }, 'prune', async (journal, state) => {
    const old = keptFolders(journal, state).filter(({ prunable }) => prunable);
    if (old.length === 0 && asked === 'declined') return exitCode.blocked;
    if (old.length === 0)
      return forgotten.length > 0
        ? end([])
        : nothing(output, 'There is nothing that no rollback could need.');
    const total = formatBytes(old.reduce((sum, { bytes }) => sum + bytes, 0));
    output.line(
      `These can be removed, ${total} in all:\n${old.map(({ path, bytes }) => `${formatBytes(bytes).padStart(10)}  ${inert(path)}`).join('\n')}`,
    );
    if (!yes && !(await confirm('Remove them now?', output))) return exitCode.blocked;
    for (const { run } of old) pruneRun(journal, state, run);
    output.line(`${total} removed.`);
    return end(old);
  });
}

/** Takes state folders that are gone out of the list, where no run in them was under way. */
async function forgetGoneFolders(
  host: Host,
  options: OptionsOf<'prune'>,
  output: Output,
): Promise<readonly string[] | 'declined'> {
  const say = (text: string): void => output.message(text);
  const state = stateFolder(options);
  const gone = goneFolders(host, state, say);
  if (gone.length === 0) return [];
  output.line(
    `These state folders are gone, and the migration in each was finished. Without them it cannot be rolled back:\n${gone.map((folder) => `  ${inert(folder)}`).join('\n')}`,
  );
  if (options.yes !== true && !(await confirm('Take them out of the list of state folders?', output)))
    return 'declined';
  const release = takeLock(host, host.path(usualState));
  try {
    // One may have been mounted meanwhile.
    const still = goneFolders(host, state, say).filter((folder) => gone.includes(folder));
    const forgotten = forgetFolders(host, still, say);
    output.line(`${forgotten.length} of them taken out of ${listOfFolders}.`);
    return forgotten;
  } finally {
    release();
  }
}
