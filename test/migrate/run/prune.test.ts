// What the tool's own folder keeps of former runs, and what of it is removed.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { coreFailure } from '../../../src/core/core-problem.ts';
import { type Journal, openJournal } from '../../../src/migrate/journal/journal.ts';
import type { JournalPhase } from '../../../src/migrate/journal/run-state.ts';
import {
  keptFolders,
  prunableBefore,
  prunableRuns,
  pruneBefore,
  pruneRun,
} from '../../../src/migrate/run/prune.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { tinyPlan } from '../plan/tiny-plan.ts';

interface Kept {
  readonly state: string;
  readonly journal: Journal;
  add(run: string, phase: JournalPhase | undefined, ...names: string[]): void;
}

function toolFolder(): Kept {
  const state = temporaryFolder();
  const journal = openJournal(state);
  onTestFinished(() => journal.close());
  return {
    state,
    journal,
    add(run, phase, ...names) {
      for (const name of names) {
        fs.mkdirSync(join(state, 'runs', run), { recursive: true });
        fs.writeFileSync(join(state, 'runs', run, name), Buffer.alloc(100_000, name));
      }
      if (phase === undefined) return;
      journal.begin(run, tinyPlan, [], new Date(0));
      journal.enter(run, phase, new Date(0));
    },
  };
}

test.each([
  ['a run that is rolled back', 'rolled-back', ['log', 'target-database'], true],
  ['a run whose source was removed', 'purged', ['log', 'source-database'], true],
  ['a run that is done', 'done', ['log', 'source-database'], false],
  ['a run that is being rolled back', 'rolling-back', ['log'], false],
  ['a run that was interrupted', 'applying', ['log', 'planned-database.sqlite'], false],
  [
    'a run that is rolled back, with a database of LXD all the same',
    'rolled-back',
    ['source-database'],
    false,
  ],
  ['a folder of a run that never began', undefined, ['log', 'planned-database.sqlite'], true],
  [
    'a folder with a database of LXD, of which the journal was lost',
    undefined,
    ['log', 'source-database'],
    false,
  ],
  [
    'a folder with a directory of Incus, of which the journal was lost',
    undefined,
    ['target-directory'],
    false,
  ],
] as const)('%s', (_, phase, names, isPrunable) => {
  const { state, journal, add } = toolFolder();
  add('0001-a', phase, ...names);

  expect(prunableRuns(journal, state)).toEqual(isPrunable ? ['0001-a'] : []);
  expect(keptFolders(journal, state)).toEqual([
    { run: '0001-a', path: join(state, 'runs/0001-a'), bytes: expect.any(Number), prunable: isPrunable },
  ]);
  expect(keptFolders(journal, state)[0]?.bytes).toBeGreaterThanOrEqual(100_000 * names.length);
});

test('what is pruned is gone, and only that; the journal knows that there was a run', () => {
  const { state, journal, add } = toolFolder();
  add('0001-a', 'rolled-back', 'log');
  add('0002-b', 'done', 'log', 'source-database');

  for (const run of prunableRuns(journal, state)) pruneRun(journal, state, run);

  expect(fs.readdirSync(join(state, 'runs'))).toEqual(['0002-b']);
  expect(journal.runs()).toMatchObject([
    { id: '0001-a', pruned: true },
    { id: '0002-b', pruned: false },
  ]);
  expect(journal.plan('0002-b')).toEqual(tinyPlan);
});

test('a migration that begins keeps the last run that has ended, so that at most one is kept beside it', () => {
  const { state, journal, add } = toolFolder();
  const kept: string[][] = [];

  for (const round of ['0001-a', '0002-b', '0003-c', '0004-d']) {
    add(round, 'applying', 'log', 'planned-database.sqlite');
    for (const old of prunableBefore(journal, state, round)) pruneRun(journal, state, old);
    kept.push(fs.readdirSync(join(state, 'runs')));
    journal.enter(round, 'rolled-back', new Date(0));
  }

  expect(kept).toEqual([['0001-a'], ['0001-a', '0002-b'], ['0002-b', '0003-c'], ['0003-c', '0004-d']]);
});

test('a prune that was killed between the journal and the folder is made good by the next', () => {
  const { state, journal, add } = toolFolder();
  add('0001-a', 'rolled-back', 'log');
  journal.prune('0001-a');

  const left = prunableRuns(journal, state);
  for (const run of left) pruneRun(journal, state, run);

  expect(left).toEqual(['0001-a']);
  expect(fs.readdirSync(join(state, 'runs'))).toEqual([]);
});

test('a folder that cannot be removed is named and ends no migration', () => {
  const { state, journal, add } = toolFolder();
  add('0001-a', 'rolled-back', 'log');
  add('0002-b', 'rolled-back', 'log');
  add('0003-c', 'applying', 'log');
  const broken: Journal = {
    ...journal,
    prune() {
      throw coreFailure({ code: 'file-system', operation: 'write the journal', path: '/', errno: 'EIO' });
    },
  };
  const said: string[] = [];

  pruneBefore(broken, state, '0003-c', (text) => said.push(text));

  expect(said).toEqual([expect.stringMatching(/0001-a could not be removed, and stays: .*EIO/)]);
  expect(fs.readdirSync(join(state, 'runs'))).toEqual(['0001-a', '0002-b', '0003-c']);
});
