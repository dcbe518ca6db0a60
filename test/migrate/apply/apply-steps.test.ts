// A whole run on a fake machine: what a failure at any step takes back, in which order, and that nothing is taken back twice.
import * as fs from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { coreFailure } from '../../../src/core/core-problem.ts';
import { Failure } from '../../../src/core/failure.ts';
import { sourceCameBack } from '../../../src/migrate/apply/source-came-back.ts';
import { unitsNotAsBefore } from '../../../src/migrate/apply/units-as-before.ts';
import { askServer } from '../../../src/migrate/condition/look-at-server.ts';
import { allInstances } from '../../../src/migrate/daemon/client.ts';
import { noteNames } from '../../../src/migrate/journal/noted.ts';
import { unitChecks } from '../../../src/migrate/verify/unit-checks.ts';
import { errorAnswer } from '../../fakes/daemon-answers.ts';
import { watchFiles } from '../../fakes/watched-files.ts';
import { before, type Run, readyRun, undone } from './ready-run.ts';

// Without waiting for the disk.
watchFiles();

test('a run that goes well does every step once, in order, and exactly what ran runs', async () => {
  const run = await readyRun();

  expect(await run.apply()).toBeUndefined();

  const total = run.plan.steps.length;
  expect(run.events.filter(({ state }) => state === 'done').map(({ position }) => position)).toEqual(
    Array.from({ length: total }, (_, position) => position),
  );
  expect(run.journal.steps('RUN').map(({ state }) => state)).toEqual(
    Array.from({ length: total }, () => 'done'),
  );
  expect(run.daemons.lxd.running).toBe(false);
  expect(run.daemons.units.get('lxd.service')).toBe('masked');
  expect([...run.daemons.active].sort()).toEqual(['incus-user.socket', 'incus.socket']);
  expect(Object.fromEntries(run.daemons.incus.instances)).toEqual(before);
  expect(fs.readdirSync(run.host.path('/var/lib/lxd'))).toEqual(['README.moved-to-incus']);
  expect(fs.readlinkSync(run.host.path('/var/lib/incus/containers/c1'))).toBe(
    '/var/lib/incus/storage-pools/default/containers/c1',
  );
});

test('a step in the middle that is carried out again is done again, although those behind it stay as they are', async () => {
  const run = await readyRun();
  await run.apply();
  const links = run.plan.steps.findIndex(({ kind }) => kind === 'repoint-links');
  run.journal.mark('RUN', links, 'begun', run.host.now());

  expect(await run.apply()).toBeUndefined();

  expect(new Set(run.journal.steps('RUN').map(({ state }) => state))).toEqual(new Set(['done']));
});

test('a run that went well can be taken back as a whole, and only once', async () => {
  const run = await readyRun();
  const original = run.state();
  await run.apply();
  run.events.length = 0;

  expect(await run.undo()).toEqual([]);

  expect(run.state()).toEqual(original);
  expect(undone(run.events)).toEqual(run.plan.steps.map((_, position) => position).reverse());
  run.events.length = 0;
  expect(await run.undo()).toEqual([]);
  expect(run.events).toEqual([]);
});

