// The step that copies LXD's directory to another file system, where it cannot be renamed. The source stays as it is; going
// back brings what changed in the copy home.
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { renameDurable, syncFolder } from '../../../core/durable.ts';
import type { Host } from '../../../core/host.ts';
import { mountAt } from '../../check/layout.ts';
import type { Step } from '../../plan/step.ts';
import { migrateFailure } from '../../problem.ts';
import { type CopyOptions, copyTree, dropTree, endCopies } from '../copy-tree.ts';
import { isThere } from '../move-once.ts';
import type { ApplyContext, StepHandler } from '../step-handler.ts';

type CopyDirectory = Extract<Step, { kind: 'copy-directory' }>;

interface CopyMemo {
  /**
   * copying: into a folder that nobody else knows. switching: that is whole, and takes its place. copied: done.
   * dropping: the source has everything again, and the copy goes.
   */
  readonly phase: 'copying' | 'switching' | 'copied' | 'dropping';
}

export const copyDirectoryStep: StepHandler<CopyDirectory> = {
  async apply({ step, memo, remember, context }) {
    const { host } = context;
    const phase = (memo as CopyMemo | null)?.phase;
    const enter = (next: CopyMemo['phase']): void => remember({ phase: next } satisfies CopyMemo);
    if (step.intoMount) requireMounted(host, step.to);
    if (phase === 'copied') return;
    if (phase !== 'switching') {
      if (phase === undefined) refuseFilled(host, step);
      // A rollback that was broken off while it removed the copy: the source is whole.
      if (phase === 'dropping') await dropCopy(host, step);
      enter('copying');
      fs.mkdirSync(host.path(partOf(step)), { recursive: true, mode: 0o700 });
      await copyTree(host, step.from, partOf(step), optionsOf(step, context));
      enter('switching');
    }
    switchTo(host, step);
    enter('copied');
  },
  async undo({ step, memo, remember, context }) {
    const { host, journal, run } = context;
    const phase = (memo as CopyMemo | null)?.phase;
    if (phase === undefined) return;
    if (step.intoMount) requireMounted(host, step.to);
    if (phase !== 'dropping') {
      const ran = journal
        .steps(run)
        .some(({ step: { kind }, state }) => kind === 'start-daemon' && state !== 'planned');
      // The target has worked on it: what people wrote since goes home, in files and volumes alike.
      if (phase === 'copied' && ran) {
        if (!isThere(host, join(step.from, 'database')))
          throw migrateFailure({ code: 'not-mounted', paths: [step.from] });
        await copyTree(host, step.to, step.from, optionsOf(step, context));
      }
      remember({ phase: 'dropping' } satisfies CopyMemo);
    }
    await dropCopy(host, step);
  },
};

function optionsOf({ bytes }: CopyDirectory, { say, interrupted }: ApplyContext): CopyOptions {
  return { bytes, say, interrupted };
}

/** Where it is copied to until it is whole. */
function partOf({ to, intoMount }: CopyDirectory): string {
  return intoMount ? join(to, '.lxd-to-incus') : `${to}.part`;
}

function requireMounted(host: Host, path: string): void {
  if (mountAt(host.mounts(), path) === undefined)
    throw migrateFailure({ code: 'not-mounted', paths: [path] });
}

function refuseFilled(host: Host, { to, intoMount }: CopyDirectory): void {
  if (!intoMount) {
    if (isThere(host, to)) throw migrateFailure({ code: 'target-exists', path: to });
    return;
  }
  const [other] = fs.readdirSync(host.path(to)).filter((name) => name !== 'lost+found');
  if (other !== undefined) throw migrateFailure({ code: 'target-exists', path: join(to, other) });
}

/** Renames only: one, or one for each entry where the place is a mount point. */
function switchTo(host: Host, step: CopyDirectory): void {
  const part = host.path(partOf(step));
  if (!fs.existsSync(part)) return;
  const to = host.path(step.to);
  if (!step.intoMount) {
    renameDurable(part, to);
    return;
  }
  for (const name of fs.readdirSync(part)) renameDurable(join(part, name), join(to, name));
  const { mode, uid, gid } = fs.statSync(part);
  fs.chownSync(to, uid, gid);
  fs.chmodSync(to, mode & 0o7777);
  fs.rmdirSync(part);
  syncFolder(to);
}

async function dropCopy(host: Host, step: CopyDirectory): Promise<void> {
  await endCopies(host, partOf(step));
  if (step.intoMount) return dropTree(host, step.to, true);
  const part = partOf(step);
  // Half removed it must not stand in its place.
  if (isThere(host, step.to)) {
    await dropTree(host, part, false);
    renameDurable(host.path(step.to), host.path(part));
  }
  await dropTree(host, part, false);
  syncFolder(host.path(dirname(step.to)));
}
