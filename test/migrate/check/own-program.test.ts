import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { checkOwnProgram, isPassing } from '../../../src/migrate/check/own-program.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

let host: FakeHost;
beforeEach(() => {
  const made = fakeHost();
  onTestFinished(() => made.dispose());
  host = made;
});

/** A program as a packed archive lays it out, in a folder of the real machine. */
function packed(): { script: string; node: string; launcher: string } {
  const root = temporaryFolder();
  fs.mkdirSync(join(root, 'bin'));
  const [script, node, launcher] = ['bin/lxd-to-incus.js', 'bin/node', 'lxd-to-incus'].map((name) => {
    fs.writeFileSync(join(root, name), '', { mode: 0o755 });
    return join(root, name);
  }) as [string, string, string];
  return { script, node, launcher };
}

describe('another program of this name', () => {
  const id = 'another-program-of-this-name';

  test('that comes first in PATH is named, with how to start this one', () => {
    const program = packed();
    host.writeFile('/usr/bin/lxd-to-incus', '');
    host.machine.commands.set('lxd-to-incus', '/usr/bin/lxd-to-incus');

    const finding = checkOwnProgram(host, program).find((one) => one.id === id);

    expect(finding).toMatchObject({ severity: 'note', objects: ['/usr/bin/lxd-to-incus'] });
    expect(finding?.action).toContain(program.launcher);
  });

  test.each([
    ['is not there', () => undefined],
    [
      'is this one, through a link',
      (launcher: string) => {
        fs.symlinkSync(launcher, join(host.root, 'link'));
        host.machine.commands.set('lxd-to-incus', '/link');
      },
    ],
  ])('%s: nothing is said', (_name, arrange) => {
    const program = packed();
    arrange(program.launcher);

    expect(checkOwnProgram(host, program).map((one) => one.id)).not.toContain(id);
  });
});

describe('a place that does not last', () => {
  test.each([
    ['/tmp/lxd-to-incus-0.1.0/lxd-to-incus', true],
    ['/var/tmp/x/lxd-to-incus', true],
    ['/run/x/lxd-to-incus', true],
    ['/root/.npm/_npx/0123/node_modules/lxd-to-incus/bin/lxd-to-incus.js', true],
    ['/memory/x/lxd-to-incus', true],
    ['/memory/disk/lxd-to-incus', false],
    ['/opt/lxd-to-incus/lxd-to-incus', false],
    ['/tmpfiles/lxd-to-incus', false],
  ])('%s: %s', (file, passing) => {
    host.machine.mounts = [
      { path: '/', type: 'tmpfs', device: 'tmpfs', root: '/' },
      { path: '/memory', type: 'tmpfs', device: 'tmpfs', root: '/' },
      { path: '/memory/disk', type: 'ext4', device: '/dev/vda', root: '/' },
    ];

    expect(isPassing(host, file)).toBe(passing);
  });

  test('is a note', () => {
    const { script, node, launcher } = packed();
    host.machine.mounts = [{ path: join(launcher, '..'), type: 'tmpfs', device: 'tmpfs', root: '/' }];

    expect(checkOwnProgram(host, { script, node })).toMatchObject([
      { id: 'program-in-passing-place', severity: 'note', objects: [launcher] },
    ]);
  });
});
