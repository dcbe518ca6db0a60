// Which LXD and which Incus are on a machine, by its files; and how they are started.
import * as fs from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import { versionOf } from '../../../src/migrate/detect/incus.ts';
import { type Detected, type DetectOptions, find, withServices } from '../../../src/migrate/detect/index.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';

function machine(...files: string[]): FakeHost {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  for (const file of files) {
    if (file.endsWith('/')) fs.mkdirSync(host.path(file), { recursive: true });
    else host.writeFile(file, '');
  }
  return host;
}

function withSystemd(host: FakeHost, ...units: string[]): FakeHost {
  host.machine.commands.set('systemctl', '/usr/bin/systemctl');
  host.onRun((argv) => (argv.join(' ') === 'systemctl list-unit-files' ? { status: 0 } : undefined));
  host.onRun(([command, verb, ...names]) =>
    command === 'systemctl' && verb === 'is-active'
      ? { status: 3, stdout: Buffer.from(names.map(() => 'inactive\n').join('')) }
      : undefined,
  );
  for (const unit of units) host.writeFile(`/lib/systemd/system/${unit}`, '[Unit]\n');
  return host;
}

function detected(host: FakeHost, options: DetectOptions = {}): Promise<Detected> {
  return withServices(host, find(host, options), options.services);
}

function problemOf(action: () => unknown): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return error instanceof Failure ? error.problem : error;
  }
}

const deb = ['/var/lib/dpkg/info/lxd.list', '/var/lib/lxd/database/'];
const incusDeb = ['/var/lib/dpkg/info/incus-base.list', '/usr/libexec/incus/incusd'];

describe('a source', () => {
  test('of a Debian package is found by its list and its directory', () => {
    expect(find(machine(...deb, '/usr/bin/lxd'), {}).source).toMatchObject({
      role: 'source',
      name: 'deb',
      evidence: ['/var/lib/dpkg/info/lxd.list', '/var/lib/lxd'],
      dataDirectory: '/var/lib/lxd',
      sockets: ['/var/lib/lxd/unix.socket'],
      program: '/usr/bin/lxd',
    });
  });

  test('of a removed package, whose list remains, is found; its helpers have the name that the program had', () => {
    expect(find(machine(...deb), {}).source).toMatchObject({ name: 'deb', program: '/usr/bin/lxd' });
  });

  test('of a purged package, whose data remain, is found by its database', () => {
    expect(find(machine('/var/lib/lxd/database/'), {}).source).toMatchObject({
      name: 'manual',
      evidence: ['/var/lib/lxd/database'],
    });
  });

  test('built by hand is found, with its program', () => {
    expect(find(machine('/var/lib/lxd/database/', '/usr/local/bin/lxd'), {}).source).toMatchObject({
      name: 'manual',
      program: '/usr/local/bin/lxd',
    });
  });

  test('is not a package that was never started', () => {
    expect(problemOf(() => find(machine('/var/lib/dpkg/info/lxd.list'), {}))).toMatchObject({
      code: 'no-source',
    });
  });

  test('described in two ways is one, and either name can be given', () => {
    const host = machine(...deb);

    expect(find(host, {}).source.name).toBe('deb');
    expect(find(host, { source: 'manual' }).source.name).toBe('manual');
  });

  test('of a name that is not there is refused with the names that are', () => {
    expect(problemOf(() => find(machine(...deb), { source: 'snap' }))).toEqual({
      code: 'installation-unknown',
      role: 'source',
      name: 'snap',
      names: ['deb', 'manual'],
    });
  });

  test('that is named is taken as it is, without a look for others', () => {
    const { source } = find(machine(...deb), { lxdDir: '/srv/lxd' });

    expect(source).toMatchObject({ name: 'given', dataDirectory: '/srv/lxd', program: undefined, units: [] });
  });

  test.each([
    ['/srv/lxd/', '/srv/lxd'],
    ['/srv//lxd', '/srv/lxd'],
    ['/srv/other/../lxd/.', '/srv/lxd'],
    ['/var/lib/lxd//', '/var/lib/lxd'],
    ['/', '/'],
  ])('named %s has the directory %s', (given, directory) => {
    expect(find(machine(), { lxdDir: given }).source.dataDirectory).toBe(directory);
  });

  test('named by a relative path is found from where the command runs', () => {
    expect(find(machine(), { lxdDir: 'copy' }).source.dataDirectory).toBe(`${process.cwd()}/copy`);
  });
});

