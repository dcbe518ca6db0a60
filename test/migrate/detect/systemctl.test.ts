// What systemctl does not answer is never taken for a "no".
import * as fs from 'node:fs';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { coreFailure } from '../../../src/core/core-problem.ts';
import { serviceManager, unitActivity, unitStates } from '../../../src/migrate/detect/systemctl.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';
import { fakeSystemd } from '../../fakes/fake-systemd.ts';

const offline =
  "System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed to connect to bus: Host is down\n";
const units = ['lxd.socket', 'lxd.service'];

function machine({ booted = false, files = units } = {}): FakeHost {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  host.machine.commands.set('systemctl', '/usr/bin/systemctl');
  if (booted) {
    fs.mkdirSync(host.path('/run/systemd/system'), { recursive: true });
    host.writeFile('/run/systemd/private', '');
  }
  for (const file of files) host.writeFile(`/lib/systemd/system/${file}`, '[Unit]\n');
  return host;
}

/** How often a verb was asked for. */
const asked = (host: FakeHost, verb: string): number =>
  host.log.filter(({ text }) => text.startsWith(`systemctl ${verb}`)).length;

describe('the service manager', () => {
  test('is none without systemctl', async () => {
    const host = machine({ booted: true });
    host.machine.commands.clear();

    expect(await serviceManager(host, units)).toEqual({ kind: 'none' });
  });

  test('is none where nothing was booted with systemd and systemctl fails', async () => {
    const host = machine();
    host.onRun(() => ({ status: 1 }));

    expect(await serviceManager(host, units)).toEqual({ kind: 'none' });
  });

  test('acts where systemctl says of each unit whether it is active, whatever process 1 is', async () => {
    const host = machine();
    fakeSystemd(host);

    expect(await serviceManager(host, units)).toEqual({ kind: 'acts' });
  });

  test.each([
    ['without a systemd', { status: 1, stderr: Buffer.from(offline) }, 'System has not been booted'],
    [
      'in a chroot',
      { status: 0, stderr: Buffer.from("Running in chroot, ignoring command 'is-active'\n") },
      'Running in chroot',
    ],
    ['with half of an answer', { status: 0, stdout: Buffer.from('active\n') }, 'active'],
    ['without a word', { status: 0 }, 'status 0, without a word'],
  ])('is offline where systemctl reads files and does not act: %s', async (_where, answer, words) => {
    const host = machine();
    fakeSystemd(host);
    host.onRun(([, verb]) => (verb === 'is-active' ? answer : undefined));

    expect(await serviceManager(host, units)).toEqual({
      kind: 'offline',
      said: expect.stringContaining(words),
    });
  });

  test.each([
    ['Failed to connect to bus: No such file or directory\n', 1],
    ['Failed to connect to system scope bus via local transport: Connection refused\n', 1],
    ['', 0],
  ])('is offline, at once, where only the folder of one is there: %j', async (stderr, status) => {
    const host = machine({ booted: true });
    fs.rmSync(host.path('/run/systemd/private'));
    host.onRun(() => ({ status, stderr: Buffer.from(stderr) }));

    expect(await serviceManager(host, units)).toEqual({
      kind: 'offline',
      said: stderr.trim() || 'status 0, without a word',
    });
    expect(asked(host, 'is-active')).toBe(1);
  });

  test('is offline, at once, in a chroot that shows the /run of a machine with one', async () => {
    const host = machine({ booted: true });
    host.onRun(() => ({ stderr: Buffer.from("Running in chroot, ignoring command 'is-active'\n") }));

    expect(await serviceManager(host, units)).toMatchObject({ kind: 'offline' });
    expect(asked(host, 'is-active')).toBe(1);
  });

  test('that runs beside a folder alone acts all the same, as one that is not process 1', async () => {
    const host = machine({ booted: true });
    fs.rmSync(host.path('/run/systemd/private'));
    fakeSystemd(host);

    expect(await serviceManager(host, units)).toEqual({ kind: 'acts' });
  });

  test('that runs is not asked for the list of all units, which took 20 s on a busy machine', async () => {
    const host = machine({ booted: true });
    fakeSystemd(host);

    expect(await serviceManager(host, units)).toEqual({ kind: 'acts' });
    expect(asked(host, 'list-unit-files')).toBe(0);
  });

  test('that runs and fails twice is asked again', async () => {
    const host = machine({ booted: true });
    fakeSystemd(host);
    let left = 2;
    host.onRun(([, verb]) => {
      if (verb !== 'is-active' || left === 0) return undefined;
      left -= 1;
      return { status: 1, stderr: Buffer.from('Failed to get properties: Connection timed out\n') };
    });

    expect(await serviceManager(host, units)).toEqual({ kind: 'acts' });
    expect(asked(host, 'is-active')).toBe(3);
  });

  test('that runs and never answers is an error with its words and the limit, not "none"', async () => {
    const host = machine({ booted: true });
    host.onRun(() => ({ status: 1, stderr: Buffer.from('Connection timed out\n') }));

    await expect(serviceManager(host, units)).rejects.toMatchObject({
      problem: { code: 'service-manager-failed', attempts: 3, limitMs: 60_000, said: 'Connection timed out' },
    });
  });

  test('that runs and hangs is the same', async () => {
    const host = machine({ booted: true });
    host.onRun((argv) => {
      throw coreFailure({ code: 'command-timeout', argv, limitMs: 60_000, printed: '' });
    });

    await expect(serviceManager(host, units)).rejects.toMatchObject({
      problem: { code: 'service-manager-failed', said: expect.stringContaining('did not end within 60 s') },
    });
  });
});

