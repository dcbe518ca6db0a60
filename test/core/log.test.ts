// The log of a run: for this user only, complete, and without what a request carries.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loggedHost, loggedOutput, openLog } from '../../src/core/log.ts';
import { openOutput } from '../../src/core/output.ts';
import { type FakeHost, fakeHost } from '../fakes/fake-host.ts';
import { temporaryFolder } from '../temporary-folder.ts';

function logged(): { host: FakeHost; through: ReturnType<typeof loggedHost>; text: () => string } {
  const path = join(temporaryFolder(), 'log');
  const log = openLog(path, () => {});
  const host = fakeHost();
  onTestFinished(() => {
    log.close();
    host.dispose();
  });
  return { host, through: loggedHost(host, log), text: () => fs.readFileSync(path, 'utf8') };
}

test('a named pipe in its place is refused at once, with or without somebody who reads it', () => {
  const path = join(temporaryFolder(), 'log');
  execFileSync('mkfifo', [path]);
  expect(() => openLog(path, () => {})).toThrow(/ENXIO/);
  const reader = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  onTestFinished(() => fs.closeSync(reader));

  expect(() => openLog(path, () => {})).toThrow(/A file is expected here, and this is a named pipe/);
});

test('is readable by this user only, whatever the mask', () => {
  const path = join(temporaryFolder(), 'log');
  const before = process.umask(0);

  openLog(path, () => {}).close();
  process.umask(before);

  expect(fs.statSync(path).mode & 0o777).toBe(0o600);
});

test('is not written through a planted link', () => {
  const folder = temporaryFolder();
  fs.writeFileSync(join(folder, 'victim'), 'untouched');
  fs.symlinkSync(join(folder, 'victim'), join(folder, 'log'));

  expect(() => openLog(join(folder, 'log'), () => {})).toThrow(/ELOOP/);
  expect(fs.readFileSync(join(folder, 'victim'), 'utf8')).toBe('untouched');
});

test('is continued by a later run', () => {
  const path = join(temporaryFolder(), 'log');

  for (const text of ['first', 'second']) {
    const log = openLog(path, () => {});
    log.write(text);
    log.close();
  }

  expect(fs.readFileSync(path, 'utf8')).toMatch(/^\S+Z first\n\S+Z second\n$/);
});

test('cannot be forged by what it quotes: an entry begins where the tool began one', () => {
  const path = join(temporaryFolder(), 'log');
  const log = openLog(path, () => {});

  log.write('output\n2026-01-01T00:00:00.000Z forged\u001b[2J');
  log.close();

  const lines = fs.readFileSync(path, 'utf8').trimEnd().split('\n');
  expect(lines[1]).toBe('    2026-01-01T00:00:00.000Z forged\\u{1b}[2J');
});

test('holds every command with its status and output', async () => {
  const { host, through, text } = logged();
  host.onRun(() => ({ status: 3, stdout: Buffer.from('said\n'), stderr: Buffer.from('complained\n') }));

  await through.run(['umount', '--', '/x y'], { timeoutMs: 1, accept: [3] });

  expect(text()).toContain('$ umount -- /x y');
  expect(text()).toContain('status 3');
  expect(text()).toContain('said');
  expect(text()).toContain('complained');
});

test('holds the command that failed, and passes the failure on', async () => {
  const { through, text } = logged();

  await expect(through.run(['gone'], { timeoutMs: 1 })).rejects.toThrow(/gone/);

  expect(text()).toContain('$ gone');
  expect(text()).toMatch(/not on this machine/);
});

test('holds changes through an API with their status, never what they carry', async () => {
  const { host, through, text } = logged();
  host.onRequest(() => ({ status: 200, body: Buffer.from('{"metadata":"ANSWER-SECRET"}') }));

  for (const [index, method] of (['PUT', 'POST', 'PATCH', 'DELETE'] as const).entries()) {
    await through.request('/run/socket', {
      method,
      path: `/1.0/instances/c${index}`,
      body: { config: { 'user.secret': 'BODY-SECRET' } },
      content: Buffer.from('CONTENT-SECRET'),
      headers: { Authorization: 'HEADER-SECRET' },
      timeoutMs: 1,
    });
    expect(text()).toContain(`${method} /1.0/instances/c${index} on /run/socket: 200`);
  }

  expect(text()).not.toContain('SECRET');
});

test('a request that fails is written down without what it carried', async () => {
  const { through, text } = logged();
  const request = { method: 'PUT', path: '/1.0', body: 'BODY-SECRET', timeoutMs: 1 } as const;

  await expect(through.request('/run/socket', request)).rejects.toThrow(/ENOENT/);

  expect(text()).toContain('PUT /1.0 on /run/socket: connect ENOENT');
  expect(text()).not.toContain('SECRET');
});

test('holds every signal', () => {
  const { host, through, text } = logged();

  through.signal(4711, 'SIGTERM');

  expect(text()).toContain('signal SIGTERM to process 4711');
  expect(host.log).toEqual([{ kind: 'signal', text: 'SIGTERM 4711' }]);
});

test('what a full disk does not take is left out, and said once', () => {
  const warnings: string[] = [];
  const log = openLog('/dev/full', (text) => warnings.push(text));

  log.write('first');
  log.write('second');
  log.close();

  expect(warnings).toEqual(['Could not write all of the log: ENOSPC.\n/dev/full']);
});

test('holds what was shown, without colours and whether or not anybody could read it', () => {
  // Arrange
  const path = join(temporaryFolder(), 'log');
  const log = openLog(path, () => {});
  const shown: string[] = [];
  const silent = { line: (text: string) => shown.push(text), message: (text: string) => shown.push(text) };
  const output = loggedOutput({ ...openOutput({ json: false, colour: false }), ...silent }, log);

  // Act
  output.line('\u001b[32mMoved\u001b[0m and verified\nin 2 s');
  output.message('The terminal is gone.');
  log.close();
  output.message('after the end');

  // Assert
  expect(shown).toHaveLength(3);
  expect(fs.readFileSync(path, 'utf8')).toMatch(
    /^\S+Z Moved and verified\n {4}in 2 s\n\S+Z The terminal is gone\.\n$/,
  );
});