describe('what has changed since the plan', () => {
  const mount = {
    path: '/var/lib/lxd/storage-pools/default/containers/c1/mnt',
    type: 'nfs',
    device: 'nas:/x',
    root: '/',
  };
  const umounts = (run: Run): string[] =>
    run.host.log.flatMap(({ kind, text }) => (kind === 'run' && text.startsWith('umount ') ? [text] : []));

  test('a pool that LXD has lost ends the run before anything of LXD stops', async () => {
    const run = await readyRun();
    const original = run.state();
    run.daemons.lxd.pools.set('default', 'Unavailable');

    const error = await run.apply();

    expect((error as Failure).problem).toMatchObject({
      code: 'plan-stale',
      differences: ['storage pool default was Created and is Unavailable'],
    });
    expect(run.state()).toEqual(original);
  });

  test('an LXD that has begun to refuse a question ends the run before anything of LXD stops', async () => {
    const run = await readyRun();
    const original = run.state();
    const { socket } = run.daemons.lxd;
    run.host.onRequest((path, request) =>
      path === socket && request.path.startsWith('/1.0/storage-pools')
        ? errorAnswer(500, 'database is locked')
        : undefined,
    );

    const error = await run.apply();

    expect((error as Failure).problem).toMatchObject({
      code: 'plan-stale',
      differences: ['The daemon refused GET /1.0/storage-pools: database is locked (status 500)'],
    });
    expect(run.state()).toEqual(original);
  });

  test('an LXD that listens and does not answer ends the run before anything of LXD stops', async () => {
    const run = await readyRun();
    const original = run.state();
    const { socket } = run.daemons.lxd;
    let asked = 0;
    run.host.onRequest((path) => {
      if (path !== socket) return undefined;
      asked += 1;
      if (asked > 1) return undefined;
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    });

    const error = await run.apply();

    expect((error as Failure).problem).toMatchObject({
      code: 'plan-stale',
      differences: ['LXD listens, and does not answer'],
    });
    expect(run.state()).toEqual(original);
  });

  describe('where LXD has listed its instances for the plan a moment ago', () => {
    const listed = async (): Promise<Run> => {
      const run = await readyRun();
      const { socket } = run.daemons.lxd;
      run.askedByPlan = (await askServer(run.host, [socket])).said;
      return run;
    };

    test('it is not asked for that list again, and what runs is what runs now', async () => {
      const run = await listed();
      run.daemons.lxd.instances.set('default/c3', 'Running');
      run.daemons.lxd.instances.set('default/c1', 'Stopped');
      run.host.machine.processes.push({
        ...{
          pid: 4242,
          parent: 1,
          argv: ['[lxc monitor] /var/lib/lxd/containers c3'],
          program: '/usr/bin/lxd',
        },
        ...{ sameMountNamespace: true, samePidNamespace: true },
      });

      const askedBefore = run.host.requests.length;
      await run.apply();

      const power = run.journal.noted('RUN', noteNames.power);
      expect(power).toMatchObject({ running: ['default/c3'], frozen: ['dev/c2'] });
      const asked = run.host.requests.slice(askedBefore);
      expect(
        asked.filter(
          ({ socketPath, request }) => socketPath === run.daemons.lxd.socket && request.path === allInstances,
        ),
      ).toEqual([]);
    });

    test('a pool that it has lost since ends the run all the same, unless it has only just been asked', async () => {
      const run = await listed();
      run.daemons.lxd.pools.set('default', 'Unavailable');
      await run.host.sleep(10_001);

      const error = await run.apply();

      expect((error as Failure).problem).toMatchObject({
        code: 'plan-stale',
        differences: ['storage pool default was Created and is Unavailable'],
      });
    });
  });

  test('a mount of somebody ends it likewise, and stays', async () => {
    const run = await readyRun();
    const original = run.state();
    run.host.machine.mounts.push(mount);

    const error = await run.apply();

    expect((error as Failure).problem).toMatchObject({
      code: 'plan-stale',
      differences: [`${mount.path} is new`],
    });
    expect(run.state()).toEqual(original);
    expect(run.host.machine.mounts).toContain(mount);
    expect(umounts(run)).toEqual([]);
  });

  test('a mount of somebody that appears once LXD has stopped ends it too, is named and stays', async () => {
    const run = await readyRun();
    const original = run.state();

    const error = await run.apply(({ step, state }) => {
      if (step.kind === 'stop-daemon' && step.daemon.role === 'source' && state === 'done')
        run.host.machine.mounts.push(mount);
    });

    expect((error as Failure).problem).toMatchObject({ code: 'step-failed', undone: true });
    expect((error as Failure).explanation.what).toContain(`mount ${mount.path}`);
    expect(run.state()).toEqual(original);
    expect(run.host.machine.mounts).toContain(mount);
    expect(umounts(run)).toEqual([]);
  });
});

test('how LXD was is kept with the run, and a rollback says what is worse', async () => {
  const run = await readyRun();
  run.daemons.lxd.networks.set('default/lxdbr0', 'Created');
  await run.apply();
  const kept = run.journal.noted('RUN', noteNames.condition);
  run.daemons.lxd.networks.set('default/lxdbr0', 'Unavailable');

  const failed = await run.undo();

  expect(kept).toMatchObject({
    asked: true,
    networks: [{ project: 'default', name: 'lxdbr0', status: 'Created' }],
  });
  expect(failed).toEqual([]);
  expect(run.leftOpen).toEqual(
    expect.arrayContaining(['network default/lxdbr0 was Created and is Unavailable']),
  );
});

/** Kinds and order of the steps are those of every server like this one (plan.test.ts); here they are only counted. */
const stepCount = 27;
const switchAt = 21;

