import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeTinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { readDecisions } from '../../../src/sync/decide/decision.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const root = join(import.meta.dirname, '..', '..', '..');

function open() {
  const tiny = makeTinyFork(temporaryFolder(), {
    upstream: [{ name: 'main', from: 'base', time: 1100, files: { 'a.txt': 'x\n' } }],
  });
  const repositories = [
    '--upstream',
    tiny.upstream,
    '--fork',
    tiny.fork,
    '--rules',
    tiny.rules,
    '--cache',
    tiny.cache,
  ];
  const forkSync = (...args: readonly string[]) =>
    spawnSync(process.execPath, [join(root, 'src', 'sync', 'cli', 'main.ts'), ...args, ...repositories], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1' },
    });
  return { tiny, forkSync, sha: tiny.sha('main') };
}

const person = ['--by', 'Pia <pia@example.org>', '--why', 'The fork has no gems.'];

describe('decisions', () => {
  it('are files that say what, who, when and why', () => {
    const { tiny, forkSync, sha } = open();
    const done = forkSync(
      'skip',
      sha.slice(0, 10),
      '--reason',
      'not-wanted',
      '--look-again-when',
      'gem.go',
      '--onto',
      'rename',
      ...person,
    );
    expect(done).toMatchObject({ status: 0, stderr: '' });
    const path = join(tiny.rules, 'decisions', `${sha}.yaml`);
    expect(done.stdout.trim()).toBe(path);
    expect(readDecisions(tiny.rules).get(sha)).toEqual({
      upstream: sha,
      decision: 'skip',
      reason: 'not-wanted',
      by: 'Pia <pia@example.org>',
      on: expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
      why: 'The fork has no gems.',
      lookAgainWhen: 'gem.go',
      seen: { upstream: [sha], fork: tiny.sha('rename') },
    });
    expect(readFileSync(path, 'utf8')).toContain('why: The fork has no gems.\n');
  });

  it('are taken over by later ones, and taken back', () => {
    const { tiny, forkSync, sha } = open();
    forkSync('park', sha, ...person);
    const taken = forkSync('take', sha, '--fork-commit', 'rename', ...person);
    expect(taken.status).toBe(0);
    expect(readDecisions(tiny.rules).get(sha)).toMatchObject({ decision: 'take', fork: tiny.sha('rename') });
    expect(forkSync('reopen', sha).status).toBe(0);
    expect(readDecisions(tiny.rules).size).toBe(0);
    expect(forkSync('reopen', sha).status).toBe(4);
  });

  it('need a reason that is known, a sentence, a person and a commit that is there', () => {
    const { tiny, forkSync, sha } = open();
    const tries = [
      forkSync('skip', sha, ...person),
      forkSync('skip', sha, '--reason', 'ugly', ...person),
      forkSync('park', sha, '--by', 'Pia <pia@example.org>'),
      forkSync('park', sha, '--why', 'wait', '--by', 'nobody'),
      forkSync('take', sha, ...person),
      forkSync('park', '--', '-x'),
    ];
    const unknown = forkSync('park', '1'.repeat(40), ...person);
    expect(tries.map((one) => one.status)).toEqual([2, 2, 2, 2, 2, 2]);
    expect(tries.every((one) => !one.stderr.includes('    at '))).toBe(true);
    expect(tries[0]?.stderr).toContain('does-not-apply');
    expect(unknown).toMatchObject({ status: 1, stderr: expect.stringContaining('No commit is called') });
    expect(readDecisions(tiny.rules).size).toBe(0);
  });

  it.each([
    ['a name that is no sha', 'mine.yaml', 'x', 'named after its upstream commit'],
    ['text that is no YAML', `${'1'.repeat(40)}.yaml`, 'a: [', '1111.yaml: text'],
    [
      'a key that nobody knows',
      `${'1'.repeat(40)}.yaml`,
      `upstream: "${'1'.repeat(40)}"\ndecision: park\nby: A <a@b>\non: "2026-01-31"\nwhy: x\nreasn: y\n`,
      'unknown key',
    ],
    [
      'another commit',
      `${'1'.repeat(40)}.yaml`,
      `upstream: "${'2'.repeat(40)}"\ndecision: park\nby: A <a@b>\non: "2026-01-31"\nwhy: x\n`,
      'named after another commit',
    ],
  ])('are refused as a whole where one file has %s', (_, name, text, why) => {
    const { tiny } = open();
    mkdirSync(join(tiny.rules, 'decisions'));
    writeFileSync(join(tiny.rules, 'decisions', name), text);
    expect(() => readDecisions(tiny.rules)).toThrow(why);
  });
});
