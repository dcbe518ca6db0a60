// Reading while a daemon writes: every result is a state that the database really had.
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { raftPosition, readDatabase } from '../../src/dqlite/index.ts';
import { listFolder } from '../../src/dqlite/list-folder.ts';
import { FileMoved } from '../../src/dqlite/read-file.ts';
import { readSettled } from '../../src/dqlite/read-settled.ts';
import { batch, closedName, directory, framesOf, padded, segment, standalone } from './raw-log.ts';
import { sampleImage, valuesOf } from './sample-database.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();

describe('a directory that a daemon is writing to', () => {
  it('gives states that were there, in their order, without a failure', async () => {
    const live = fs.mkdtempSync(join(folder, 'live-'));
    const writer = spawn(process.execPath, [join(import.meta.dirname, 'live-writer.ts'), live], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    onTestFinished(async () => {
      const over = new Promise((resolve) => writer.once('close', resolve));
      writer.kill('SIGKILL');
      await over;
    });
    const busy = (): boolean => listFolder(live).snapshots.length === 2;
    for (let tries = 0; tries < 500 && !busy(); tries += 1) await sleep(10);

    const states: number[] = [];
    for (const end = Date.now() + 1500; Date.now() < end; ) {
      const database = readDatabase(live);
      const position = raftPosition(live);
      expect(valuesOf(database.bytes)).toEqual([String(database.lastIndex)]);
      expect(position.lastIndex).toBeGreaterThanOrEqual(database.lastIndex);
      states.push(database.lastIndex);
    }

    expect(writer.exitCode).toBe(null);
    expect(states).toEqual(states.toSorted((a, b) => a - b));
    expect(new Set(states).size).toBeGreaterThan(5);
  });
});

describe('readSettled', () => {
  const image = sampleImage(['one']);
  const log = {
    [closedName(1, 1)]: segment(batch(standalone)),
    'open-1': padded(segment(batch(framesOf(image))), 65_536),
  };
  const sure = (): boolean => false;

  it('begins again when a segment was finished between listing and reading', () => {
    const live = directory(folder, log);
    let attempts = 0;
    const names = readSettled(
      live,
      ({ closed, open }) => {
        attempts += 1;
        if (attempts === 1) {
          fs.renameSync(join(live, 'open-1'), join(live, closedName(2, 2)));
          throw new FileMoved('open-1');
        }
        return [...closed, ...open].map(({ name }) => name);
      },
      sure,
    );
    expect(attempts).toBe(2);
    expect(names).toEqual([closedName(1, 1), closedName(2, 2)]);
  });

  it('does not believe a result when a file came or went meanwhile, although nothing failed', () => {
    const live = directory(folder, log);
    let attempts = 0;
    readSettled(
      live,
      () => {
        attempts += 1;
        if (attempts === 1) fs.writeFileSync(join(live, 'open-2'), '');
      },
      sure,
    );
    expect(attempts).toBe(2);
  });

  it('does not believe damage in a file that changed meanwhile', () => {
    const live = directory(folder, log);
    let attempts = 0;
    const result = readSettled(
      live,
      () => {
        attempts += 1;
        if (attempts === 1) fs.writeFileSync(join(live, 'open-1'), padded(segment(), 65_536));
        return attempts === 1 ? 'doubtful' : 'sure';
      },
      (answer) => answer === 'doubtful',
    );
    expect(result).toBe('sure');
  });

  it('gives up after a bounded number of attempts and says so', () => {
    const live = directory(folder, log);
    let attempts = 0;
    const restless = (): never => {
      attempts += 1;
      fs.writeFileSync(join(live, `open-${attempts + 1}`), '');
      throw new FileMoved('open-1');
    };
    expect(() => readSettled(live, restless, sure)).toThrow(
      expect.objectContaining({ problem: { code: 'folder-keeps-changing', folder: live, attempts: 12 } }),
    );
    expect(attempts).toBe(12);
  });

  it('lets bugs through', () => {
    const live = directory(folder, log);
    const buggy = (): never => {
      throw new TypeError('a bug');
    };
    expect(() => readSettled(live, buggy, sure)).toThrow(TypeError);
  });
});