describe.each(Array.from({ length: stepCount }, (_, position) => position))(
  'a failure in step %i',
  (position) => {
    test.each([1, 3])(
      'at its use %i of the machine takes back what was done, last first, each once',
      async (use) => {
        const run = await readyRun();
        const original = run.state();
        expect(run.plan.steps).toHaveLength(stepCount);
        expect(run.plan.steps[switchAt]?.kind).toBe('start-daemon');
        let failed = false;

        const error = await run.apply((progress) => {
          if (progress.state === 'begun' && progress.position === position) run.failAt(use);
          else run.stopFailing();
          failed ||= progress.state === 'failed';
        });

        if (!failed) {
          // The step does not use the machine so often.
          expect(use).toBeGreaterThan(1);
          expect(error).toBeUndefined();
        } else if (position < switchAt) {
          expect(error).toBeInstanceOf(Failure);
          expect((error as Failure).problem).toMatchObject({ code: 'step-failed', undone: true });
          expect(run.state()).toEqual(original);
          expect(undone(run.events)).toEqual(
            Array.from({ length: position + 1 }, (_, index) => position - index),
          );
          expect(run.journal.latest()?.phase).toBe('rolled-back');
          expect(run.journal.steps('RUN').map(({ state }) => state)).toEqual(
            run.plan.steps.map((_, index) => (index <= position ? 'undone' : 'planned')),
          );
        } else {
          expect((error as Failure).problem).toMatchObject({ code: 'step-failed', undone: false });
          expect(undone(run.events)).toEqual([]);
          expect(run.journal.latest()).toMatchObject({
            phase: 'applying',
            failed: expect.stringContaining(':'),
          });
          // It can be gone on with, or taken back.
          run.stopFailing();
          if (use === 1) {
            expect(await run.apply()).toBeUndefined();
            expect(Object.fromEntries(run.daemons.incus.instances)).toEqual(before);
          } else {
            expect(await run.undo()).toEqual([]);
            expect(run.state()).toEqual(original);
          }
        }
      },
    );
  },
);

/** Steps whose undo concerns nothing that an earlier step's undo needs. */
const independent = ['record-source', 'stop-daemon', 'stop-instances', 'disable-source', 'add-id-range'];

describe.each(Array.from({ length: switchAt }, (_, position) => position))(
  'a failure while step %i is taken back',
  (position) => {
    test('keeps back what hangs on it and nothing else, says so, and can be gone on with; nothing is undone twice', async () => {
      const run = await readyRun();
      const original = run.state();
      let armed = false;

      const error = await run.apply((progress) => {
        // The last step before the switch fails for good; then the undo of one step fails once.
        if (progress.state === 'begun' && progress.position === switchAt - 1) run.failAt(1);
        const next =
          progress.state === 'undone'
            ? progress.position - 1
            : progress.state === 'failed'
              ? switchAt - 1
              : -1;
        if (next === position && !armed) {
          armed = true;
          run.failAt(1);
        }
        if (progress.state === 'undone' && next !== position) run.stopFailing();
      });
      const stopped = run.events.some(({ state }) => state === 'undo-failed');
      run.stopFailing();

      expect((error as Failure).problem).toMatchObject({ code: 'step-failed', undone: !stopped });
      expect(run.journal.latest()?.phase).toBe(stopped ? 'rolling-back' : 'rolled-back');
      const all = Array.from({ length: switchAt }, (_, index) => switchAt - 1 - index);
      const kind = run.plan.steps[position]?.kind ?? '';
      const before = stopped
        ? all.filter((at) => at > position || (at < position && independent.includes(kind)))
        : all;
      // What hangs on LXD alone waits for it: instances are started once it runs.
      const waits = before.filter((at) => !undone(run.events).includes(at));
      expect(undone(run.events)).toEqual(before.filter((at) => !waits.includes(at)));
      expect(waits.map((at) => run.plan.steps[at]?.kind)).toEqual(
        stopped && kind === 'stop-daemon' && position > 5 ? ['stop-instances'] : [],
      );
      expect(await run.undo()).toEqual([]);
      expect(run.state()).toEqual(original);
      expect(undone(run.events).toSorted((a, b) => b - a)).toEqual(all);
    });
  },
);

