// A copy ends when both sides are the same, says how far it is, and can be stopped; flags of files come along.
import * as fs from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Failure } from '../../../src/core/failure.ts';
import { copyOnce, copyTree, dropTree, progressBar } from '../../../src/migrate/machine/copy-tree.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';

function machine(): FakeHost {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  for (const path of ['/from/storage-pools/p/containers/c1', '/from/disks', '/to'])
    fs.mkdirSync(host.path(path), { recursive: true });
  host.onRun(([command]) => (command === 'sync' ? {} : undefined));
  return host;
}

const options = { bytes: 1000, say: () => {}, interrupted: () => false };
const runs = (host: FakeHost): string[] =>
  host.log.filter(({ kind }) => kind === 'run').map(({ text }) => text);
const problem = (error: unknown): unknown => (error as Failure).problem;

test('copies once and compares by content until nothing differs', async () => {
  const host = machine();
  const answers = ['', '>fc........ a\n', ''];
  host.onStart(() => ({ stdout: Buffer.from(answers.shift() ?? 'unexpected') }));

  await copyTree(host, '/from', '/to', options);

  const rsync = 'rsync -aHAXS --numeric-ids --delete --one-file-system --exclude=/lost+found';
  expect(runs(host)).toEqual([
    `${rsync} -- /from/ /to/`,
    `${rsync} --checksum --itemize-changes -- /from/ /to/`,
    `${rsync} --checksum --itemize-changes -- /from/ /to/`,
    'sync -f -- /to',
  ]);
});

test('gives up where both sides never agree', async () => {
  const host = machine();
  host.onStart(() => ({ stdout: Buffer.from('>fc........ a\n') }));

  const error = await copyTree(host, '/from', '/to', options).catch(problem);

  expect(error).toMatchObject({ code: 'copy-failed', from: '/from', to: '/to' });
});

test('fails with the last words of rsync', async () => {
  const host = machine();
  host.onStart(() => ({ status: 11, stdout: Buffer.from('write failed: No space left on device (28)\n') }));

  const error = await copyTree(host, '/from', '/to', options).catch(problem);

  expect(error).toMatchObject({
    code: 'copy-failed',
    why: expect.stringContaining('No space left on device'),
  });
});

test('of a folder that is in use takes no offence at files that went away', async () => {
  const host = machine();
  host.onStart(() => ({ status: 24, stdout: Buffer.from('file has vanished: "/from/x"\n') }));

  await copyOnce(host, '/from', '/to', options);

  expect(runs(host)).toHaveLength(1);
  host.onStart(() => ({ status: 11 }));
  expect(await copyOnce(host, '/from', '/to', options).catch(problem)).toMatchObject({ code: 'copy-failed' });
});

test('is stopped when the person asks for it', async () => {
  const host = machine();
  const killed: string[] = [];
  host.start = async () => ({
    pid: 1,
    write: () => {},
    tail: () => '',
    hasEnded: () => killed.length > 0,
    ended: Promise.resolve('signal SIGTERM'),
    kill: (signal) => void killed.push(signal),
  });

  const error = await copyTree(host, '/from', '/to', { ...options, interrupted: () => true }).catch(problem);

  expect(error).toMatchObject({ code: 'interrupted' });
  expect(killed).toEqual(['SIGTERM']);
});

describe('a copy that takes long', () => {
  /** An rsync that is at work, and ends by itself after so many minutes. */
  function copying(minutes: number, works: boolean): { host: FakeHost; killed: string[] } {
    const host = machine();
    const killed: string[] = [];
    host.start = async () => {
      const end = host.clock() + minutes * 60_000;
      return {
        pid: 1,
        write: () => {},
        tail: () => '',
        hasEnded: () => killed.length > 0 || host.clock() >= end,
        ended: host.sleep(0).then(() => (killed.length > 0 ? 'signal SIGKILL' : 'status 0')),
        kill: (signal) => void killed.push(signal),
      };
    };
    host.onSleep((clockMs) => {
      if (works) host.machine.work = `${clockMs}`;
    });
    return { host, killed };
  }

  test('goes on as long as it does something: two days and more', async () => {
    const { host, killed } = copying(3_000, true);

    await copyOnce(host, '/from', '/to', options);

    expect(killed).toEqual([]);
  });

  test('and does nothing any more is ended after half an hour, and says so', async () => {
    const { host, killed } = copying(3_000, false);

    const error = await copyOnce(host, '/from', '/to', options).catch(problem);

    expect(error).toMatchObject({ code: 'copy-failed', why: 'rsync did nothing for 30 min and was ended' });
    expect(killed).toEqual(['SIGKILL']);
    expect(host.clock()).toBeLessThan(40 * 60_000);
  });
});

