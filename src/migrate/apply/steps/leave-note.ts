// The step that leaves a note in LXD's directory: where everything went, and how to go back.
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolderDurable, removeTemporaries, syncFolder, writeFileDurable } from '../../../core/durable.ts';
import { ownCommand } from '../../../core/program-name.ts';
import { movedNote } from '../../detect/moved-note.ts';
import type { Step } from '../../plan/step.ts';
import { migrateFailure } from '../../problem.ts';
import type { StepHandler } from '../step-handler.ts';

interface NoteMemo {
  readonly madeFolder: boolean;
}

export const leaveNoteStep: StepHandler<Extract<Step, { kind: 'leave-note' }>> = {
  apply({ step, memo, remember, context: { host } }) {
    const folder = host.path(step.directory);
    const madeFolder = (memo as NoteMemo | null)?.madeFolder ?? !fs.existsSync(folder);
    if (memo === null) remember({ madeFolder } satisfies NoteMemo);
    if (madeFolder) makeFolderDurable(folder, 0o755);
    removeTemporaries(folder, movedNote);
    writeFileDurable(join(folder, movedNote), noteText(step), 0o644);
  },
  undo({ step, memo, context: { host } }) {
    if (memo === null) return;
    const folder = host.path(step.directory);
    if (!fs.existsSync(folder)) return;
    removeTemporaries(folder, movedNote);
    fs.rmSync(join(folder, movedNote), { force: true });
    syncFolder(folder);
    if (!(memo as NoteMemo).madeFolder) return;
    // Whatever else stands there was put there since, and is not for us to remove.
    const [other] = fs.readdirSync(folder);
    if (other !== undefined)
      throw migrateFailure({ code: 'target-exists', path: join(step.directory, other) });
    fs.rmdirSync(folder);
    syncFolder(dirname(folder));
  },
};

function noteText({ directory, movedTo, kept }: Extract<Step, { kind: 'leave-note' }>): string {
  return `This LXD server was moved to Incus by lxd-to-incus.

Its data is in ${movedTo} now.
${
  kept
    ? `What lies here is the copy as it was before the move. LXD is masked and must not be started on it.`
    : `LXD is masked: started here, it would make a new, empty server.`
}

To see where the migration stands:
  ${ownCommand('status')}
To have LXD back in ${directory}:
  ${ownCommand('rollback')}

LXD's own database is kept, untouched, by lxd-to-incus until then. This file goes away with a rollback.
`;
}