describe.each(Array.from({ length: stepCount }, (_, position) => position))(
  'a kill behind the undo of step %i of a finished run, before that is written down',
  (position) => {
    test('is gone on with by another rollback', async () => {
      const run = await readyRun();
      const original = run.state();
      await run.apply();
      run.dieBehindUndoOf(position);
      await run.undo();
      run.dieBehindUndoOf(undefined);

      expect(sourceCameBack(run.host, run.journal, 'RUN')).toEqual([]);
      expect(await run.undo()).toEqual([]);

      expect(run.state()).toEqual(original);
    });

    test('is resumed: what was undone is done again, that step as well', async () => {
      const run = await readyRun();
      await run.apply();
      const moved = run.state();
      run.dieBehindUndoOf(position);
      await run.undo();
      run.dieBehindUndoOf(undefined);

      const error = await run.apply();

      expect(error).toBeUndefined();
      expect(run.journal.steps('RUN').every(({ state }) => state === 'done')).toBe(true);
      expect(Object.fromEntries(run.daemons.incus.instances)).toEqual(before);
      expect(run.state()).toEqual(moved);
    });
  },
);

test.each([0, 11, 20])(
  'a run that is interrupted before step %i goes on where it stopped',
  async (position) => {
    const run = await readyRun();
    run.interruptBefore = position;

    const error = await run.apply();
    const done = run.events.filter(({ state }) => state === 'done').length;
    run.interruptBefore = undefined;

    expect((error as Failure).problem).toMatchObject({ code: 'interrupted' });
    expect((error as Failure).exitCode).toBe(5);
    expect(done).toBe(position);
    expect(await run.apply()).toBeUndefined();
    expect(run.events.filter(({ state }) => state === 'done').map(({ position: at }) => at)).toEqual(
      run.plan.steps.map((_, index) => index),
    );
    expect(Object.fromEntries(run.daemons.incus.instances)).toEqual(before);
  },
);

test('a full disk does not hide why a step failed, and the run stays to be gone on with', async () => {
  const run = await readyRun();
  const { enter } = run.journal;
  const refusals = vi.spyOn(run.journal, 'enter').mockImplementation((id, phase, at, failed) => {
    if (failed === undefined) return enter(id, phase, at);
    throw coreFailure({ code: 'file-system', operation: 'write the journal', path: '/', errno: 'ENOSPC' });
  });

  const error = await run.apply(({ state, step }) => {
    if (state === 'begun' && step.kind === 'start-daemon') run.failAt(1);
  });

  expect(refusals).toHaveBeenLastCalledWith('RUN', 'applying', expect.anything(), expect.any(String));
  expect((error as Failure).problem).toMatchObject({ code: 'step-failed', undone: false });
  expect(run.journal.latest()).toMatchObject({ phase: 'applying', failed: undefined });
});

test('units that cannot be masked, since their files are in /etc, are disabled instead and enabled again', async () => {
  const run = await readyRun();
  const states: string[] = [];
  for (const unit of ['lxd.socket', 'incus.socket'])
    run.host.writeFile(`/etc/systemd/system/${unit}`, '[Socket]\n');
  const original = run.state();

  const error = await run.apply(({ state, step }) => {
    if (state === 'begun' && step.kind === 'set-aside-database')
      states.push(...['lxd.socket', 'incus.socket'].map((unit) => String(run.daemons.units.get(unit))));
  });
  const after = ['lxd.socket', 'incus.socket'].map((unit) => run.daemons.units.get(unit));
  const complete = await run.undo();

  expect(error).toBeUndefined();
  expect(states).toEqual(['disabled', 'disabled']);
  expect(after).toEqual(['disabled', 'enabled']);
  expect(complete).toEqual([]);
  expect(run.state()).toEqual(original);
});

test('an Incus that died while it started leaves nothing to the next attempt', async () => {
  const run = await readyRun();
  await run.apply(({ state, step }) => {
    if (state === 'begun' && step.kind === 'start-daemon') run.failAt(3);
  });
  run.host.machine.processes = [
    {
      pid: 4711,
      parent: 1,
      argv: ['dnsmasq', '--dhcp-leasefile=/var/lib/incus/networks/br0/dnsmasq.leases'],
      program: '/usr/sbin/dnsmasq',
      sameMountNamespace: true,
      samePidNamespace: true,
    },
  ];

  run.stopFailing();
  const error = await run.apply();

  expect(error).toBeUndefined();
  expect(run.host.log).toContainEqual({ kind: 'signal', text: 'SIGTERM 4711' });
});

