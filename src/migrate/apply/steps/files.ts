// Steps that move folders, databases and links; each looks at what is there, so that it can be called again.
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { asFileFailure } from '../../../core/as-file-failure.ts';
import {
  makeFolderDurable,
  removeTemporaries,
  renameDurable,
  replaceLinkDurable,
  syncFolder,
  writeFileDurable,
} from '../../../core/durable.ts';
import { Failure, systemErrorCode } from '../../../core/failure.ts';
import type { Host } from '../../../core/host.ts';
import { readRegularFile } from '../../../core/read-regular-file.ts';
import { firstOf } from '../../../core/text.ts';
import { mapPath } from '../../convert/path-map.ts';
import { isUsable } from '../../id-maps/id-range.ts';
import { parseSubids } from '../../id-maps/parse-subid.ts';
import { withLine } from '../../id-maps/plan-id-maps.ts';
import { subidLimit } from '../../id-maps/read-subids.ts';
import { noteNames, toPowerRecord } from '../../journal/noted.ts';
import { dropPart, isHalfMoved, isThere, moveOnce, partOf } from '../../machine/move-once.ts';
import type { Step } from '../../model/step.ts';
import { migrateFailure } from '../../problem.ts';
import { migrationRules } from '../../rules/migration-rules.ts';
import { carryIdMaps, type IdMaps, readIdMaps } from '../idmaps.ts';
import { memoOf, type StepHandler, storedPower } from '../step-handler.ts';

type Of<K extends Step['kind']> = StepHandler<Extract<Step, { kind: K }>>;

const targetMemo = z.object({ existed: z.boolean() });

