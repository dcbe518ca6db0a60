// What `status` says of the folders of former runs, and what `prune` takes away when it is told to.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { openOutput } from '../../../src/core/output.ts';
import { ownCommand } from '../../../src/core/program-name.ts';
import { pruneCommand } from '../../../src/migrate/cli/prune-command.ts';
import { statusCommand } from '../../../src/migrate/cli/status-command.ts';
import { openJournal } from '../../../src/migrate/journal/journal.ts';
import type { JournalPhase } from '../../../src/migrate/journal/run-state.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { tinyPlan } from '../plan/tiny-plan.ts';

let host: FakeHost;
let state: string;
let lines: string[];
let events: Readonly<Record<string, unknown>>[];

beforeEach(() => {
  const made = fakeHost();
  onTestFinished(() => made.dispose());
  host = made;
  state = join(temporaryFolder(), 'state');
  lines = [];
  events = [];
  add('0001-old', 'rolled-back', 'log');
  add('0002-now', 'rolling-back', 'source-database');
});

const output = () => ({
  ...openOutput({ json: false, colour: false }),
  line: (text: string) => void lines.push(...text.split('\n')),
  event: (value: Readonly<Record<string, unknown>>) => void events.push(value),
});

/** A run that has left a file of 3 MiB. */
function add(run: string, phase: JournalPhase, name: string): void {
  const journal = openJournal(state);
  const folder = join(state, 'runs', run);
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  fs.writeFileSync(join(folder, name), Buffer.alloc(3 * 1024 * 1024, 1));
  journal.begin(run, tinyPlan, [], new Date(0), { pins: [] });
  journal.enter(run, phase, new Date(0));
  journal.close();
}

test('status shows how much is kept, of which runs, and what nothing can need', async () => {
  await statusCommand(host, { state }, output());

  const kept = lines.slice(lines.findIndex((line) => line.startsWith('Kept in')));
  expect(kept).toEqual([
    expect.stringMatching(/^Kept in \/.*\/state: 6\.\d MiB$/),
    expect.stringMatching(/^ *3\.\d MiB {2}0001-old {2}\(nothing can need it any more\)$/),
    expect.stringMatching(/^ *3\.\d MiB {2}0002-now$/),
    `"${ownCommand('prune')}" removes what nothing can need; of runs that have ended, the next migration keeps the last one.`,
  ]);
  expect(events).toContainEqual(
    expect.objectContaining({
      event: 'status',
      kept: [
        expect.objectContaining({ run: '0001-old', prunable: true }),
        expect.objectContaining({ run: '0002-now', prunable: false }),
      ],
    }),
  );
});

test('prune removes what nothing can need, and leaves what a rollback needs', async () => {
  expect(await pruneCommand(host, { state, yes: true }, output())).toBe(0);

  expect(fs.readdirSync(join(state, 'runs'))).toEqual(['0002-now']);
  expect(fs.existsSync(join(state, 'runs/0002-now/source-database'))).toBe(true);
  expect(lines).toContainEqual(expect.stringMatching(/^3\.\d MiB removed\.$/));
  expect(events).toContainEqual(
    expect.objectContaining({
      event: 'end',
      outcome: 'pruned',
      removed: [expect.objectContaining({ run: '0001-old' })],
    }),
  );
});

test('prune a second time finds nothing', async () => {
  await pruneCommand(host, { state, yes: true }, output());
  lines.length = 0;

  expect(await pruneCommand(host, { state, yes: true }, output())).toBe(4);
  expect(lines).toEqual(['There is nothing that no rollback could need.']);
});
