// What a copy takes is asked of du, however many subvolumes there are.
import { expect, onTestFinished, test } from 'vitest';
import { bytesOf } from '../../../src/migrate/machine/measure-copy.ts';
import { fakeHost } from '../../fakes/fake-host.ts';

/** @returns what du was asked for, a list a call */
async function measured(...subvolumes: string[]): Promise<{ bytes: number; asked: string[][] }> {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  const asked: string[][] = [];
  host.onRun((argv, { input }) => {
    if (argv[0] !== 'du') return undefined;
    expect(argv.join(' ').length).toBeLessThan(1_000);
    const folders = (input?.toString() ?? '').split('\0').slice(0, -1);
    asked.push(folders);
    return { stdout: Buffer.from(folders.map((folder) => `10\t${folder}\n`).join('')) };
  });
  const bytes = await bytesOf(
    host,
    '/lxd',
    subvolumes.map((path) => `/lxd/${path}`),
  );
  return { bytes, asked };
}

test('a directory without subvolumes is one question', async () => {
  expect(await measured()).toEqual({ bytes: 10, asked: [['/lxd']] });
});

test('each outermost subvolume is asked for with all that lie in it, and with no neighbour of a like name', async () => {
  const { bytes, asked } = await measured('p', 'p-2', 'p/c1', 'p/c1/nested', 'q/c1');

  expect(asked).toEqual([['/lxd'], ['/lxd/p', '/lxd/p/c1', '/lxd/p/c1/nested'], ['/lxd/p-2'], ['/lxd/q/c1']]);
  expect(bytes).toBe(60);
});

test('twenty thousand snapshots go to du as its input, and not as arguments', async () => {
  const snapshots = Array.from({ length: 20_000 }, (_, index) => `p/containers-snapshots/c1/auto-${index}`);

  const { bytes, asked } = await measured('p', ...snapshots);

  expect(asked.map((folders) => folders.length)).toEqual([1, 20_001]);
  expect(bytes).toBe(200_020);
});
