// What is said to keep LXD from starting is what the steps of the run did, and no more.
import { expect, onTestFinished, test } from 'vitest';
import { openJournal, type StepState } from '../../../src/migrate/apply/journal.ts';
import { keptFromStarting } from '../../../src/migrate/apply/kept-from-starting.ts';
import type { Step } from '../../../src/migrate/plan/step.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const units = ['lxd.socket', 'lxd.service'];
const states = units.map((unit) => ({ unit, enabled: 'disabled' }));
const mask: Step = { kind: 'mask-source', units };
const note: Step = { kind: 'leave-note', directory: '/d', movedTo: '/m', kept: false };

function said(first: Step, state: StepState, memo: unknown, kept = false): string {
  const journal = openJournal(temporaryFolder());
  onTestFinished(() => journal.close());
  journal.begin('RUN', {}, [first], new Date(0));
  journal.remember('RUN', 0, memo);
  journal.mark('RUN', 0, state, new Date(0));
  return keptFromStarting(journal, 'RUN', kept);
}

test('units that were masked', () => {
  expect(said(mask, 'done', { states, links: [], masked: units })).toBe(
    'lxd.socket, lxd.service are masked, so that nothing starts LXD: started there, it would make a new, empty server.',
  );
});

test('units that a former version masked', () => {
  expect(said(mask, 'done', { states })).toContain('lxd.socket, lxd.service are masked');
});

test('of several units the one that was masked', () => {
  expect(said(mask, 'done', { states, masked: ['lxd.socket'] })).toMatch(/^lxd\.socket is masked/);
});

test.each<readonly [string, Step, StepState, unknown]>([
  ['no step masked any', note, 'done', { madeFolder: true }],
  ['the step was not begun', mask, 'planned', null],
  ['it was undone', mask, 'undone', { states }],
  ['each had a file of its own', mask, 'done', { states, masked: [] }],
])('nothing, where %s', (_what, step, state, memo) => {
  expect(said(step, state, memo)).toBe(
    'Nothing keeps LXD from starting: no unit of it was masked. See to it that nothing starts it: started there, it would make a new, empty server.',
  );
});

test('where the old data is still there, why it must not start', () => {
  expect(said(note, 'done', null, true)).toContain('it must not run on its old data');
});
