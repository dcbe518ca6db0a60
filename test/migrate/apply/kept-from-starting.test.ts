// What is said to keep LXD from starting is what the steps of the run did, later what systemd says of it, and no more.
import { describe, expect, onTestFinished, test } from 'vitest';
import { keptFromStarting, keptFromStartingNow } from '../../../src/migrate/apply/kept-from-starting.ts';
import { type Journal, openJournal, type StepState } from '../../../src/migrate/journal/journal.ts';
import type { Step } from '../../../src/migrate/model/step.ts';
import { fakeHost } from '../../fakes/fake-host.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const units = ['lxd.socket', 'lxd.service'];
const states = units.map((unit) => ({ unit, enabled: 'disabled' }));
const mask: Step = { kind: 'mask-source', units };
const note: Step = { kind: 'leave-note', directory: '/d', movedTo: '/m', kept: false };

function journalWith(first: Step, state: StepState, memo: unknown): Journal {
  const journal = openJournal(temporaryFolder());
  onTestFinished(() => journal.close());
  journal.begin('RUN', {}, [first], new Date(0));
  journal.remember('RUN', 0, memo);
  journal.mark('RUN', 0, state, new Date(0));
  return journal;
}

function said(first: Step, state: StepState, memo: unknown, kept = false): string {
  return keptFromStarting(journalWith(first, state, memo), 'RUN', kept);
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

describe('later', () => {
  /** @param enabled what systemctl says of each unit; undefined: nothing */
  async function saidNow(
    enabled: readonly string[] | undefined,
    { cameBack = false, first = mask }: { readonly cameBack?: boolean; readonly first?: Step } = {},
  ): Promise<string> {
    const host = fakeHost();
    onTestFinished(() => host.dispose());
    host.writeFile('/lib/systemd/system/lxd.socket', '');
    host.onRun(([command, verb]) =>
      command === 'systemctl' && verb === 'is-enabled' && enabled !== undefined
        ? { status: 1, stdout: Buffer.from(`${enabled.join('\n')}\n`) }
        : undefined,
    );
    const journal = journalWith(first, 'done', { states, masked: units });
    return keptFromStartingNow(host, journal, 'RUN', { kept: false, cameBack });
  }

  test('units that are still masked', async () => {
    expect(await saidNow(['masked', 'masked'])).toBe(
      'lxd.socket, lxd.service are masked, so that nothing starts LXD: started there, it would make a new, empty server.',
    );
  });

  test('a unit that somebody has unmasked', async () => {
    expect(await saidNow(['enabled', 'masked'])).toBe(
      'The migration masked lxd.socket, and now systemd says: enabled. Nothing keeps LXD from starting. See to it that nothing starts it: started there, it would make a new, empty server.',
    );
  });

  test('units that are masked beside an LXD that was started all the same', async () => {
    expect(await saidNow(['masked', 'masked'], { cameBack: true })).toBe(
      'lxd.socket, lxd.service are masked, and something of LXD is there again all the same.',
    );
  });

  test('units that went with their package', async () => {
    expect(await saidNow(['not-found', 'not-found'])).toBe(
      'The units that the migration masked are gone: lxd.socket, lxd.service.',
    );
  });

  test('where systemd does not answer, that it could not be asked', async () => {
    expect(await saidNow(undefined)).toMatch(
      /^The migration masked lxd\.socket, lxd\.service; whether they still are could not be asked: /,
    );
  });

  test('where none was masked, the same as at first', async () => {
    expect(await saidNow(undefined, { first: note })).toMatch(/^Nothing keeps LXD from starting: no unit/);
  });
});
