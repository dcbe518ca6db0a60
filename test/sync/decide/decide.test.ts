import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeTinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { type DecideOptions, type DecisionKind, runDecide } from '../../../src/sync/cli/run-decide.ts';
import { readDecisions } from '../../../src/sync/decide/decision.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { forkSync } from '../fork-sync.ts';

function open() {
  const tiny = makeTinyFork(temporaryFolder(), {
    upstream: [
      { name: 'main', from: 'base', time: 1100, files: { 'a.txt': 'x\n' } },
      { name: 'merge', from: 'base', merge: 'main', time: 1200, files: { 'a.txt': 'x\n' } },
    ],
  });
  const env = {
    PATH: process.env['PATH'],
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
  };
  // What is said of upstream's commit alone needs no fork.
  const { upstream, fork, rules } = tiny;
  const decide = (name: string, ...args: readonly string[]) =>
    forkSync(
      [
        ...[name, ...args, '--upstream', upstream, '--rules', rules],
        ...(['skip', 'take'].includes(name) ? ['--fork', fork] : []),
      ],
      { env },
    );
  return { tiny, decide, sha: tiny.sha('main') };
}

const person = ['--by', 'Pia <pia@example.org>', '--why', 'The fork has no gems.'];

describe('decisions', () => {
  it('say that a commit comes over without the rest of its pull request', () => {
    const { tiny, decide, sha } = open();

    const done = decide('alone', sha, ...person);

    expect([done.status, done.stderr]).toEqual([0, '']);
    expect(readDecisions(tiny.rules).get(sha)).toMatchObject({
      decision: 'alone',
      by: 'Pia <pia@example.org>',
      why: 'The fork has no gems.',
    });
  });

  it('are files that say what, who, when and why', () => {
    const { tiny, decide, sha } = open();
    const done = decide(
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
    const { tiny, decide, sha } = open();
    decide('park', sha, ...person);
    const taken = decide('take', sha, '--fork-commit', 'rename', ...person);
    expect(taken.status).toBe(0);
    expect(readDecisions(tiny.rules).get(sha)).toMatchObject({ decision: 'take', fork: tiny.sha('rename') });
    expect(decide('reopen', sha).status).toBe(0);
    expect(readDecisions(tiny.rules).size).toBe(0);
    expect(decide('reopen', sha).status).toBe(4);
  });

  it('need a reason that is known, a sentence, a person and a commit that is there', async () => {
    const { tiny, sha } = open();
    const by = 'Pia <pia@example.org>';
    const said = { ...tiny, by, why: 'The fork has no gems.' };
    const tries: readonly (readonly [DecisionKind, string, DecideOptions, string])[] = [
      ['skip', sha, said, 'does-not-apply'],
      ['skip', sha, { ...said, reason: 'ugly' }, 'No reason is called "ugly"'],
      ['park', sha, { ...tiny, by }, 'it needs a sentence'],
      ['park', sha, { ...said, by: 'nobody' }, 'Who decides is not known'],
      ['take', sha, said, 'Give --fork-commit'],
      ['take', sha, { ...said, forkCommit: '2'.repeat(40) }, 'No commit is called'],
      ['park', '-x', said, 'not a name of a commit'],
      ['park', '1'.repeat(40), said, 'No commit is called'],
    ];

    for (const [kind, commit, options, why] of tries)
      await expect(runDecide(kind, commit, options), why).rejects.toThrow(why);
    expect(readDecisions(tiny.rules).size).toBe(0);
  });

  it('are not made about merges, which are in no queue', () => {
    const { tiny, decide } = open();

    const done = decide('park', 'merge', ...person);

    expect(done).toMatchObject({ status: 2, stderr: expect.stringContaining('is a merge') });
    expect(readDecisions(tiny.rules).size).toBe(0);
  });

  it('say where they cannot be written', () => {
    const { tiny, decide, sha } = open();
    writeFileSync(join(tiny.rules, 'decisions'), 'no folder');

    const done = decide('park', sha, ...person);

    expect(done.status).toBe(1);
    expect(done.stderr).toContain(`Nothing can be written to ${join(tiny.rules, 'decisions')}`);
    expect(done.stderr).not.toContain('    at ');
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
    const pack = temporaryFolder();
    mkdirSync(join(pack, 'decisions'));
    writeFileSync(join(pack, 'decisions', name), text);

    expect(() => readDecisions(pack)).toThrow(why);
  });
});
