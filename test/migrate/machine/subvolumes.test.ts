// What btrfs does not say of a subvolume that is there is an error, and not that it is gone.
import { expect, onTestFinished, test } from 'vitest';
import { describeSubvolume } from '../../../src/migrate/machine/subvolumes.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';

function machine(stderr: string): FakeHost {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  host.onRun(() => ({ status: 1, stderr: Buffer.from(stderr) }));
  return host;
}

test('one that is gone is none', async () => {
  const host = machine('ERROR: cannot find real path for /p/one: No such file or directory');

  expect(await describeSubvolume(host, '/p', 'one')).toBeUndefined();
});

test('a folder is none', async () => {
  const host = machine('ERROR: Not a Btrfs subvolume: Invalid argument');
  host.writeFile('/p/one/file', '');

  expect(await describeSubvolume(host, '/p', 'one')).toBeUndefined();
});

test('one that is there and cannot be asked is an error', async () => {
  const host = machine('ERROR: cannot open /p/one: Input/output error');
  host.writeFile('/p/one/file', '');

  await expect(describeSubvolume(host, '/p', 'one')).rejects.toMatchObject({
    problem: { code: 'command-failed', stderr: expect.stringContaining('Input/output error') },
  });
});
