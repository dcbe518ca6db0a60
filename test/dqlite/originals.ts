// Healthy directories to damage: what real daemons wrote, cut to what matters, and logs by hand of older versions.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type DatabaseFixture, unpackDatabaseFixture } from '../../src/dev/database-fixture.ts';
import { encodeLz4Frame } from './lz4-encoder.ts';
import {
  barrier,
  batch,
  checkpoint,
  closedName,
  configuration,
  directory,
  frames,
  framesOf,
  metadata,
  openCommand,
  padded,
  segment,
  snapshotData,
  snapshotMeta,
  standalone,
  undo,
} from './raw-log.ts';
import { changed, pageOf, sampleImage } from './sample-database.ts';
import { walOf } from './wal-writer.ts';

/** `small`: a millisecond to read each; `all`: real directories of some megabytes as well. */
export function originals(parent: string, which: 'small' | 'all'): string[] {
  const real: readonly DatabaseFixture[] =
    which === 'small'
      ? ['incus-6.0.4-running']
      : [
          'incus-6.0.4-running',
          'dqlite-1.11.1-killed-lz4',
          'dqlite-1.18.6-killed',
          'lxd-5.0.2-clean',
          'lxd-5.0.2-cluster-m1',
          'lxd-5.0.2-killed',
        ];
  return [...byHand(parent), ...real.map((name) => trimmed(unpackDatabaseFixture(name, parent).global))];
}

/** The zeros at the end of prepared segments are of no interest and cost time. */
function trimmed(folder: string): string {
  const longAgo = new Date('2024-01-01');
  for (const name of fs.readdirSync(folder)) {
    const path = join(folder, name);
    if (name.startsWith('open-')) {
      const bytes = fs.readFileSync(path);
      let used = bytes.length;
      while (used > 0 && bytes[used - 1] === 0) used -= 1;
      fs.truncateSync(path, Math.min(bytes.length, used + 8192));
    }
    fs.utimesSync(path, longAgo, longAgo);
  }
  return folder;
}

function byHand(parent: string): string[] {
  const first = sampleImage(['one']);
  const second = changed(first, "INSERT INTO t (value) VALUES ('two'); CREATE TABLE u (a, b)");
  const third = changed(second, "INSERT INTO u VALUES ('three', zeroblob(9000))");
  const servers = configuration(
    { id: 1, address: 'one:8443', role: 1 },
    { id: 2, address: 'two:8443', role: 0 },
    { id: 3, address: 'three:8443', role: 2 },
  );
  const wal = walOf([
    [1, pageOf(second, 1)],
    [2, pageOf(second, 2)],
    [3, pageOf(second, 3)],
  ]);
  const plain = snapshotData(first, wal);
  const log = {
    [closedName(9, 10)]: segment(batch(barrier), batch(framesOf(second))),
    [closedName(11, 13)]: segment(batch(barrier, framesOf(second), { type: 3, payload: servers })),
    'open-7': padded(segment(batch(framesOf(third)), batch(checkpoint)), 65_536),
    'open-8': Buffer.alloc(8192),
  };
  const snapshots = (data: Buffer) => ({
    'snapshot-1-5-77': plain,
    'snapshot-1-5-77.meta': snapshotMeta(servers, 1),
    'snapshot-2-10-99': data,
    'snapshot-2-10-99.meta': snapshotMeta(servers, 4),
  });
  return [
    directory(parent, {
      metadata1: metadata(3, 2),
      metadata2: metadata(4, 2),
      [closedName(1, 2)]: segment(batch(standalone), batch(openCommand)),
      [closedName(3, 8)]: segment(
        batch(framesOf(first)),
        batch(frames({ pages: [[2, pageOf(second, 2)]], commit: 0 }), undo),
        batch(
          frames({
            pages: [
              [2, pageOf(second, 2)],
              [3, pageOf(second, 3)],
            ],
            commit: 0,
          }),
        ),
        batch(frames({ pages: [[1, pageOf(second, 1)]] })),
        batch(barrier),
      ),
      'open-1': padded(segment(batch(framesOf(third))), 65_536),
      'db.bin': first,
      'db.bin-wal': wal,
    }),
    directory(parent, { ...snapshots(plain), ...log }),
    directory(parent, { ...snapshots(encodeLz4Frame(plain)), ...log }),
    directory(parent, { ...snapshots(encodeLz4Frame(snapshotData(third))) }),
  ];
}