describe('an LXD that was killed before the migration stopped it', () => {
  async function killedEarly(listened: boolean): Promise<Run> {
    const run = await readyRun();
    run.journal.note('RUN', noteNames.sourceListened, listened);
    run.interruptBefore = 2;
    await run.apply();
    // As a kill leaves it: its instances live on.
    run.daemons.lxd.running = false;
    run.host.machine.listeners.delete(run.daemons.lxd.socket);
    return run;
  }

  test('is started again by a rollback, and just what ran runs', async () => {
    const run = await killedEarly(true);

    await run.undo();
    await run.startAgain();

    expect(run.daemons.lxd.running).toBe(true);
    const { instances } = run.daemons.lxd;
    expect(['c1', 'c3', 'c4'].map((name) => instances.get(`default/${name}`))).toEqual([
      'Running',
      'Stopped',
      'Stopped',
    ]);
  });

  test('says which instance does not start again', async () => {
    const run = await killedEarly(true);
    run.host.onRequest((socket, { method, path }) =>
      socket === run.daemons.lxd.socket && method === 'PUT' && path.includes('/c4/state')
        ? errorAnswer(400, 'it is stuck')
        : undefined,
    );

    await run.undo();

    await run.startAgain();

    expect(run.leftOpen).toEqual([expect.stringMatching(/default\/c4 .*it is stuck/s)]);
  });

  test('is named where none of its instances runs: what it would start is not ours to decide', async () => {
    const run = await killedEarly(true);
    // The undo of the steps before starts Incus, which is all that runs then.
    await run.undo(() => {
      run.host.machine.processes = [];
    });

    expect(run.daemons.lxd.running).toBe(false);
    expect(run.warnings).toContainEqual(expect.stringContaining('has ended by itself since'));
  });

  test('is started again where the machine restarted while it was disabled, and just what ran runs', async () => {
    const run = await readyRun();
    run.journal.note('RUN', noteNames.sourceListened, true);
    run.interruptBefore = run.plan.steps.findIndex(({ kind }) => kind === 'stop-instances');
    await run.apply();
    run.daemons.lxd.running = false;
    run.host.machine.listeners.delete(run.daemons.lxd.socket);
    run.host.machine.processes = [];
    for (const name of run.daemons.lxd.instances.keys()) run.daemons.lxd.instances.set(name, 'Stopped');

    await run.undo();
    await run.startAgain();

    expect(run.daemons.lxd.running).toBe(true);
    const { instances } = run.daemons.lxd;
    expect(Object.fromEntries(instances)).toEqual({
      'default/c1': 'Running',
      'default/c3': 'Stopped',
      'default/c4': 'Stopped',
      'dev/c2': 'Frozen',
    });
  });

  test('is left alone where it was dead when the migration began', async () => {
    const run = await killedEarly(false);

    await run.undo();
    await run.startAgain();

    expect(run.daemons.lxd.running).toBe(false);
  });
});

test('a rollback takes down what ended instances left before it starts an LXD that it stopped', async () => {
  const run = await readyRun();
  run.interruptBefore = run.plan.steps.findIndex(({ kind }) => kind === 'mask-source');
  await run.apply();
  for (const [name, own, other] of [
    ['veth00000001', 1, 2],
    ['veth00000002', 2, 1],
  ] as const) {
    run.host.writeFile(`/sys/class/net/${name}/ifindex`, `${own}\n`);
    run.host.writeFile(`/sys/class/net/${name}/iflink`, `${other}\n`);
  }
  run.host.onRun(([command]) => (command === 'ip' ? {} : undefined));
  run.host.log.length = 0;

  await run.undo();

  const done = run.host.log.map(({ text }) => text);
  const deleted = done.indexOf('ip link delete dev veth00000001');
  expect(deleted).toBeGreaterThanOrEqual(0);
  expect(done.findIndex((text) => /^systemctl start .*lxd/.test(text))).toBeGreaterThan(deleted);
});

