// Run as a process of its own: writes to a database directory for ever as a busy daemon does, in a hurry. Entry N sets
// the only value in the database to "N", so that every state which a reader may see is known.
// Usage: node live-writer.ts FOLDER
import * as fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  batch,
  closedName,
  configuration,
  framesOf,
  metadata,
  segment,
  snapshotData,
  snapshotMeta,
  standalone,
} from './raw-log.ts';
import { sampleImage } from './sample-database.ts';

const [folder = ''] = process.argv.slice(2);
const block = 4096;
const openSize = 32 * block;
const servers = configuration({ id: 1, address: '1', role: 1 });

let counter = 0;
let bytes = segment(batch(standalone));
let first = 1;
let next = 2;
const closed: string[] = [];
const snapshots: string[] = [];

fs.writeFileSync(join(folder, 'metadata1'), metadata(1));
for (const number of [1, 2, 3]) prepare(number);
begin();
write(0);
for (;;) {
  const entry = batch(framesOf(sampleImage([String(next)])));
  if (bytes.length + entry.length > openSize) finalise();
  const from = bytes.length;
  bytes = Buffer.concat([bytes, entry]);
  write(from);
  if (next % 30 === 0) takeSnapshot();
  next += 1;
  await sleep(2);
}

function prepare(number: number): void {
  fs.writeFileSync(join(folder, `open-${number}`), Buffer.alloc(openSize));
}

function begin(): void {
  counter += 1;
}

/** Whole blocks: the first repeats what is there, the last is filled with zeros. */
function write(from: number): void {
  const start = Math.floor(from / block) * block;
  const piece = Buffer.alloc(Math.ceil((bytes.length - start) / block) * block);
  bytes.copy(piece, 0, start);
  const fd = fs.openSync(join(folder, `open-${counter}`), 'r+');
  for (let at = 0; at < piece.length; at += block) fs.writeSync(fd, piece, at, block, start + at);
  fs.closeSync(fd);
}

function finalise(): void {
  const open = join(folder, `open-${counter}`);
  const name = closedName(first, next - 1);
  fs.truncateSync(open, bytes.length);
  fs.renameSync(open, join(folder, name));
  closed.push(name);
  prepare(counter + 3);
  begin();
  bytes = segment();
  first = next;
  write(0);
}

/** Of the newest two are kept, and of the log what comes after the older one. */
function takeSnapshot(): void {
  const name = `snapshot-1-${next}-${Date.now()}`;
  fs.writeFileSync(join(folder, `${name}.meta`), snapshotMeta(servers));
  fs.writeFileSync(join(folder, name), snapshotData(sampleImage([String(next)])));
  snapshots.push(name);
  for (const old of snapshots.splice(0, snapshots.length - 2)) {
    fs.rmSync(join(folder, old));
    fs.rmSync(join(folder, `${old}.meta`));
  }
  const keep = Number(snapshots[0]?.split('-')[2] ?? 0);
  while (Number(closed[0]?.split('-')[1] ?? Number.POSITIVE_INFINITY) < keep) {
    fs.rmSync(join(folder, closed.shift() ?? ''));
  }
}
