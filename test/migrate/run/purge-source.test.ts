// What --purge-source would remove is listed with sizes, and nothing else is removed.
import * as fs from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Failure } from '../../../src/core/failure.ts';
import type { Plan } from '../../../src/migrate/model/plan.ts';
import {
  purgedInWords,
  purgeSource,
  refuseMoreThanListed,
  whatWouldBePurged,
} from '../../../src/migrate/run/purge-source.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';

const note = '/var/lib/lxd/README.moved-to-incus';

function machine(simulated = 'Purg lxd [5.0.2]\nPurg lxd-client [5.0.2]\n'): FakeHost {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  host.writeFile('/var/log/lxd/c1/console.log', 'x');
  host.writeFile(note, '');
  host.machine.commands.set('apt-get', '/usr/bin/apt-get');
  host.onRun(([command, ...args], { input }) => {
    if (command === 'du') return { stdout: Buffer.from(`4096\t${String(input)}\n`) };
    if (command === 'apt-get') return { stdout: Buffer.from(args.includes('--simulate') ? simulated : '') };
    return undefined;
  });
  return host;
}

function plan(name = 'deb', ...kinds: string[]): Plan {
  return {
    source: { name, dataDirectory: '/var/lib/lxd' },
    steps: kinds.map((kind) => ({ kind })),
  } as unknown as Plan;
}

const packages = ['lxd', 'lxd-client'];
const logs = { path: '/var/log/lxd', bytes: 4096, why: 'not moved' };

test('of a server whose data was renamed are its logs and packages', async () => {
  expect(await whatWouldBePurged(machine(), plan())).toEqual({ folders: [logs], packages });
});

test('of a server whose data was copied is the old copy too', async () => {
  expect(await whatWouldBePurged(machine(), plan('deb', 'copy-directory'))).toEqual({
    folders: [{ path: '/var/lib/lxd', bytes: 4096, why: 'a copy of it is in Incus' }, logs],
    packages,
  });
});

test('of one that the person named is neither: its logs and its package may be those of another', async () => {
  expect(await whatWouldBePurged(machine(), plan('given'))).toEqual({ folders: [], packages: [] });
});

test('is removed, with the note, and the empty directory', async () => {
  const host = machine();
  const listed = await whatWouldBePurged(host, plan());

  await refuseMoreThanListed(host, plan(), listed);
  await purgeSource(host, plan(), listed, () => {});

  expect(['/var/log/lxd', '/var/lib/lxd'].filter((path) => fs.existsSync(host.path(path)))).toEqual([]);
  expect(host.log.filter(({ text }) => text.startsWith('apt-get --yes')).map(({ text }) => text)).toEqual([
    'apt-get --yes --quiet purge lxd lxd-client',
  ]);
});

test('is refused where somebody put something into the directory of LXD', async () => {
  const host = machine();
  const listed = await whatWouldBePurged(host, plan());
  host.writeFile('/var/lib/lxd/mine', 'precious');

  const error = await refuseMoreThanListed(host, plan(), listed).catch((caught: unknown) => caught);

  expect((error as Failure).problem).toEqual({ code: 'purge-refused', because: ['/var/lib/lxd/mine'] });
});

test('is refused where more packages would go than were listed', async () => {
  const host = machine('Purg lxd [5]\nRemv cloud-thing [1]\n');

  const error = await refuseMoreThanListed(host, plan(), { folders: [], packages: ['lxd'] }).catch(
    (caught: unknown) => caught,
  );

  expect((error as Failure).problem).toEqual({ code: 'purge-refused', because: ['package cloud-thing'] });
});

test('is said as what was removed, and no more', () => {
  expect(purgedInWords({ folders: [logs], packages })).toBe(
    'Removed: package lxd, package lxd-client, /var/log/lxd.',
  );
  expect(purgedInWords({ folders: [], packages: [] })).toBe(
    'Nothing more of LXD was left. No package of LXD was removed: a program that was installed in another way is still there.',
  );
});

describe('what apt-get cannot say', () => {
  function failing(): FakeHost {
    const host = machine();
    host.onRun(([command, verb]) =>
      command === 'apt-get' && verb === '--simulate'
        ? { status: 100, stderr: Buffer.from('E: Unable to acquire the dpkg frontend lock') }
        : undefined,
    );
    return host;
  }

  test('is an error before anything begins, and not "no packages"', async () => {
    await expect(whatWouldBePurged(failing(), plan())).rejects.toMatchObject({
      problem: { code: 'command-failed', status: 100 },
    });
  });

  test('after the move keeps everything', async () => {
    const listed = { folders: [logs], packages };

    await expect(refuseMoreThanListed(failing(), plan(), listed)).rejects.toMatchObject({
      problem: {
        code: 'purge-refused',
        because: [expect.stringContaining('Unable to acquire the dpkg frontend lock')],
      },
    });
  });
});

test('of two packages only the one that dpkg knows is asked for, since apt-get fails at an unknown name', async () => {
  const host = machine('Purg lxd [5.0.2]\n');
  host.writeFile('/var/lib/dpkg/info/lxd.list', '');

  await whatWouldBePurged(host, plan());

  expect(host.log.map(({ text }) => text)).toContain('apt-get --simulate --quiet purge lxd');
});
