// A whole rollback on a fake machine: what one thing that goes wrong keeps back, and in which state the run is then.
import { describe, expect, test } from 'vitest';
import { noteNames } from '../../../src/migrate/journal/noted.ts';
import { latestRun } from '../../../src/migrate/run/run-status.ts';
import { answerFiles } from '../../fakes/container-files.ts';
import { errorAnswer } from '../../fakes/daemon-answers.ts';
import { watchFiles } from '../../fakes/watched-files.ts';
import { type Run, readyRun } from './ready-run.ts';

// Without waiting for the disk.
watchFiles();

const phaseOf = ({ journal }: Run): unknown => {
  const latest = latestRun(journal, false);
  return latest && [latest.state.phase, latest.state.failed];
};

/** Moved as a whole. */
async function movedRun(): Promise<{ run: Run; original: unknown }> {
  const run = await readyRun();
  const original = run.state();
  answerFiles(run.host);
  expect(await run.apply()).toBeUndefined();
  run.journal.enter('RUN', 'done', run.host.now());
  return { run, original };
}

/** LXD refuses to start c1 from now on. */
function c1DoesNotStart({ host, daemons }: Run): void {
  daemons.lxd.startsByItself = [];
  host.onRequest((socket, { method, path }) =>
    socket === daemons.lxd.socket && method === 'PUT' && path.includes('/c1/state')
      ? errorAnswer(400, 'its files are gone')
      : undefined,
  );
}

test('a rollback of a finished move is in the journal from its first moment, and complete at its end', async () => {
  const { run, original } = await movedRun();
  const during = new Set<string>();

  const { failed, leftOpen } = await run.rollBack(() => during.add(JSON.stringify(phaseOf(run))));

  expect([...during]).toEqual(['["rollback-interrupted",null]']);
  expect({ failed, leftOpen }).toEqual({ failed: [], leftOpen: [] });
  expect(phaseOf(run)).toEqual(['rolled-back', undefined]);
  expect(run.state()).toEqual(original);
});

test('an instance that does not start in LXD is named, and everything else is as it was', async () => {
  const { run, original } = await movedRun();
  c1DoesNotStart(run);

  const { failed, leftOpen } = await run.rollBack();

  expect(failed).toEqual([]);
  expect(leftOpen).toEqual([
    expect.stringMatching(/^instance default\/c1 should be running.*its files are gone/),
  ]);
  expect(phaseOf(run)).toEqual(['rolled-back', leftOpen[0]]);
  expect(run.daemons.lxd.instances.get('dev/c2')).toBe('Frozen');
  run.daemons.lxd.instances.set('default/c1', 'Running');
  expect(run.state()).toEqual(original);
});

test('what was accepted as gone is not started, and nothing is open', async () => {
  const { run } = await movedRun();
  c1DoesNotStart(run);
  run.journal.note('RUN', noteNames.acceptedAsGone, ['instance default/c1']);

  const { failed, leftOpen } = await run.rollBack();

  expect({ failed, leftOpen }).toEqual({ failed: [], leftOpen: [] });
  expect(run.daemons.lxd.instances.get('default/c1')).toBe('Stopped');
  expect(run.daemons.units.get('lxd.service')).toBe('enabled');
  expect(run.daemons.incus.running).toBe(true);
});

describe('an LXD that does not come up', () => {
  test('keeps back its instances alone; Incus and the units are as before, and the next rollback does the rest', async () => {
    const { run, original } = await movedRun();
    let broken = true;
    run.host.onRun(([command, verb, ...units]) =>
      broken && command === 'systemctl' && verb === 'start' && units.includes('lxd.service')
        ? { status: 1, stderr: Buffer.from('it is broken') }
        : undefined,
    );

    const first = await run.rollBack();
    const phase = phaseOf(run);
    const between = { incus: run.daemons.incus.running, unit: run.daemons.units.get('lxd.service') };
    broken = false;
    run.events.length = 0;
    const second = await run.rollBack();

    expect(first.failed).toEqual([
      expect.stringContaining('it is broken'),
      expect.stringMatching(/^start exactly those again: LXD does not run/),
    ]);
    expect(phase).toEqual(['rollback-interrupted', first.failed.join('\n')]);
    expect(between).toEqual({ incus: true, unit: 'enabled' });
    expect(second).toEqual({ failed: [], leftOpen: [] });
    expect(run.events.map(({ kind }) => kind)).toEqual(['stop-daemon', 'stop-instances']);
    expect(run.state()).toEqual(original);
  });
});

test('a rollback that ended in the middle is gone on with, whichever way', async () => {
  const { run } = await movedRun();
  run.journal.enter('RUN', 'rolling-back', run.host.now());

  expect(phaseOf(run)).toEqual(['rollback-interrupted', undefined]);
  expect(await run.apply()).toBeUndefined();
  expect(phaseOf(run)).toEqual(['interrupted', undefined]);
  expect(await run.rollBack()).toEqual({ failed: [], leftOpen: [] });
});

test('a pool that was accepted as gone is not missed; a network that was not is named', async () => {
  const run = await readyRun();
  answerFiles(run.host);
  run.daemons.lxd.networks.set('default/lxdbr0', 'Created');
  expect(await run.apply()).toBeUndefined();
  run.daemons.lxd.pools.set('default', 'Unavailable');
  run.daemons.lxd.networks.set('default/lxdbr0', 'Unavailable');
  run.journal.note('RUN', noteNames.acceptedAsGone, ['storage pool default']);

  const { failed, leftOpen } = await run.rollBack();

  expect({ failed, leftOpen }).toEqual({
    failed: [],
    leftOpen: ['network default/lxdbr0 was Created and is Unavailable'],
  });
});