describe('several', () => {
  function running(host: FakeHost, argv: string[], environment: string): FakeHost {
    host.machine.processes.push({
      pid: 77,
      parent: 1,
      argv,
      program: `/opt/bin/${argv[0]?.split('/').at(-1)}`,
      sameMountNamespace: true,
      samePidNamespace: true,
    });
    host.writeFile('/proc/77/environ', `PATH=/bin\0${environment}\0`);
    return host;
  }

  test('sources are named, and one is to be chosen by its name', () => {
    const host = running(
      machine(...deb, '/srv/lxd/database/'),
      ['lxd', '--group', 'lxd'],
      'LXD_DIR=/srv/lxd',
    );

    expect(problemOf(() => find(host, {}))).toEqual({
      code: 'several-installations',
      role: 'source',
      names: ['deb', '/srv/lxd'],
    });
    expect(find(host, { source: 'deb' }).source.dataDirectory).toBe('/var/lib/lxd');
    expect(find(host, { source: '/srv/lxd' }).source).toMatchObject({
      dataDirectory: '/srv/lxd',
      evidence: ['process 77'],
      program: '/opt/bin/lxd',
      units: [],
    });
  });

  test('targets are named, and one is to be chosen by its name', () => {
    const host = running(
      machine(...deb, ...incusDeb, '/srv/incus/database/'),
      ['/opt/bin/incusd'],
      'INCUS_DIR=/srv/incus',
    );

    expect(problemOf(() => find(host, {}))).toMatchObject({ role: 'target', names: ['deb', '/srv/incus'] });
    expect(find(host, { target: '/srv/incus' }).target).toMatchObject({
      dataDirectory: '/srv/incus',
      runtimeDirectory: '/srv/incus/run',
      program: '/opt/bin/incusd',
      units: [],
    });
  });

  test.each([
    ['a unit', '/etc/systemd/system/lxd.service', '[Service]\nEnvironment=LXD_DIR=/srv/lxd/\n'],
    [
      'what is dropped in beside a unit',
      '/etc/systemd/system/lxd.service.d/dir.conf',
      '[Service]\nEnvironment="A=b" "LXD_DIR=/srv/lxd"\n',
    ],
  ])('can be the doing of %s, which then starts that one', (_what, file, content) => {
    const host = machine('/srv/lxd/database/');
    host.writeFile(file, content);

    expect(find(host, {}).source).toMatchObject({
      name: '/srv/lxd',
      dataDirectory: '/srv/lxd',
      evidence: [file],
      units: ['lxd.socket', 'lxd.service'],
    });
  });

  test.each([
    ['a daemon of the usual directory', ['lxd', '--group', 'lxd'], 'LXD_DIR='],
    ['a link to the usual directory', ['lxd'], 'LXD_DIR=/srv/link'],
    ['a directory without a database', ['lxd'], 'LXD_DIR=/srv/none'],
    ['a directory whose data has moved', ['lxd'], 'LXD_DIR=/srv/moved'],
    ['a command', ['lxd', 'waitready'], 'LXD_DIR=/srv/lxd'],
    ['a helper', ['lxd', 'forkproxy'], 'LXD_DIR=/srv/lxd'],
  ])('are not because of %s', (_what, argv, environment) => {
    const host = running(
      machine(...deb, '/srv/lxd/database/', '/srv/moved/database/', '/srv/moved/README.moved-to-incus'),
      argv,
      environment,
    );
    fs.symlinkSync(host.path('/var/lib/lxd'), host.path('/srv/link'));

    expect(find(host, {}).source.name).toBe('deb');
  });
});