test('ends the rsync of a run that was killed, and no other', async () => {
  const host = machine();
  const process = (pid: number, to: string) => ({
    pid,
    parent: 1,
    argv: ['rsync', '-a', '--', '/from/', to],
    program: '/usr/bin/rsync',
    sameMountNamespace: true,
    samePidNamespace: true,
  });
  host.machine.processes = [process(7, '/to/'), process(8, '/to-mine/')];
  host.onSignal((pid) => {
    host.machine.processes = host.machine.processes.filter((one) => one.pid !== pid);
  });
  host.onStart(() => ({}));

  await copyTree(host, '/from', '/to', options);

  expect(host.log.filter(({ kind }) => kind === 'signal').map(({ text }) => text)).toEqual(['SIGKILL 7']);
});

describe('flags', () => {
  test('that chattr can set come along, with project ids; those of the file system do not', async () => {
    const host = machine();
    for (const command of ['lsattr', 'chattr']) host.machine.commands.set(command, `/usr/bin/${command}`);
    host.onStart(() => ({}));
    const c1 = 'storage-pools/p/containers/c1';
    const listed: Record<string, string> = {
      [`/from/${c1}`]: `    7 -----------P---e------- /from/${c1}/.\n    0 --------------e------- /from/${c1}/..\n    0 ----i---------e------- /from/${c1}/etc/a b\n    0 -----a-------Ie------- /from/${c1}/log\n    0 --------------e------- /from/${c1}/plain\n`,
      [`/to/${c1}`]: `    0 -----a--------e------- /to/${c1}/log\n`,
    };
    host.onRun(([command, ...args]) => {
      if (command === 'lsattr') return { stdout: Buffer.from(listed[args.at(-1) ?? ''] ?? '') };
      return command === 'chattr' ? {} : undefined;
    });

    await copyTree(host, '/from', '/to', options);

    expect(runs(host).filter((text) => text.startsWith('chattr'))).toEqual([
      `chattr -p 7 -- /to/${c1}`,
      `chattr +i -- /to/${c1}/etc/a b`,
    ]);
  });
});

test('flags of very many files take few commands, each no longer than the kernel allows', async () => {
  const host = machine();
  for (const command of ['lsattr', 'chattr']) host.machine.commands.set(command, `/usr/bin/${command}`);
  host.onStart(() => ({}));
  const names = Array.from({ length: 20_000 }, (_, index) => `/etc/some/folder/file-${index}`);
  const [from, to] = ['/from/storage-pools/p/containers/c1', '/to/storage-pools/p/containers/c1'];
  const listed = names.map((name) => `    7 --------------e------- ${from}${name}\n`).join('');
  const commands: (readonly string[])[] = [];
  host.onRun((argv) => {
    if (argv[0] === 'lsattr') return { stdout: Buffer.from(argv.at(-1) === from ? listed : '') };
    if (argv[0] !== 'chattr') return undefined;
    commands.push(argv);
    return {};
  });

  await copyTree(host, '/from', '/to', options);

  expect(commands.flatMap((argv) => argv.slice(4))).toEqual(names.map((name) => `${to}${name}`));
  expect(commands.length).toBeLessThan(20);
  for (const argv of commands) expect(argv.join(' ').length).toBeLessThan(300_000);
});

describe('flags that lsattr does not tell', () => {
  const answered = (stderr: string): FakeHost => {
    const host = machine();
    for (const command of ['lsattr', 'chattr']) host.machine.commands.set(command, `/usr/bin/${command}`);
    host.onStart(() => ({}));
    host.onRun(([command]) =>
      command === 'lsattr' ? { status: 1, stderr: Buffer.from(stderr) } : undefined,
    );
    return host;
  };

  test.each([
    'lsattr: Operation not supported While reading flags on /from/link',
    'lsattr: Inappropriate ioctl for device While reading flags on /from/c1',
    'lsattr: No such file or directory While reading flags on /from/gone',
  ])('of what has none are none: %s', async (stderr) => {
    await expect(copyTree(answered(`${stderr}\n`), '/from', '/to', options)).resolves.not.toThrow();
  });

  test.each(['Input/output error', 'Permission denied', 'Too many open files'])(
    'because of an error are an error: %s',
    async (errno) => {
      const host = answered(`lsattr: ${errno} While reading flags on /from/c1\n`);

      await expect(copyTree(host, '/from', '/to', options)).rejects.toMatchObject({
        problem: { code: 'command-failed', stderr: expect.stringContaining(errno) },
      });
    },
  );
});

describe('what was copied', () => {
  test('is removed, or all of it but lost+found', async () => {
    const host = machine();
    host.writeFile('/to/a/b', '');
    host.writeFile('/to/lost+found/x', '');

    await dropTree(host, '/to', true);
    expect(fs.readdirSync(host.path('/to'))).toEqual(['lost+found']);

    await dropTree(host, '/to', false);
    expect(fs.existsSync(host.path('/to'))).toBe(false);
  });
});

test.each([
  [0, 1000, 0, '[--------------------] 0 % 0 B of 1000 B'],
  [250, 1000, 10_000, '[#####---------------] 25 % 250 B of 1000 B, 30.0 s left'],
  [2000, 1000, 10_000, '[####################] 100 % 2.0 KiB of 1000 B, 0.0 s left'],
])('a bar after %i of %i bytes', (done, total, elapsed, text) => {
  expect(progressBar(done, total, elapsed)).toBe(text);
});