describe('an Incus that is idle: its sockets listen for it, and it does not run', () => {
  async function idleRun(): Promise<Run> {
    const run = await readyRun();
    await run.host.run(['systemctl', 'stop', 'incus.service'], { timeoutMs: 1 });
    run.daemons.active.add('incus.socket');
    return run;
  }

  test('has its sockets again after the move, and runs', async () => {
    const run = await idleRun();

    expect(await run.apply()).toBeUndefined();

    expect([...run.daemons.active].sort()).toEqual(['incus-user.socket', 'incus.socket']);
    expect(run.daemons.incus.running).toBe(true);
  });

  test('has its sockets again after a rollback, and does not run', async () => {
    const run = await idleRun();
    const original = run.state();
    await run.apply();

    expect(await run.undo()).toEqual([]);

    expect(run.state()).toEqual(original);
    expect(run.daemons.incus.running).toBe(false);
    expect([...run.daemons.active].sort()).toEqual(['incus-user.socket', 'incus.socket', 'lxd.socket']);
  });

  test('keeps a socket down that was down', async () => {
    const run = await idleRun();
    run.daemons.active.delete('incus-user.socket');
    await run.apply();
    const afterMove = [...run.daemons.active];

    expect(await run.undo()).toEqual([]);

    expect(afterMove).not.toContain('incus-user.socket');
    expect([...run.daemons.active].sort()).toEqual(['incus.socket', 'lxd.socket']);
  });
});

test('a unit that does not start again stands in the way of nothing, and is named', async () => {
  const run = await readyRun();
  run.host.onRun(([command, verb, ...names]) =>
    command === 'systemctl' && verb === 'start' && names.includes('incus-user.socket')
      ? { status: 1, stderr: Buffer.from('Job for incus-user.socket failed') }
      : undefined,
  );

  const error = await run.apply();
  const afterMove = await unitChecks(run.host, run.journal, 'RUN');
  const { failed, leftOpen } = await run.rollBack();

  expect(error).toBeUndefined();
  expect(afterMove.filter(({ ok }) => !ok)).toEqual([
    expect.objectContaining({
      object: 'unit incus-user.socket',
      what: 'is active as before',
      detail: 'it is inactive',
    }),
  ]);
  expect(failed).toEqual([]);
  expect(run.warnings.join('\n')).toContain('Job for incus-user.socket failed');
  expect(leftOpen).toContain('unit incus-user.socket is inactive; it was active');
});

test('a unit that was active although masked is named, since nothing can start it again, and fails nothing', async () => {
  const run = await readyRun();
  fs.mkdirSync(run.host.path('/etc/systemd/system'), { recursive: true });
  fs.symlinkSync('/dev/null', run.host.path('/etc/systemd/system/incus-user.socket'));
  run.host.onRun(([command, verb, ...names]) =>
    command === 'systemctl' && verb === 'mask' && names.includes('incus-user.socket') ? {} : undefined,
  );

  const error = await run.apply();

  expect(error).toBeUndefined();
  expect(run.warnings.join('\n')).toContain('incus-user.socket: active, and masked by somebody');
  const checks = await unitChecks(run.host, run.journal, 'RUN');
  expect(checks.filter(({ id, ok }) => id === 'unit-active-as-before' && !ok)).toEqual([]);
});

test('what verify says of units holds after a move, and no unit is otherwise after a rollback', async () => {
  const run = await readyRun();
  await run.apply();

  const checks = await unitChecks(run.host, run.journal, 'RUN');
  await run.undo();

  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(checks.map(({ object, what }) => `${object} ${what}`)).toEqual([
    'unit incus-user.socket is active as before',
    'unit incus.socket is active as before',
    'unit incus-user.socket is enabled as before',
    'unit incus.socket is enabled as before',
    'unit incus.service is indirect as before',
    'unit lxd.socket is masked, so that nothing starts LXD',
    'unit lxd.service is masked, so that nothing starts LXD',
  ]);
  expect(await unitsNotAsBefore(run.host, run.journal, 'RUN')).toEqual([]);
});

test('units that a package has enabled and unmasked again since are named', async () => {
  const run = await readyRun();
  await run.apply();
  run.daemons.units.set('incus.socket', 'disabled');
  run.daemons.units.set('lxd.service', 'enabled');

  const failed = (await unitChecks(run.host, run.journal, 'RUN')).filter(({ ok }) => !ok);

  expect(failed.map(({ object, what, detail }) => `${object} ${what}: ${detail}`)).toEqual([
    'unit incus.socket is enabled as before: it is disabled',
    'unit lxd.service is masked, so that nothing starts LXD: it is enabled',
  ]);
});

