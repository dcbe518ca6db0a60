// The state of a run: what every command may do in each of its phases.
import { expect, test } from 'vitest';
import {
  isUnfinished,
  journalPhases,
  possible,
  type RecordedState,
  runState,
} from '../../../src/migrate/journal/run-state.ts';

const recorded = (more: Partial<RecordedState>): RecordedState => ({
  phase: 'applying',
  failed: undefined,
  anyBegun: true,
  ...more,
});

test.each([
  ['planned', recorded({ anyBegun: false }), ['resume', 'rollback']],
  ['interrupted', recorded({}), ['resume', 'rollback']],
  ['interrupted', recorded({ failed: 'a step failed' }), ['resume', 'rollback']],
  ['done', recorded({ phase: 'done' }), ['migrate', 'rollback', 'verify']],
  ['done', recorded({ phase: 'done', failed: '2 checks failed' }), ['resume', 'rollback', 'verify']],
  ['rollback-interrupted', recorded({ phase: 'rolling-back' }), ['resume', 'rollback']],
  ['rollback-interrupted', recorded({ phase: 'rolling-back', failed: 'start LXD' }), ['resume', 'rollback']],
  ['rolled-back', recorded({ phase: 'rolled-back' }), ['migrate']],
  ['rolled-back', recorded({ phase: 'rolled-back', failed: 'c1 does not start' }), ['migrate']],
  ['purge-interrupted', recorded({ phase: 'purging' }), ['resume', 'verify']],
  ['purged', recorded({ phase: 'purged' }), ['migrate', 'verify']],
] as const)('%s allows just what makes sense then', (phase, record, allowed) => {
  const state = runState(record, false);

  expect(state).toEqual({ phase, failed: record.failed });
  expect(
    Object.entries(possible(state))
      .filter(([, may]) => may)
      .map(([command]) => command)
      .sort(),
  ).toEqual([...allowed].sort());
  // A new migration is never possible beside something to go on with: it would take half of a state for the one before.
  expect(isUnfinished(state)).toBe(!allowed.some((command) => command === 'migrate'));
});

test('while a process is at work on it nothing else is possible', () => {
  const atWork = journalPhases.map((phase) => runState(recorded({ phase }), true));

  expect(atWork.map(({ phase }) => phase)).toEqual([
    'applying',
    'done',
    'rolling-back',
    'rolled-back',
    'purging',
    'purged',
  ]);
  for (const state of atWork.filter(({ phase }) => /ing$/.test(phase)))
    expect(Object.values(possible(state)).some((may) => may)).toBe(false);
});
