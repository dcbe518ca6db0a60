// Steps that move folders, databases and links; each looks at what is there, so that it can be called again.
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  makeFolderDurable,
  removeTemporaries,
  renameDurable,
  replaceLinkDurable,
  syncFolder,
  writeFileDurable,
} from '../../../core/durable.ts';
import type { Host } from '../../../core/host.ts';
import { mapPath } from '../../convert/path-map.ts';
import type { Step } from '../../plan/step.ts';
import { migrateFailure } from '../../problem.ts';
import { migrationRules } from '../../rules/migration-rules.ts';
import { carryIdMaps, type IdMaps, readIdMaps } from '../idmaps.ts';
import { dropPart, isHalfMoved, isThere, moveOnce, partOf } from '../move-once.ts';
import { noteNames, type StepHandler, storedPower, toPowerRecord } from '../step-handler.ts';

type Of<K extends Step['kind']> = StepHandler<Extract<Step, { kind: K }>>;

export const setAsideTargetStep: Of<'set-aside-target'> = {
  async apply({ step, memo, remember, context: { host } }) {
    // A target that was never started has no folder; there is nothing to keep then.
    if (memo === null) remember({ existed: isThere(host, step.path) });
    if (memo !== null ? (memo as { existed: boolean }).existed : isThere(host, step.path))
      await moveOnce(host, step.path, step.into);
  },
  async undo({ step, memo, context: { host } }) {
    if ((memo as { existed: boolean } | null)?.existed === true) await moveOnce(host, step.into, step.path);
  },
};

export const moveDirectoryStep: Of<'move-directory'> = {
  apply: ({ step, context: { host } }) => moveOnce(host, step.from, step.to),
  undo: ({ step, context: { host } }) => moveOnce(host, step.to, step.from),
};

export const setAsideDatabaseStep: Of<'set-aside-database'> = {
  async apply({ step, context: { host } }) {
    // In its place stands, once install-database has run, another folder: then this step is done.
    if (isThere(host, step.into) && !isHalfMoved(host, step.path)) dropPart(host, step.path);
    else await moveOnce(host, step.path, step.into);
  },
  async undo({ step, context: { host, journal, run, say } }) {
    await moveOnce(host, step.into, step.path);
    const changed = carryIdMaps(host.path(step.path), (journal.noted(run, noteNames.idmaps) ?? {}) as IdMaps);
    if (changed.length > 0) say(`id maps of ${changed.join(', ')} carried over`);
  },
};

export const installDatabaseStep: Of<'install-database'> = {
  async apply({ step, context: { host } }) {
    // After a rollback that was broken off, it stands where that rollback has kept it.
    const { last, next } = keptDatabases(host, step.keep);
    const gone = !isThere(host, step.from) && !isThere(host, step.path) && !isHalfMoved(host, step.from);
    await moveOnce(host, gone && last !== undefined ? last : step.from, step.path);
    dropPart(host, next);
  },
  async undo({ step, context: { host, journal, run } }) {
    if (isHalfMoved(host, step.from)) return moveOnce(host, step.path, step.from);
    const half = isHalfMoved(host, step.path);
    if (!isThere(host, step.path) && !half) return;
    // The database of a target that ran is worth keeping: it names what was made since.
    if (!half) journal.note(run, noteNames.idmaps, readIdMaps(host.path(step.path)));
    const { last, next } = keptDatabases(host, step.keep);
    const goesOn = half && last !== undefined && !isThere(host, partOf(next));
    await moveOnce(host, step.path, goesOn ? last : next);
  },
};

/** Each rollback of a run keeps one: NAME, NAME-2, … */
function keptDatabases(host: Host, name: string): { last: string | undefined; next: string } {
  let last: string | undefined;
  let next = name;
  for (let copy = 2; isThere(host, next); copy += 1) {
    last = next;
    next = `${name}-${copy}`;
  }
  return { last, next };
}

export const convertAgainStep: Of<'convert-again'> = {
  apply({ step, context }) {
    const { host, journal, run } = context;
    const conversion = context.convertAgain(toPowerRecord(storedPower(context)));
    if (conversion.differences.length > 0)
      throw migrateFailure({ code: 'plan-stale', differences: conversion.differences });
    journal.note(run, noteNames.held, conversion.held);
    // An earlier, interrupted attempt may have left half a folder.
    for (const path of [step.into, partOf(step.into)])
      fs.rmSync(host.path(path), { recursive: true, force: true });
    conversion.write(host.path(partOf(step.into)));
    renameDurable(host.path(partOf(step.into)), host.path(step.into));
  },
  undo({ step, context: { host } }) {
    for (const path of [step.into, partOf(step.into)])
      fs.rmSync(host.path(path), { recursive: true, force: true });
  },
};