describe('how units are enabled', () => {
  test('is a word a unit, in their order', async () => {
    const states = [
      ...['enabled', 'enabled-runtime', 'linked', 'linked-runtime', 'alias', 'masked', 'masked-runtime'],
      ...['static', 'indirect', 'disabled', 'generated', 'transient', 'bad', 'not-found'],
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...states), { minLength: 1, maxLength: 8 }),
        async (words) => {
          const host = fakeHost();
          host.onRun(() => ({ status: 1, stdout: Buffer.from(words.map((word) => `${word}\n`).join('')) }));

          const found = await unitStates(
            host,
            words.map((_, index) => `${index}.service`),
          );

          host.dispose();
          expect(found).toEqual(words.map((enabled, index) => ({ unit: `${index}.service`, enabled })));
        },
      ),
      { numRuns: 50 },
    );
  });

  test('is asked one by one where one unit does not exist, at which systemd 252 ends', async () => {
    const host = machine({ files: ['lxd.service'] });
    fakeSystemd(host).install.set('lxd.service', []);

    expect(await unitStates(host, ['lxd.socket', 'lxd.service'])).toEqual([
      { unit: 'lxd.socket', enabled: 'not-found' },
      { unit: 'lxd.service', enabled: 'disabled' },
    ]);
  });

  test('is an error where a unit is there and nothing is said of it, and never unknown', async () => {
    const host = machine();
    fakeSystemd(host).failing.set('is-enabled', 'Failed to connect to bus: Connection timed out');

    await expect(unitStates(host, units)).rejects.toMatchObject({
      problem: {
        code: 'service-manager-failed',
        asked: 'is-enabled lxd.socket',
        said: 'Failed to connect to bus: Connection timed out',
      },
    });
  });

  test('of no units is asked of nobody', async () => {
    const host = machine();

    expect(await unitStates(host, [])).toEqual([]);
    expect(await unitActivity(host, [])).toEqual([]);
    expect(host.log).toEqual([]);
  });
});

test('whether units are active is an error where it is not said of each', async () => {
  const host = machine();
  host.onRun(() => ({ stdout: Buffer.from('active\n') }));

  await expect(unitActivity(host, units)).rejects.toMatchObject({
    problem: { code: 'service-manager-failed', asked: 'is-active lxd.socket lxd.service' },
  });
});
