// A whole run on a fake machine whose LXD is at work, or in which somebody works, when it is to stop.
import { describe, expect, test } from 'vitest';
import type { Failure } from '../../../src/core/failure.ts';
import type { FakeDaemon } from '../../fakes/two-daemons.ts';
import { watchFiles } from '../../fakes/watched-files.ts';
import { before, type Run, readyRun } from './ready-run.ts';

// Without waiting for the disk.
watchFiles();

const shell = (instance: string, id = 'shell') => ({ id, description: 'Executing command', instance });
const download = { id: 'd1', description: 'Downloading image' };
const backup = { id: 'b1', description: 'Backing up instance', instance: 'default/c1' };

/** In the order in which they were asked: what is stopped, and when the daemon is told to stop. */
function stops(run: Run, { socket }: FakeDaemon): string[] {
  return run.host.requests.flatMap(({ socketPath, request: { path, body } }) => {
    if (socketPath !== socket) return [];
    if (path === '/internal/shutdown') return ['shutdown'];
    const name = /^\/1\.0\/instances\/([^/]+)\/state/.exec(path)?.[1];
    return name !== undefined && (body as { action: string }).action === 'stop' ? [name] : [];
  });
}

/** Requests that LXD got while the machine was made ready. */
async function readyForStops(): Promise<Run> {
  const run = await readyRun();
  run.host.requests.length = 0;
  return run;
}

/** Without those about the files of instances, which this machine does not have. */
const warningsOf = ({ warnings }: Run): string[] => warnings.filter((text) => !text.includes('backup.yaml'));

const problemOf = (error: unknown): unknown => (error as Failure).problem;

test('without any session the last instance stops together with LXD', async () => {
  const run = await readyForStops();

  expect(await run.apply()).toBeUndefined();

  expect(stops(run, run.daemons.lxd)).toEqual(['c2', 'shutdown']);
  expect(run.warnings).toEqual([]);
});

describe('an open session', () => {
  test('in the instance that stops last has that one stopped before LXD is told to stop, which would wait for it', async () => {
    const run = await readyForStops();
    run.daemons.lxd.operations = [shell('default/c1')];
    const begun = run.host.clock();

    expect(await run.apply()).toBeUndefined();

    expect(stops(run, run.daemons.lxd).toSorted()).toEqual(['c1', 'c2', 'shutdown']);
    expect(stops(run, run.daemons.lxd).at(-1)).toBe('shutdown');
    expect(run.warnings).toEqual([
      'an open session in default/c1 (Executing command) ends when the instance stops',
    ]);
    expect(run.said).not.toContain('default/c1 stops together with LXD');
    expect(run.host.clock() - begun).toBeLessThan(2_000);
    expect(Object.fromEntries(run.daemons.incus.instances)).toEqual(before);
  });

  test('in another is named in one line with those beside it, and waited for by nobody', async () => {
    const run = await readyForStops();
    run.daemons.lxd.operations = [
      shell('dev/c2', 's1'),
      { id: 's2', description: 'Showing console', instance: 'dev/c2' },
    ];
    const begun = run.host.clock();
    // The console ends with the instance as well.
    run.host.onRequest((_, { path, body }) => {
      if (path.startsWith('/1.0/instances/c2/state') && (body as { action: string }).action === 'stop')
        run.daemons.lxd.operations = [];
      return undefined;
    });

    expect(await run.apply()).toBeUndefined();

    expect(stops(run, run.daemons.lxd)).toEqual(['c2', 'shutdown']);
    expect(run.warnings).toEqual([
      '2 open sessions in dev/c2 (Executing command, Showing console) end when the instance stops',
    ]);
    expect(run.host.clock() - begun).toBeLessThan(2_000);
  });

  test('that is opened in the last one after the others have stopped is seen too', async () => {
    const run = await readyForStops();

    const error = await run.apply(({ step, state }) => {
      if (step.kind === 'stop-instances' && state === 'done')
        run.daemons.lxd.operations = [shell('default/c1')];
    });

    expect(error).toBeUndefined();
    expect(stops(run, run.daemons.lxd)).toEqual(['c2', 'c1', 'shutdown']);
    expect(run.warnings).toEqual([
      'an open session in default/c1 (Executing command) ends when the instance stops',
    ]);
  });

  test('that outlives its instance ends no move: LXD is told to stop, and waits for it itself', async () => {
    const run = await readyForStops();
    run.daemons.lxd.operations = [{ id: 's', description: 'Showing console', instance: 'default/c1' }];

    expect(await run.apply()).toBeUndefined();

    expect(stops(run, run.daemons.lxd).at(-1)).toBe('shutdown');
    expect(run.warnings).toContain(
      'LXD is told to stop, and itself waits for the end of: Showing console (default/c1)',
    );
  });

  test('in Incus ends when the move is rolled back, and is named', async () => {
    const run = await readyRun();
    await run.apply();
    run.daemons.incus.operations = [shell('default/c1')];
    run.host.requests.length = 0;

    expect(await run.undo()).toEqual([]);

    expect(stops(run, run.daemons.incus).toSorted()).toEqual(['c1', 'c2', 'shutdown']);
    expect(warningsOf(run)).toEqual([
      'an open session in default/c1 (Executing command) ends when the instance stops',
    ]);
    expect(Object.fromEntries(run.daemons.lxd.instances)).toEqual(before);
  });
});