describe('without an LXD', () => {
  test('it is said what was looked for', () => {
    const problem = problemOf(() => find(machine('/var/lib/lxd-data/'), {}));

    expect(problem).toMatchObject({ code: 'no-source', plainLxc: false });
    expect((problem as { looked: string[] }).looked).toHaveLength(2);
    expect((problem as { elsewhere: string[] }).elsewhere).toEqual([]);
  });

  test('that runs, data of one is named with the option that takes it', () => {
    const directory = '/var/snap/lxd/common/lxd';
    const host = machine(`${directory}/database/`);

    expect(problemOf(() => find(host, {}))).toMatchObject({ elsewhere: [directory] });
    expect(() => find(host, {})).toThrow(
      `There is data of an LXD that does not run in ${directory}. Start that LXD, or name the directory with --lxd-dir.`,
    );
  });

  test('a directory whose data has moved is none', () => {
    const directory = '/var/snap/lxd/common/lxd';
    const host = machine(`${directory}/database/`, `${directory}/README.moved-to-incus`);

    expect(problemOf(() => find(host, {}))).toMatchObject({ elsewhere: [] });
  });

  test('containers of plain LXC are pointed to their own tool', () => {
    const error = (() => {
      try {
        find(machine('/var/lib/lxc/c1/config'), {});
        return undefined;
      } catch (reason) {
        return reason;
      }
    })();

    expect(error).toBeInstanceOf(Failure);
    expect((error as Failure).problem).toMatchObject({ code: 'no-source', plainLxc: true });
    expect((error as Failure).message).toContain('lxc-to-incus');
  });

  test('an empty folder of plain LXC is nothing', () => {
    expect(problemOf(() => find(machine('/var/lib/lxc/'), {}))).toMatchObject({ plainLxc: false });
  });
});

describe('a target', () => {
  test.each([
    ['incus-base.list', '/var/lib/dpkg/info/incus-base.list'],
    ['incus.list', '/var/lib/dpkg/info/incus.list'],
  ])('of a Debian package is found by %s', (_name, list) => {
    expect(find(machine(...deb, list, '/usr/libexec/incus/incusd'), {}).target).toMatchObject({
      name: 'deb',
      evidence: [list],
      dataDirectory: '/var/lib/incus',
      runtimeDirectory: '/run/incus',
      sockets: ['/run/incus/unix.socket', '/var/lib/incus/unix.socket'],
      program: '/usr/libexec/incus/incusd',
    });
  });

  test('whose package was removed, but not purged, is none', () => {
    expect(find(machine(...deb, '/var/lib/dpkg/info/incus-base.list'), {}).target).toBeUndefined();
  });

  test.each([
    '/usr/libexec/incus/incusd',
    '/opt/incus/bin/incusd',
    '/usr/lib/incus/incusd',
    '/usr/bin/incusd',
  ])('built by hand is found by %s', (program) => {
    expect(find(machine(...deb, program), {}).target).toMatchObject({ name: 'manual', program });
  });

  test('that is not there is none', () => {
    expect(find(machine(...deb), {}).target).toBeUndefined();
  });

  test('that is named keeps its runtime files below its own directory, and has no units', () => {
    expect(find(machine(...deb), { incusDir: '/srv/incus/' }).target).toMatchObject({
      name: 'given',
      dataDirectory: '/srv/incus',
      runtimeDirectory: '/srv/incus/run',
      units: [],
    });
  });

  test('that is named by the usual directory is the usual one', () => {
    expect(find(machine(...deb), { incusDir: '/var/lib/incus' }).target).toMatchObject({
      runtimeDirectory: '/run/incus',
      units: expect.arrayContaining(['incus.service']) as unknown,
    });
  });

  test('has the program that the user names, before every other', () => {
    const host = machine(...deb, ...incusDeb);

    expect(find(host, { incusd: '/home/me/incusd' }).target?.program).toBe('/home/me/incusd');
    expect(find(machine(...deb), { incusd: '/home/me/incusd' }).target).toMatchObject({
      name: 'manual',
      program: '/home/me/incusd',
    });
  });
});

