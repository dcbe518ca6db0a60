// The step that leaves a note in LXD's directory: where everything went, and how to go back.
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { makeFolderDurable, removeTemporaries, syncFolder, writeFileDurable } from '../../../core/durable.ts';
import { commandOf, ownCommand } from '../../../core/program-name.ts';
import { movedNote } from '../../detect/moved-note.ts';
import type { Step } from '../../model/step.ts';
import { runFolder } from '../../plan/make-steps.ts';
import { migrateFailure } from '../../problem.ts';
import { keptProgram } from '../keep-program.ts';
import { keptFromStarting } from '../kept-from-starting.ts';
import { memoOf, type StepHandler } from '../step-handler.ts';

const noteMemo = z.object({
  madeFolder: z.boolean(),
  /** What stood beside it; absent in journals of former versions. */
  others: z.array(z.string()).optional(),
});

/** Names that stood in the folder when the note was left there; undefined where that was not written down. */
export function othersBesideNote(memo: unknown): readonly string[] | undefined {
  const read = noteMemo.safeParse(memo).data;
  return read?.others ?? (read?.madeFolder === true ? [] : undefined);
}

export const leaveNoteStep: StepHandler<Extract<Step, { kind: 'leave-note' }>> = {
  memo: noteMemo,
  apply(call) {
    const { step, remember, context } = call;
    const { host, journal, run } = context;
    const folder = host.path(step.directory);
    const before = memoOf(noteMemo, call);
    const madeFolder = before?.madeFolder ?? !fs.existsSync(folder);
    const others = madeFolder ? [] : fs.readdirSync(folder).filter((name) => name !== movedNote);
    if (before === null) remember({ madeFolder, others } satisfies z.infer<typeof noteMemo>);
    if (madeFolder) makeFolderDurable(folder, 0o755);
    removeTemporaries(folder, movedNote);
    const { directory, movedTo, kept } = step;
    const program = keptProgram(runFolder(dirname(journal.path), run));
    // It will be there when the one that runs now may not.
    const command = (word: string): string =>
      fs.existsSync(program) ? commandOf([program], word) : ownCommand(word);
    const text = noteText(directory, movedTo, kept, keptFromStarting(journal, run, kept), command);
    writeFileDurable(join(folder, movedNote), text, 0o644);
  },
  undo(call) {
    const { step, context } = call;
    const { host } = context;
    const before = memoOf(noteMemo, call);
    if (before === null) return;
    const folder = host.path(step.directory);
    if (!fs.existsSync(folder)) return;
    removeTemporaries(folder, movedNote);
    // Whatever else stands there was put there since, and is not for us to remove. The note says what it is all about.
    const other = fs.readdirSync(folder).find((name) => name !== movedNote);
    if (before.madeFolder && other !== undefined)
      throw migrateFailure({ code: 'target-exists', path: join(step.directory, other) });
    fs.rmSync(join(folder, movedNote), { force: true });
    syncFolder(folder);
    if (!before.madeFolder) return;
    fs.rmdirSync(folder);
    syncFolder(dirname(folder));
  },
};

/** @param start what keeps LXD from starting, and why it must not */
function noteText(
  directory: string,
  movedTo: string,
  kept: boolean,
  start: string,
  command: (word: string) => string,
): string {
  return `This LXD server was moved to Incus by lxd-to-incus.

Its data is in ${movedTo} now.
${kept ? 'What lies here is the copy as it was before the move.\n' : ''}${start}

To see where the migration stands:
  ${command('status')}
To have LXD back in ${directory}:
  ${command('rollback')}

LXD's own database is kept, untouched, by lxd-to-incus until then. This file goes away with a rollback.
`;
}