export const setAsideTargetStep: Of<'set-aside-target'> = {
  memo: targetMemo,
  async apply(call) {
    const { step, remember, context } = call;
    const { host } = context;
    const memo = memoOf(targetMemo, call);
    // A target that was never started has no folder; there is nothing to keep then.
    const existed = memo?.existed ?? isThere(host, step.path);
    if (memo === null) remember({ existed } satisfies z.infer<typeof targetMemo>);
    if (existed) await moveOnce(host, step.path, step.into);
  },
  async undo(call) {
    const { step, context } = call;
    if (memoOf(targetMemo, call)?.existed === true) await moveOnce(context.host, step.into, step.path);
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
    const changed = carryIdMaps(host.path(step.path), journal.noted(run, noteNames.idmaps) ?? {});
    if (changed.length > 0) say(`id maps of ${firstOf(changed)} carried over`);
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
  async undo({ step, context: { host, journal, run, warn } }) {
    if (isHalfMoved(host, step.from)) return moveOnce(host, step.path, step.from);
    const half = isHalfMoved(host, step.path);
    if (!isThere(host, step.path) && !half) return;
    // The database of a target that ran is worth keeping: it names what was made since.
    if (!half) journal.note(run, noteNames.idmaps, idMapsOfTarget(host.path(step.path), warn));
    const { last, next } = keptDatabases(host, step.keep);
    const goesOn = half && last !== undefined && !isThere(host, partOf(next));
    await moveOnce(host, step.path, goesOn ? last : next);
  },
};

/** Whatever became of Incus's database, LXD comes back: what cannot be read is said, and the rest is carried. */
function idMapsOfTarget(database: string, warn: (text: string) => void): IdMaps {
  const advice =
    'Where Incus has shifted the files of a container to another range of ids, LXD may not learn of it: compare volatile.last_state.idmap of the containers with the owners of their files before they start';
  try {
    return readIdMaps(database);
  } catch (damage) {
    if (!isReadFailure(damage)) throw damage;
    try {
      const maps = readIdMaps(database, { salvage: true });
      warn(`Incus's database is damaged (${damage.message}); what it held before is used. ${advice}`);
      return maps;
    } catch (error) {
      if (!isReadFailure(error)) throw error;
      warn(`Incus's database cannot be read (${damage.message}). ${advice}`);
      return {};
    }
  }
}

/** Of the reader, of SQLite or of the file system. */
function isReadFailure(error: unknown): error is Error {
  return error instanceof Failure || systemErrorCode(error) !== undefined;
}

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
const snapshotsMemo = z.object({ hadFolder: z.boolean(), hadOther: z.boolean() });

export const renameSnapshotsFolderStep: Of<'rename-snapshots-folder'> = {
  memo: snapshotsMemo,
  async apply(call) {
    const { step, remember, context } = call;
    const { host } = context;
    const memo = memoOf(snapshotsMemo, call);
    const had = memo ?? { hadFolder: isThere(host, step.from), hadOther: isThere(host, step.to) };
    if (memo === null) remember(had satisfies z.infer<typeof snapshotsMemo>);
    if (had.hadFolder) return moveOnce(host, step.from, step.to);
    // LXD makes the folder at its first start; without it incusd would die in the patch that this step stands for.
    if (!isThere(host, step.to)) makeFolderDurable(host.path(step.to), 0o700);
  },
  async undo(call) {
    const { step, context } = call;
    const { host } = context;
    const had = memoOf(snapshotsMemo, call);
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
    if (isFolder(folder)) removeTemporaries(folder);
  for (const name of links) removeTemporaries(host.path(directory), name);
  const candidates = [
    ...links.map((name) => host.path(join(directory, name))),
    ...folders.flatMap((name) => {
      const folder = host.path(join(directory, name));
      return isFolder(folder) ? fs.readdirSync(folder).map((entry) => join(folder, entry)) : [];
    }),
  ];
  const touched = new Set<string>();
  let count = 0;
  // There may be thousands, and nothing runs meanwhile: as few system calls for each as it takes.
  for (const path of candidates) {
    const stat = fs.lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isSymbolicLink() !== true) continue;
    const after = mapPath(map, fs.readlinkSync(path));
    if (after === undefined) continue;
    replaceLinkDurable(path, after, stat);
    touched.add(dirname(path));
    count += 1;
  }
  for (const folder of touched) syncFolder(folder);
  return count;
}

function isFolder(path: string): boolean {
  return fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

const idRangeMemo = z.object({
  wasThere: z.boolean(),
  /** Whether the last line before it had no end. */
  endedOpen: z.boolean(),
});
type IdRangeMemo = z.infer<typeof idRangeMemo>;

export const addIdRangeStep: Of<'add-id-range'> = {
  memo: idRangeMemo,
  apply({ step, memo, remember, context: { host } }) {
    const path = withoutLinks(host.path(step.file));
    const text = subidText(path);
    if (text.split('\n').includes(step.line)) {
      if (memo === null) remember({ wasThere: true, endedOpen: false } satisfies IdRangeMemo);
      return;
    }
    refuseSecondRange(step.file, text, step.line);
    const endedOpen = text !== '' && !text.endsWith('\n');
    remember({ wasThere: false, endedOpen } satisfies IdRangeMemo);
    rewrite(path, withLine(text, step.line));
  },
  /** Others may have added lines of their own since: only this one goes. */
  undoIsIndependent: true,
  undo(call) {
    const { step, context } = call;
    if (step.neededBySource === true) return;
    const { host, warn } = context;
    const { wasThere, endedOpen } = memoOf(idRangeMemo, call) ?? { wasThere: true, endedOpen: false };
    if (wasThere || !fs.existsSync(host.path(step.file))) return;
    const path = withoutLinks(host.path(step.file));
    let text: string;
    try {
      text = subidText(path);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return warn(`${step.file} is left as it is: ${error.explanation.what}`);
    }
    const lines = text.split('\n');
    const at = lines.lastIndexOf(step.line);
    if (at === -1) return;
    const isLast = lines.slice(at + 1).every((line) => line === '');
    lines.splice(at, 1);
    const rest = lines.join('\n');
    rewrite(path, isLast && endedOpen ? rest.replace(/\n$/, '') : rest);
  },
};

/** As latin1, so that every byte comes back as it was. */
function subidText(path: string): string {
  removeTemporaries(dirname(path), basename(path));
  return readRegularFile(path, { limit: subidLimit, links: 'refuse' }).toString('latin1');
}

/** The plan saw none; with two of them, Incus starts no new container. */
function refuseSecondRange(file: string, text: string, line: string): void {
  const large = (content: string): boolean =>
    parseSubids(content).root.some(
      ({ by, range }) => by === 'name' && range !== undefined && isUsable(range),
    );
  if (large(line) && large(text))
    throw migrateFailure({ code: 'plan-stale', differences: [`${file} has a range of root's by now`] });
}

function rewrite(path: string, content: string): void {
  writeFileDurable(path, Buffer.from(content, 'latin1'), fs.statSync(path).mode & 0o777);
}

/** Where a file of the host is a link, what it leads to is changed and the link stays. */
function withoutLinks(path: string): string {
  return asFileFailure('find the file', path, () => fs.realpathSync(path));
}

export const emptyRuntimeFolderStep: Of<'empty-runtime-folder'> = {
  apply({ step, context: { host, say, warn } }) {
    const folder = host.path(step.path);
    const found = fs.lstatSync(folder, { throwIfNoEntry: false });
    if (found === undefined) return;
    if (!found.isDirectory()) return warn(`${step.path} is no folder of its own, so it is left as it is`);
    // What is mounted belongs to somebody: deleting would go through it.
    const real = fs.realpathSync(folder);
    const mounted = host.mounts().map(({ path }) => host.path(path));
    if (mounted.includes(real)) return warn(`${step.path} is a mount point, so it is left as it is`);
    for (const name of fs.readdirSync(real)) {
      const path = join(real, name);
      if (mounted.some((mount) => mount === path || mount.startsWith(`${path}/`))) {
        warn(`${join(step.path, name)} is left as it is: something is mounted there`);
        continue;
      }
      say(name);
      fs.rmSync(path, { recursive: true, force: true });
    }
  },
  undo() {},
};
