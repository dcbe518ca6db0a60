// Whether LXD has appeared in its old place after its data moved away: a package manager may bring it back.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { movedNote } from '../detect/moved-note.ts';
import type { Journal, JournalStep } from '../journal/journal.ts';
import { daemonProcesses } from '../machine/running.ts';
import type { Finding } from '../model/finding.ts';
import type { Step } from '../model/step.ts';
import { othersBesideNote } from './steps/leave-note.ts';

/** How much of each kind is named. */
const atMost = 20;

/**
 * What of LXD stands in its former directory now and did not when the data had left it, each in words. Nothing where
 * the data has not left, or is back.
 */
export function sourceCameBack(host: Host, journal: Journal, run: string): string[] {
  const steps = journal.steps(run);
  const left = steps.find(
    ({ step, state }) =>
      (step.kind === 'move-directory' || step.kind === 'move-mount' || step.kind === 'copy-directory') &&
      state === 'done',
  );
  if (left === undefined || !('from' in left.step)) return [];
  const directory = left.step.from;
  return [
    ...daemons(host, steps, directory),
    ...newEntries(host, steps, left.step.kind, directory),
    ...(left.step.kind === 'copy-directory' ? changedDatabase(host, steps, directory) : []),
  ];
}

/** Known before a rollback changes anything: LXD's data finds no place, or two daemons one. */
export function sourceCameBackFinding(host: Host, journal: Journal, run: string): Finding[] {
  const objects = sourceCameBack(host, journal, run);
  if (objects.length === 0) return [];
  return [
    {
      id: 'source-came-back',
      severity: 'blocker',
      objects,
      what: 'Something of LXD is in its former directory again, perhaps through a package manager. While it is there, the data cannot come back.',
      action:
        'Stop that LXD and keep it from starting. Look whether anything of value was made in it: only it has that. Move all that is named away, then call rollback again.',
    },
  ];
}

function daemons(host: Host, steps: readonly JournalStep[], directory: string): string[] {
  const sockets = steps.flatMap(({ step }) =>
    'daemon' in step && step.daemon.role === 'source' ? step.daemon.sockets : [],
  );
  const running = daemonProcesses(host, directory);
  const known = new Set(running.map(({ pid }) => pid));
  const listening = [...new Set(sockets)].flatMap((socket) => {
    const pid = host.listener(socket);
    return pid === undefined || known.has(pid) ? [] : [`process ${pid} listens on ${socket}`];
  });
  return [
    ...running.map(({ pid, argv }) => `process ${pid} is a daemon on ${directory}: ${argv.join(' ')}`),
    ...listening,
  ];
}

function newEntries(
  host: Host,
  steps: readonly JournalStep[],
  move: Step['kind'],
  directory: string,
): string[] {
  const note = steps.find(({ step }) => step.kind === 'leave-note');
  // A rename leaves no directory. What lies under a mount, or stays as a copy, is known by the note's record alone.
  const known = othersBesideNote(note?.memo) ?? (move === 'move-directory' ? [] : undefined);
  if (known === undefined) return [];
  const isOurs = (name: string): boolean =>
    name === movedNote || known.includes(name) || name.startsWith(`.${movedNote}.`);
  const found = namesIn(host.path(directory)).filter((name) => !isOurs(name));
  const more = found.length > atMost ? [`${found.length - atMost} more in ${directory}`] : [];
  return [...found.slice(0, atMost).map((name) => join(directory, name)), ...more];
}

/** A daemon that was started on the old copy has written to its database; nothing else does. */
function changedDatabase(host: Host, steps: readonly JournalStep[], directory: string): string[] {
  const kept = steps.find(({ step, state }) => step.kind === 'set-aside-database' && state === 'done');
  if (kept?.step.kind !== 'set-aside-database') return [];
  const database = join(directory, 'database');
  const before = sizesBelow(host.path(kept.step.into));
  const now = sizesBelow(host.path(database));
  const same = before.size === now.size && [...before].every(([path, size]) => now.get(path) === size);
  return same ? [] : [`${database} is no longer as it was when it was copied`];
}

/** Bytes by path below the folder. */
function sizesBelow(folder: string, prefix = ''): Map<string, number> {
  const found = new Map<string, number>();
  for (const name of namesIn(join(folder, prefix))) {
    const path = join(prefix, name);
    const stat = fs.lstatSync(join(folder, path), { throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (stat.isDirectory()) for (const [below, size] of sizesBelow(folder, path)) found.set(below, size);
    else found.set(path, stat.size);
  }
  return found;
}

function namesIn(folder: string): string[] {
  try {
    return fs.readdirSync(folder).sort();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
