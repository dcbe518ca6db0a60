// Steps for data directories that are mounted: the mount moves, or the target's one is emptied so that it can be filled.
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  makeFolderDurable,
  removeTemporaries,
  renameDurable,
  syncFolder,
  writeFileDurable,
} from '../../../core/durable.ts';
import type { Host } from '../../../core/host.ts';
import { readRegularFile } from '../../../core/read-regular-file.ts';
import { unitStates } from '../../detect/systemctl.ts';
import { dropTree } from '../../machine/copy-tree.ts';
import { fstab, fstabLimit, fstabWith, mountAt, mountUnitFile, mountUnitName } from '../../machine/layout.ts';
import { isThere, partOf } from '../../machine/move-once.ts';
import { syncFileSystem } from '../../machine/sync-file-system.ts';
import { untilDone } from '../../machine/until-done.ts';
import type { Step } from '../../model/step.ts';
import { migrateFailure } from '../../problem.ts';
import { readUnitsAnew } from '../read-units-anew.ts';
import type { ApplyContext, StepHandler } from '../step-handler.ts';

type Of<K extends Step['kind']> = StepHandler<Extract<Step, { kind: K }>>;
type MoveMount = Extract<Step, { kind: 'move-mount' }>;

const commandMs = 60_000;

/**
 * What mounts it at boot changes first: whenever the power fails, the next boot mounts it in one of the two places, and
 * both directions look where it is.
 */
export const moveMountStep: Of<'move-mount'> = {
  async apply({ step, remember, context }) {
    remember({ begun: true });
    await moveMount(context, step, step.from, step.to);
  },
  async undo({ step, memo, context }) {
    if (memo === null) return;
    await moveMount(context, step, step.to, step.from);
    const folder = context.host.path(step.to);
    // It was made by this step: what stood there before was set aside.
    if (fs.existsSync(folder)) fs.rmdirSync(folder);
  },
};

async function moveMount(
  { host, say, warn }: ApplyContext,
  { boot }: MoveMount,
  from: string,
  to: string,
): Promise<void> {
  const mounted = (path: string): boolean => mountAt(host.mounts(), path) !== undefined;
  if (!mounted(from) && !mounted(to)) throw migrateFailure({ code: 'not-mounted', paths: [from, to] });
  if (boot === 'fstab') rewriteFstab(host, from, to);
  if (boot === 'unit') await moveMountUnit(host, from, to);
  if (!mounted(to)) {
    if (!isThere(host, to)) makeFolderDurable(host.path(to), 0o711);
    const [other] = fs.readdirSync(host.path(to));
    if (other !== undefined) throw migrateFailure({ code: 'target-exists', path: join(to, other) });
    await host.run(['mount', '--bind', '--', from, to], { timeoutMs: commandMs });
  }
  // Where somebody still stands in it this fails, and nothing has moved.
  if (mounted(from)) await host.run(['umount', '--', from], { timeoutMs: commandMs });
  await readUnitsAnew({ host, warn });
  say(`mounted on ${to}`);
}

function rewriteFstab(host: Host, from: string, to: string): void {
  const file = host.path(fstab);
  removeTemporaries(dirname(file), basename(file));
  const before = readRegularFile(file, { limit: fstabLimit, links: 'follow' }).toString('latin1');
  const after = fstabWith(before, from, to);
  if (after !== before) writeFileDurable(file, Buffer.from(after, 'latin1'), fs.statSync(file).mode & 0o7777);
}

/** The name of a mount unit is its path, so it becomes another file, enabled as the former one was. */
async function moveMountUnit(host: Host, from: string, to: string): Promise<void> {
  const [former, next] = [mountUnitFile(from), mountUnitFile(to)];
  const systemctl = (verb: string, path: string): Promise<unknown> =>
    host.run(['systemctl', verb, mountUnitName(path)], { timeoutMs: commandMs });
  for (const path of [former, next]) removeTemporaries(host.path(dirname(path)), basename(path));
  if (isThere(host, former)) {
    const text = readRegularFile(host.path(former), { limit: fstabLimit, links: 'follow' }).toString(
      'latin1',
    );
    const [state] = await unitStates(host, [mountUnitName(from)]);
    const moved = text.replace(/^(Where\s*=\s*).*$/m, (_all, key: string) => `${key}${to}`);
    writeFileDurable(
      host.path(next),
      Buffer.from(moved, 'latin1'),
      fs.statSync(host.path(former)).mode & 0o7777,
    );
    if (state?.enabled === 'enabled') {
      await systemctl('enable', to);
      await systemctl('disable', from);
    }
    fs.rmSync(host.path(former));
    syncFolder(host.path('/etc/systemd/system'));
  }
}

/** The target's mount stays; what is in it is kept in the run's folder, and comes back from there. */
export const emptyTargetMountStep: Of<'empty-target-mount'> = {
  async apply({ step, context: { host } }) {
    requireMount(host, step.path);
    if (!isThere(host, step.into)) {
      await copyContent(host, step.path, partOf(step.into));
      renameDurable(host.path(partOf(step.into)), host.path(step.into));
    }
    await dropTree(host, step.path, true);
  },
  async undo({ step, context: { host } }) {
    fs.rmSync(host.path(partOf(step.into)), { recursive: true, force: true });
    if (!isThere(host, step.into)) return;
    requireMount(host, step.path);
    // Whole once it has its name, so everything in the mount is either of it or half of it.
    await dropTree(host, step.path, true);
    await copyContent(host, step.into, step.path);
    renameDurable(host.path(step.into), host.path(partOf(step.into)));
    fs.rmSync(host.path(partOf(step.into)), { recursive: true, force: true });
  },
};

function requireMount(host: Host, path: string): void {
  if (mountAt(host.mounts(), path) === undefined)
    throw migrateFailure({ code: 'not-mounted', paths: [path] });
}

async function copyContent(host: Host, from: string, to: string): Promise<void> {
  if (!isThere(host, to)) fs.mkdirSync(host.path(to), { mode: 0o700 });
  const names = fs.readdirSync(host.path(from)).filter((name) => name !== 'lost+found');
  for (const name of names) {
    fs.rmSync(host.path(join(to, name)), { recursive: true, force: true });
    await host.run(['cp', '-a', '--', join(from, name), `${to}/`], untilDone);
  }
  const { mode, uid, gid } = fs.statSync(host.path(from));
  fs.chownSync(host.path(to), uid, gid);
  fs.chmodSync(host.path(to), mode & 0o7777);
  await syncFileSystem(host, to);
}