describe('what LXD does', () => {
  test('is waited for before anything stops, and said', async () => {
    const run = await readyForStops();
    run.daemons.lxd.operations = [backup, download];
    const end = run.host.clock() + 5_000;
    let stoppedBefore: string[] = [];
    run.host.onSleep((clock) => {
      if (clock < end || run.daemons.lxd.operations.length === 0) return;
      stoppedBefore = stops(run, run.daemons.lxd);
      run.daemons.lxd.operations = [];
    });

    expect(await run.apply()).toBeUndefined();

    expect(stoppedBefore).toEqual([]);
    const words = 'Backing up instance (default/c1), Downloading image';
    expect(run.said).toContain(`waiting for LXD to finish, 0 of 60 s: ${words}`);
    expect(run.said).toContain(`waiting for LXD to finish, 3 of 60 s: ${words}`);
    expect(run.warnings).toEqual([`waiting up to 60 s for LXD to finish: ${words}`]);
  });

  test('and does not end is named, and nothing has been stopped', async () => {
    const run = await readyForStops();
    const original = run.state();
    run.daemons.lxd.operations = [backup, download, shell('default/c1')];

    const error = await run.apply();

    expect(problemOf(error)).toEqual({
      code: 'operations-running',
      daemon: 'LXD',
      operations: ['Backing up instance (default/c1), operation b1', 'Downloading image, operation d1'],
      limitMs: 60_000,
    });
    expect((error as Failure).message).toContain('lxc operation list');
    expect(stops(run, run.daemons.lxd)).toEqual([]);
    expect(run.state()).toEqual(original);
  });

  test('and begins after the others have stopped is waited for before it is told to stop', async () => {
    const run = await readyForStops();
    const original = run.state();

    const error = await run.apply(({ step, state }) => {
      if (step.kind === 'stop-instances' && state === 'done') run.daemons.lxd.operations = [download];
    });

    expect(problemOf(error)).toMatchObject({
      code: 'operations-running',
      operations: ['Downloading image, operation d1'],
    });
    expect(stops(run, run.daemons.lxd)).toEqual(['c2']);
    expect(run.state()).toEqual(original);
  });

  test('a stop that an interrupted run has asked for is waited for; it stands in the way of no other', async () => {
    const run = await readyForStops();
    run.daemons.lxd.operations = [{ id: 's1', description: 'Stopping instance', instance: 'dev/c2' }];

    expect(await run.apply()).toBeUndefined();

    expect(run.warnings).toContain('waiting up to 60 s for LXD to finish: Stopping instance (dev/c2)');
    expect(stops(run, run.daemons.lxd)).toEqual(['c2', 'shutdown']);
  });
});

describe('what Incus does when the move is rolled back', () => {
  test('is waited for and named, and stops no rollback', async () => {
    const run = await readyRun();
    await run.apply();
    run.daemons.incus.operations = [download];

    expect(await run.undo()).toEqual([]);

    expect(warningsOf(run)).toEqual([
      'waiting up to 60 s for Incus to finish: Downloading image',
      'Incus is told to stop, and itself waits for the end of: Downloading image',
    ]);
    expect(Object.fromEntries(run.daemons.lxd.instances)).toEqual(before);
  });
});
