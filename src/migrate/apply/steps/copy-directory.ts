// The step that copies LXD's directory to another file system, where it cannot be renamed. The source stays as it is; going
// back brings what changed in the copy home.
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { makeFolders, renameDurable, syncFolder } from '../../../core/durable.ts';
import type { Host } from '../../../core/host.ts';
import { copyOnce, copyTree, dropCopyWork, dropTree, endCopies } from '../../machine/copy-tree.ts';
import { mountAt } from '../../machine/layout.ts';
import { isThere } from '../../machine/move-once.ts';
import type { Step } from '../../model/step.ts';
import { migrateFailure } from '../../problem.ts';
import { memoOf, type StepHandler } from '../step-handler.ts';

type CopyDirectory = Extract<Step, { kind: 'copy-directory' }>;
type Place = Pick<CopyDirectory, 'from' | 'to' | 'intoMount'>;

const copyMemo = z.object({
  /**
   * copying: into a folder that nobody else knows. switching: that is whole, and takes its place. copied: done.
   * dropping: the source has everything again, and the copy goes.
   */
  phase: z.enum(['copying', 'switching', 'copied', 'dropping']),
});
type CopyMemo = z.infer<typeof copyMemo>;

/** Most of the work, while the instances run: then only what changed since is left for the time in which they do not. */
export const copyAheadStep: StepHandler<Extract<Step, { kind: 'copy-ahead' }>> = {
  async apply({ step, memo, remember, context }) {
    const { host, say, interrupted } = context;
    if (step.intoMount) requireMounted(host, step.to);
    if (memo === null) {
      refuseFilled(host, step);
      remember({ begun: true });
    }
    makeFolders(host.path(partOf(step)), 0o700);
    await copyOnce(host, step.from, partOf(step), { bytes: step.bytes, say, interrupted });
  },
  async undo({ step, memo, context: { host } }) {
    if (memo === null) return;
    await endCopies(host, partOf(step));
    await dropTree(host, partOf(step), false);
    await dropCopyWork(host, step.from);
  },
};

export const copyDirectoryStep: StepHandler<CopyDirectory> = {
  memo: copyMemo,
  async apply(call) {
    const { step, remember, context } = call;
    const { host } = context;
    const phase = memoOf(copyMemo, call)?.phase;
    const enter = (next: CopyMemo['phase']): void => remember({ phase: next } satisfies CopyMemo);
    if (step.intoMount) requireMounted(host, step.to);
    if (phase === 'copied') return;
    if (phase !== 'switching') {
      if (phase === undefined) refuseFilled(host, step);
      // A rollback that was broken off while it removed the copy: the source is whole.
      if (phase === 'dropping') await dropCopy(host, step);
      enter('copying');
      makeFolders(host.path(partOf(step)), 0o700);
      await copyTree(host, step.from, partOf(step), context);
      enter('switching');
    }
    switchTo(host, step);
    enter('copied');
  },
  async undo(call) {
    const { step, remember, context } = call;
    const { host, journal, run } = context;
    const phase = memoOf(copyMemo, call)?.phase;
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
        await copyTree(host, step.to, step.from, context);
      }
      remember({ phase: 'dropping' } satisfies CopyMemo);
    }
    await dropCopy(host, step);
  },
};

/** Where it is copied to until it is whole. */
function partOf({ to, intoMount }: Place): string {
  return intoMount ? join(to, '.lxd-to-incus') : `${to}.part`;
}

function requireMounted(host: Host, path: string): void {
  if (mountAt(host.mounts(), path) === undefined)
    throw migrateFailure({ code: 'not-mounted', paths: [path] });
}

function refuseFilled(host: Host, step: Place): void {
  const { to, intoMount } = step;
  if (!intoMount) {
    if (isThere(host, to)) throw migrateFailure({ code: 'target-exists', path: to });
    return;
  }
  const ours = ['lost+found', basename(partOf(step))];
  const [other] = fs.readdirSync(host.path(to)).filter((name) => !ours.includes(name));
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
