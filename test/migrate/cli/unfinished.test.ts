// A plain `lxd-to-incus` on a host with an unfinished migration: offers to go on or back, or says how.
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { openJournal } from '../../../src/migrate/journal/journal.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { tinyPlan } from '../plan/tiny-plan.ts';
import { isRoot, runCli, withOwnRun } from './run-cli.ts';

const root = join(import.meta.dirname, '../../..');
let state: string;

beforeEach(() => {
  state = join(temporaryFolder(), 'state');
  const journal = openJournal(state);
  const steps = [{ kind: 'empty-runtime-folder', path: '/run/incus' }] as const;
  journal.begin('a-run', tinyPlan, steps, new Date(0), { pins: [] });
  journal.close();
});

const args = (): string[] => ['--lxd-dir', '/nonexistent', '--state', state, '--no-color'];

/** Runs the tool on a terminal of its own (util-linux script), and types one line at the question. */
function onTerminal(answer: string): Promise<{ status: number | null; shown: string }> {
  const command = [...withOwnRun(), process.execPath, join(root, 'bin/lxd-to-incus.js'), ...args()];
  const child = spawn(
    'script',
    ['--quiet', '--return', '--command', command.map((word) => `'${word}'`).join(' '), '/dev/null'],
    { cwd: '/', stdio: ['pipe', 'pipe', 'inherit'] },
  );
  let shown = '';
  child.stdout.on('data', (part) => {
    const before = shown;
    shown += String(part);
    if (!before.includes('/N] ') && shown.includes('/N] ')) child.stdin.write(`${answer}\n`);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, shown }));
  });
}

describe.runIf(isRoot)('an unfinished migration', () => {
  test('is named with both ways where nobody can be asked, and ends with 5', async () => {
    const { status, stderr } = await runCli([...args(), '--yes'], { asRoot: true });

    expect(status).toBe(5);
    expect(stderr).toContain('A migration (a-run) was begun and is not finished.');
    const program = join(root, 'bin/lxd-to-incus.js');
    expect(stderr).toMatch(new RegExp(`"(/\\S+ )?${program} resume --state ${state}"`));
    expect(stderr).toMatch(new RegExp(`"(/\\S+ )?${program} rollback --state ${state}"`));
  });

  test('is offered on a terminal with what both would do; another answer changes nothing', async () => {
    const before = fs.readFileSync(join(state, 'journal.db'));

    const { status, shown } = await onTerminal('no');

    expect(status).toBe(5);
    expect(shown).toMatch(/resume would:.*rollback would:.*\[resume\/rollback\/N\]/s);
    expect(fs.readFileSync(join(state, 'journal.db'))).toEqual(before);
  });

  test.each(['resume', 'rollback'])('is handed to %s when that is the answer', async (answer) => {
    // The run has no folder: each command is reached, and refuses.
    const { status, shown } = await onTerminal(answer);

    expect(status).toBe(1);
    expect(shown).toContain('its folder is not complete');
    expect(shown).toContain(join(state, 'runs/a-run'));
  });
});
