// Output that cannot be written: said where somebody is left to read it, never a stack trace, never in the middle of work.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { openOutput } from '../../src/core/output.ts';
import { describeLoss } from '../../src/core/standard-streams.ts';
import { watchInterrupts } from '../../src/migrate/cli/interrupts.ts';

const root = join(import.meta.dirname, '../..');

interface Ended {
  readonly status: number | null;
  readonly stderr: string;
}

/** Runs one of our programs; `stdout` is a file to write to, or `closed`: a pipe whose reader is gone. */
async function run(program: string, args: readonly string[], stdout: string): Promise<Ended> {
  const fd = stdout === 'closed' ? undefined : fs.openSync(stdout, 'w');
  const child = spawn(process.execPath, [join(root, 'bin', program), ...args], {
    stdio: ['ignore', fd ?? 'pipe', 'pipe'],
  });
  if (fd !== undefined) fs.closeSync(fd);
  child.stdout?.destroy();
  let stderr = '';
  child.stderr?.on('data', (part) => (stderr += String(part)));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stderr };
}

describe.each([
  ['lxd-to-incus.js', ['status', '--state', '/nowhere']],
  ['lxd-to-incus.js', ['status', '--state', '/nowhere', '--json']],
  ['lxd-to-incus.js', ['--help']],
  ['lxd-to-incus.js', ['plan', '--help']],
  ['lxd-to-incus.js', ['--version']],
  ['fork-sync.js', ['rules', 'check']],
  ['fork-sync.js', ['--help']],
])('%s %j', (program, args) => {
  test('on a full disk ends with one line and exit 1', async () => {
    const { status, stderr } = await run(program, args, '/dev/full');

    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `${program.replace('.js', '')}: Not all of the output could be written: no space is left (ENOSPC).\n`,
    });
  });

  test('says nothing to a reader that is gone', async () => {
    const { status, stderr } = await run(program, args, 'closed');

    expect({ stderr, known: [0, 2, 4].includes(status ?? -1) }).toEqual({ stderr: '', known: true });
  });
});

test.each([
  [undefined, undefined],
  ['EPIPE', undefined],
  ['EIO', 'Not all of the output could be written: EIO.'],
])('a loss of kind %s is told as %s', (errno, text) => {
  expect(describeLoss(errno)).toBe(text);
});

describe('a signal during a migration', () => {
  afterEach(() => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeAllListeners(signal);
  });

  test('of a closed terminal is told and does not end it; SIGTERM does', () => {
    // Arrange
    const told: string[] = [];
    const output = {
      ...openOutput({ json: false, colour: false }),
      message: (text: string) => told.push(text),
    };
    const interrupted = watchInterrupts(output, 'move');

    // Act
    process.emit('SIGHUP', 'SIGHUP');
    const afterHangup = interrupted();
    process.emit('SIGTERM', 'SIGTERM');

    // Assert
    expect(afterHangup).toBe(false);
    expect(interrupted()).toBe(true);
    expect(told).toEqual([
      'The terminal is gone. The work goes on; its log says how it ends.',
      'Stopping after the step that is under way …',
    ]);
  });

  test('during a rollback is answered, and ends nothing', () => {
    const told: string[] = [];
    watchInterrupts(
      { ...openOutput({ json: false, colour: false }), message: (text: string) => told.push(text) },
      'rollback',
    );

    process.emit('SIGINT', 'SIGINT');
    process.emit('SIGINT', 'SIGINT');

    expect(told).toEqual(['A rollback is not broken off: it goes on until LXD is back.']);
  });
});
