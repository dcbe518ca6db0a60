// Commands: what counts as success, what ends them, and that no argument is ever interpreted.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Failure } from '../../src/core/failure.ts';
import { run } from '../../src/core/run.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const limit = { timeoutMs: 10_000 };

async function problemOf(promise: Promise<unknown>): Promise<unknown> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof Failure ? error.problem : error;
}

test('output comes back as bytes, both streams apart', async () => {
  const result = await run(['sh', '-c', String.raw`printf '\377\000a'; printf err >&2`], limit);

  expect(result.status).toBe(0);
  expect([...result.stdout]).toEqual([255, 0, 97]);
  expect(result.stderr.toString()).toBe('err');
});

test('a command that does not exist is named', async () => {
  expect(await problemOf(run(['no-such-command-here', 'x'], limit))).toEqual({
    code: 'command-missing',
    command: 'no-such-command-here',
  });
});

test('a file that cannot be executed is a known failure', async () => {
  const path = join(temporaryFolder(), 'plain-file');
  writeFileSync(path, 'no program', { mode: 0o644 });

  expect(await problemOf(run([path], limit))).toEqual({
    code: 'command-not-started',
    command: path,
    errno: 'EACCES',
  });
});

test('a missing folder to run in is not taken for a missing command', async () => {
  const cwd = join(temporaryFolder(), 'gone');

  expect(await problemOf(run(['true'], { ...limit, cwd }))).toEqual({
    code: 'command-not-started',
    command: 'true',
    errno: 'ENOENT',
  });
});

test('a status other than 0 is a failure that holds status and standard error', async () => {
  const problem = await problemOf(run(['sh', '-c', 'echo why >&2; exit 7'], limit));

  expect(problem).toMatchObject({ code: 'command-failed', status: 7, stderr: 'why\n' });
});

test.each([{ accept: [3, 7] }, { accept: 'any' }] as const)(
  'a status in $accept is an answer',
  async ({ accept }) => {
    const { status } = await run(['sh', '-c', 'exit 7'], { ...limit, accept });

    expect(status).toBe(7);
  },
);

test('a status that is not in the accepted ones is a failure', async () => {
  expect(await problemOf(run(['sh', '-c', 'exit 7'], { ...limit, accept: [3] }))).toMatchObject({
    code: 'command-failed',
  });
});

test('a command ended by a signal is a failure, whatever statuses are accepted', async () => {
  const problem = await problemOf(
    run(['sh', '-c', 'echo last words >&2; kill -TERM $$'], { ...limit, accept: 'any' }),
  );

  expect(problem).toMatchObject({ code: 'command-killed', signal: 'SIGTERM', stderr: 'last words\n' });
});

test('a time-out kills the command and the children that it started', async () => {
  const mark = join(temporaryFolder(), 'mark');
  const script = `echo last words; (sleep 0.4; touch "$1") & sleep 30`;

  const problem = await problemOf(run(['sh', '-c', script, 'sh', mark], { timeoutMs: 150 }));
  await new Promise((resolve) => setTimeout(resolve, 500));

  expect(problem).toMatchObject({ code: 'command-timeout', limitMs: 150, printed: 'last words\n' });
  expect(existsSync(mark)).toBe(false);
});

test('a time-out also holds where a child left the process group and keeps the output open', async () => {
  const begun = performance.now();

  const problem = await problemOf(run(['sh', '-c', 'setsid sleep 2 & exec sleep 30'], { timeoutMs: 150 }));

  expect(problem).toMatchObject({ code: 'command-timeout' });
  expect(performance.now() - begun).toBeLessThan(1_500);
});

test('more output than allowed ends the command', async () => {
  const problem = await problemOf(run(['yes'], { ...limit, maxOutputBytes: 10_000 }));

  expect(problem).toMatchObject({ code: 'command-output-too-large', limitBytes: 10_000 });
});

test('both streams count together against the limit', async () => {
  const script = 'head -c 600 /dev/zero; head -c 600 /dev/zero >&2';

  expect(await problemOf(run(['sh', '-c', script], { ...limit, maxOutputBytes: 1_000 }))).toMatchObject({
    code: 'command-output-too-large',
  });
  expect((await run(['sh', '-c', script], { ...limit, maxOutputBytes: 1_200 })).status).toBe(0);
});

test('hostile arguments arrive as they are: no shell reads them', async () => {
  const folder = temporaryFolder();
  const hostile = [
    '$(touch pwned)',
    '`touch pwned`',
    '; touch pwned',
    '| touch pwned',
    '&& touch pwned',
    '> pwned',
    '*',
    '~',
    '$HOME',
    "it's",
    '"quoted"',
    'two  blanks',
    'line\nbreak',
    '',
    '-n',
    '\u001b[31mred',
    'ünïcode\u202e',
  ] as const;

  const { stdout } = await run(['printf', '%s\\0', ...hostile], { ...limit, cwd: folder });

  expect(stdout.toString('utf8').split('\0').slice(0, -1)).toEqual(hostile);
  expect(existsSync(join(folder, 'pwned'))).toBe(false);
});

test('input is given whole; without one it is empty', async () => {
  const input = Buffer.alloc(300_000, 7);

  expect((await run(['cat'], { ...limit, input })).stdout.equals(input)).toBe(true);
  expect((await run(['cat'], limit)).stdout).toHaveLength(0);
});

test('a command that does not read its input is judged by its status', async () => {
  const input = Buffer.alloc(5_000_000);

  expect((await run(['true'], { ...limit, input })).status).toBe(0);
});

test('variables are added and removed, and the language is fixed', async () => {
  process.env['RUN_TEST_GONE'] = 'here';

  const script = 'echo "$RUN_TEST_NEW:$RUN_TEST_GONE:$LC_ALL"';

  const { stdout } = await run(['sh', '-c', script], {
    ...limit,
    env: { RUN_TEST_NEW: 'new', RUN_TEST_GONE: undefined },
  });
  delete process.env['RUN_TEST_GONE'];

  expect(stdout.toString()).toBe('new::C\n');
});

test('a command that may stay is not waited for beyond its end, nor killed, when it leaves a process behind', async () => {
  const file = join(temporaryFolder(), 'written-later');

  await run(['sh', '-c', '(sleep 0.5; echo still here > "$1") &', 'sh', file], {
    timeoutMs: 10,
    mayStay: true,
  });

  expect(existsSync(file)).toBe(false);
  await expect.poll(() => existsSync(file), { timeout: 5_000 }).toBe(true);
});

test('a command that may stay is a failure when it ends with another status', async () => {
  expect(await problemOf(run(['sh', '-c', 'exit 3'], { ...limit, mayStay: true }))).toMatchObject({
    code: 'command-failed',
    status: 3,
  });
});
