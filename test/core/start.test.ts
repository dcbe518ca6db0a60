import { describe, expect, it } from 'vitest';
import { start } from '../../src/core/start.ts';

describe('start', () => {
  it('gives what is written to the command, and keeps its last output from both streams', async () => {
    const started = await start([
      process.execPath,
      '-e',
      "process.stderr.write('err '); process.stdin.once('data', (text) => { process.stdout.write(text); process.exit(3); })",
    ]);

    started.write('told');

    expect(await started.ended).toBe('status 3');
    expect(started.hasEnded()).toBe(true);
    expect(started.tail()).toContain('err ');
    expect(started.tail()).toContain('told');
  });

  it('keeps only the end of a long output', async () => {
    const started = await start([process.execPath, '-e', "process.stdout.write('x'.repeat(300000) + 'end')"]);

    await started.ended;

    expect(started.tail().length).toBe(64 * 1024);
    expect(started.tail().endsWith('xend')).toBe(true);
  });

  it('names the signal that ended a command', async () => {
    const started = await start([process.execPath, '-e', 'setInterval(() => {}, 1000)']);

    started.kill('SIGKILL');

    expect(await started.ended).toBe('signal SIGKILL');
  });

  it('fails where the command does not exist', async () => {
    await expect(start(['no-such-command-here'])).rejects.toMatchObject({
      problem: { code: 'command-missing', command: 'no-such-command-here' },
    });
  });
});