describe('the daemon of a unit', () => {
  function programBy(unit: string, files: Readonly<Record<string, string>> = {}): string | undefined {
    const host = machine(...deb, '/var/lib/dpkg/info/incus-base.list');
    host.writeFile('/lib/systemd/system/incus.service', unit);
    for (const [path, content] of Object.entries(files)) host.writeFile(path, content);
    return find(host, {}).target?.program;
  }

  test('is the program that it starts', () => {
    expect(programBy('[Service]\nExecStart=/usr/libexec/incus/incusd --group incus-admin\n')).toBe(
      '/usr/libexec/incus/incusd',
    );
    expect(programBy('ExecStart=-/opt/x/incusd\n')).toBe('/opt/x/incusd');
    expect(programBy('ExecStart=\nExecStart=@/opt/y/incusd incusd\n')).toBe('/opt/y/incusd');
  });

  test('is what a wrapper script runs in the end', () => {
    const wrapper =
      '#!/bin/sh\n# was /old/bin/incusd once\n[ -x /opt/a/incusd ] || exit 1\nexec "/opt/incus/bin/incusd" "$@"\n';

    expect(
      programBy('ExecStart=/opt/incus/lib/start-incus\n', { '/opt/incus/lib/start-incus': wrapper }),
    ).toBe('/opt/incus/bin/incusd');
  });

  test('is what a wrapper script runs that has the same name', () => {
    expect(
      programBy('ExecStart=/opt/incus/lib/systemd/incusd --group x\n', {
        '/opt/incus/lib/systemd/incusd':
          '#!/bin/sh\nexport PATH=/opt/incus/bin\nexec /opt/incus/bin/incusd "$@"\n',
      }),
    ).toBe('/opt/incus/bin/incusd');
  });

  test('is a known place where a wrapper does not say it', () => {
    expect(
      programBy('ExecStart=/opt/incus/lib/systemd/incusd\n', {
        '/opt/incus/lib/systemd/incusd': '#!/bin/sh\nPATH=/opt/incus/bin exec incusd "$@"\n',
        '/opt/incus/bin/incusd': '\u007fELF',
      }),
    ).toBe('/opt/incus/bin/incusd');
  });

  test('is a known place where the unit is of no help', () => {
    const known = { '/usr/lib/incus/incusd': '\u007fELF' };

    expect(programBy('[Service]\n', known)).toBe('/usr/lib/incus/incusd');
    expect(programBy('ExecStart=/gone/wrapper\n', known)).toBe('/usr/lib/incus/incusd');
    expect(programBy('ExecStart=/a/folder\n', { '/a/folder/file': '', ...known })).toBe(
      '/usr/lib/incus/incusd',
    );
  });
});

describe('the version of a daemon', () => {
  test.each([
    ['6.0.4\n', '6.0.4'],
    ['incusd version 7.0.2-debian\n', '7.0.2'],
    ['no version', undefined],
  ])('that prints %j is %s', async (stdout, version) => {
    const host = machine();
    host.onRun(() => ({ stdout: Buffer.from(stdout) }));

    expect(await versionOf(host, '/usr/bin/incusd')).toBe(version);
    expect(host.log).toEqual([{ kind: 'run', text: '/usr/bin/incusd --version' }]);
  });

  test('that cannot be run is unknown', async () => {
    expect(await versionOf(machine(), '/usr/bin/incusd')).toBeUndefined();
  });
});

describe('starting and stopping', () => {
  test('is by the units that exist, in their own order', async () => {
    const host = withSystemd(
      machine(...deb, ...incusDeb),
      'lxd.service',
      'lxd.socket',
      'incus.service',
      'incus-startup.service',
    );

    const { source, target } = await detected(host);

    expect(source.service).toEqual({
      kind: 'systemd',
      units: ['lxd.socket', 'lxd.service'],
      start: ['lxd.socket', 'lxd.service'],
    });
    expect(target?.service).toEqual({
      kind: 'systemd',
      units: ['incus-startup.service', 'incus.service'],
      start: ['incus.service', 'incus-startup.service'],
    });
    expect(source).not.toHaveProperty('units');
  });

  test('is unknown where systemctl is missing, or fails', async () => {
    const missing = machine(...deb);
    missing.writeFile('/lib/systemd/system/lxd.service', '');
    const failing = withSystemd(machine(...deb), 'lxd.service');
    failing.onRun(() => ({ status: 1 }));

    expect((await detected(missing)).source.service).toEqual({ kind: 'none' });
    expect((await detected(failing)).source.service).toEqual({ kind: 'none' });
  });

  test('is unknown where no unit exists', async () => {
    expect((await detected(withSystemd(machine(...deb)))).source.service).toEqual({ kind: 'none' });
  });

  test('of a directory that is not the usual one is not by the units of the usual one', async () => {
    const host = withSystemd(machine(...deb), 'lxd.service');

    expect((await detected(host, { lxdDir: '/srv/lxd' })).source.service).toEqual({ kind: 'none' });
  });

  test('is as the user says, where he says it', async () => {
    const host = withSystemd(machine(...deb, ...incusDeb), 'lxd.service', 'incus.service');
    const commands = { kind: 'commands', start: [['a']], stop: [['b']] } as const;

    const { source, target } = await detected(host, {
      services: { source: commands, target: { kind: 'none' } },
    });

    expect(source.service).toEqual(commands);
    expect(target?.service).toMatchObject({ kind: 'systemd' });
  });
});