describe('a restart of the machine', () => {
  /** What starts is what systemd would start: no unit that is masked. */
  async function restart({ host, daemons }: Run, { withDisabled = true } = {}): Promise<void> {
    for (const one of [daemons.lxd, daemons.incus]) {
      await host.run(['systemctl', 'stop', one.unit], { timeoutMs: 1 });
      for (const name of one.instances.keys()) one.instances.set(name, 'Stopped');
    }
    daemons.active.clear();
    if (daemons.units.get('incus-user.socket') !== 'masked') daemons.active.add('incus-user.socket');
    for (const one of [daemons.lxd, daemons.incus])
      if (
        daemons.units.get(one.unit) !== 'masked' &&
        (withDisabled || daemons.units.get(one.unit.replace('.service', '.socket')) === 'enabled')
      )
        await host.run(['systemctl', 'start', one.unit], { timeoutMs: 1 });
  }

  async function interruptedAt(position: number): Promise<Run> {
    const run = await readyRun();
    run.interruptBefore = position;
    await run.apply();
    run.interruptBefore = undefined;
    run.events.length = 0;
    return run;
  }

  test.each(Array.from({ length: stepCount + 1 }, (_, position) => position))(
    'before step %i: the run is finished all the same',
    async (position) => {
      const run = await interruptedAt(position);

      await restart(run);
      const error = await run.apply();

      expect(error).toBeUndefined();
      expect(run.daemons.lxd.running).toBe(false);
      expect(run.daemons.units.get('lxd.service')).toBe('masked');
      expect(run.daemons.units.get('incus.service')).toBe('indirect');
      // What ran is written down just before it is stopped.
      if (position > run.plan.steps.findIndex(({ kind }) => kind === 'record-power'))
        expect(Object.fromEntries(run.daemons.incus.instances)).toEqual(before);
    },
  );

  test.each(Array.from({ length: stepCount + 1 }, (_, position) => position))(
    'before step %i: the run is taken back all the same',
    async (position) => {
      const run = await readyRun();
      const original = run.state();
      run.interruptBefore = position;
      await run.apply();

      await restart(run);

      expect(await run.undo()).toEqual([]);
      if (position > run.plan.steps.findIndex(({ kind }) => kind === 'stop-instances'))
        expect(run.state()).toEqual(original);
    },
  );

  describe.each([true, false])('with units that are disabled started too: %s', (withDisabled) => {
    test.each(Array.from({ length: stepCount }, (_, position) => position))(
      'behind the undo of step %i, while a rollback is under way: just what ran runs in the end',
      async (position) => {
        const run = await readyRun();
        const original = run.state();
        await run.apply();
        run.dieBehindUndoOf(position);
        await run.undo();
        run.dieBehindUndoOf(undefined);

        await restart(run, { withDisabled });

        expect(await run.undo()).toEqual([]);
        expect(run.state()).toEqual(original);
      },
    );
  });

  test('before what was half taken back: Incus is stopped again before its directory moves', async () => {
    const run = await readyRun();
    const original = run.state();
    await run.apply();
    const halted = await run.undo(({ state, step }) => {
      if (state === 'undone' && step.kind === 'start-daemon') run.failAt(1);
    });
    run.stopFailing();

    await restart(run);
    const incusRan = run.daemons.incus.running;

    expect(halted).toHaveLength(1);
    expect(incusRan).toBe(true);
    expect(await run.undo()).toEqual([]);
    expect(run.state()).toEqual(original);
  });

  test('never finds an LXD that would start as a new, empty one: its mask is not taken off', async () => {
    const run = await readyRun();

    await run.apply();

    const systemctl = run.host.log.map(({ text }) => text).filter((text) => text.startsWith('systemctl'));
    expect(systemctl.some((text) => /^systemctl mask .*lxd\.service/.test(text))).toBe(true);
    expect(systemctl.filter((text) => /^systemctl unmask .*lxd/.test(text))).toEqual([]);
  });

  test('never starts an Incus whose directory is not whole', async () => {
    const run = await readyRun();
    const masked: string[] = [];

    await run.apply(({ state, step }) => {
      if (state === 'begun' && run.daemons.units.get('incus.service') === 'masked') masked.push(step.kind);
    });

    const kinds = run.plan.steps.map(({ kind }) => kind);
    expect(masked).toEqual(kinds.slice(kinds.indexOf('mask-target') + 1, kinds.indexOf('unmask-target') + 1));
    expect(masked).toContain('set-aside-target');
    expect(masked).toContain('install-database');
  });
});