/** Which of the two folders were there before. */
interface SnapshotsMemo {
  readonly hadFolder: boolean;
  readonly hadOther: boolean;
}

export const renameSnapshotsFolderStep: Of<'rename-snapshots-folder'> = {
  async apply({ step, memo, remember, context: { host } }) {
    const had = (memo as SnapshotsMemo | null) ?? {
      hadFolder: isThere(host, step.from),
      hadOther: isThere(host, step.to),
    };
    if (memo === null) remember(had);
    if (had.hadFolder) return moveOnce(host, step.from, step.to);
    // LXD makes the folder at its first start; without it incusd would die in the patch that this step stands for.
    if (!isThere(host, step.to)) makeFolderDurable(host.path(step.to), 0o700);
  },
  async undo({ step, memo, context: { host } }) {
    const had = memo as SnapshotsMemo | null;
    if (had?.hadFolder === true) await moveOnce(host, step.to, step.from);
    else if (had?.hadOther === false && isThere(host, step.to)) fs.rmdirSync(host.path(step.to));
  },
};

export const repointLinksStep: Of<'repoint-links'> = {
  apply({ step, context: { host, say } }) {
    say(`${repoint(host, step.directory, step.from, step.to)} links`);
  },
  undo({ step, context: { host } }) {
    repoint(host, step.directory, step.to, step.from);
  },
};

/** Points every link of the daemon's own folders that leads into `from` to the same place in `to`; returns how many. */
function repoint(host: Host, directory: string, from: string, to: string): number {
  const { link_folders: folders, links } = migrationRules();
  const map = { from, to, renamedFolders: [] };
  // Links that an interrupted attempt made and did not put in their place.
  for (const folder of folders.map((name) => host.path(join(directory, name))))
    if (fs.existsSync(folder)) removeTemporaries(folder);
  for (const name of links) removeTemporaries(host.path(directory), name);
  const candidates = [
    ...links.map((name) => join(directory, name)),
    ...folders.flatMap((name) => {
      const folder = host.path(join(directory, name));
      if (!fs.existsSync(folder)) return [];
      const entries = fs.readdirSync(folder, { withFileTypes: true });
      return entries
        .filter((entry) => entry.isSymbolicLink())
        .map((entry) => join(directory, name, entry.name));
    }),
  ];
  const touched = new Set<string>();
  let count = 0;
  for (const path of candidates) {
    const real = host.path(path);
    if (fs.lstatSync(real, { throwIfNoEntry: false })?.isSymbolicLink() !== true) continue;
    const after = mapPath(map, fs.readlinkSync(real));
    if (after === undefined) continue;
    replaceLinkDurable(real, after);
    touched.add(dirname(real));
    count += 1;
  }
  for (const folder of touched) syncFolder(folder);
  return count;
}

export const addIdRangeStep: Of<'add-id-range'> = {
  apply({ step, memo, remember, context: { host } }) {
    const path = host.path(step.file);
    const before = memo === null ? fs.readFileSync(path, 'utf8') : (memo as { before: string }).before;
    if (memo === null) remember({ before });
    removeTemporaries(dirname(path), basename(path));
    const ending = before === '' || before.endsWith('\n') ? '' : '\n';
    writeFileDurable(path, `${before}${ending}${step.line}\n`, fs.statSync(path).mode & 0o777);
  },
  undo({ step, memo, context: { host } }) {
    const path = host.path(step.file);
    removeTemporaries(dirname(path), basename(path));
    if (memo !== null)
      writeFileDurable(path, (memo as { before: string }).before, fs.statSync(path).mode & 0o777);
  },
};

export const emptyRuntimeFolderStep: Of<'empty-runtime-folder'> = {
  apply({ step, context: { host, say } }) {
    const folder = host.path(step.path);
    if (!fs.existsSync(folder)) return;
    for (const name of fs.readdirSync(folder)) {
      say(basename(name));
      fs.rmSync(join(folder, name), { recursive: true, force: true });
    }
  },
  undo() {},
};
