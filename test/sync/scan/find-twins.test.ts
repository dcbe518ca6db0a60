import { describe, expect, it } from 'vitest';
import { makeTinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { commit, type FixtureCommit } from '../../../fixtures/histories/write-history.ts';
import { writeDecision } from '../../../src/sync/decide/decision.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { scanTiny } from '../scanned.ts';

const note = (text: string): FixtureCommit['files'] => ({ 'notes.txt': `a\n${text}\nb\n` });
const pia = 'Pia <pia@example.org>';
const start = commit('start', 'base', 1010, note('old'));

describe('a commit with the very change of one on another branch', () => {
  it('is as that one is, whoever made it and whatever it is called', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      shared: [start],
      upstream: [
        commit('fix', 'start', 1100, note('new')),
        commit('by-hand', 'start', 1200, note('new'), {
          author: pia,
          message: 'Bring the notes into sync\n',
        }),
        commit('other', 'by-hand', 1300, note('newer'), { author: pia }),
      ],
      fork: [commit('import', 'rename', 2500, note('new'), { authorTime: 1100 })],
    });

    const { of } = await scanTiny(tiny, { main: 'fix', stable: 'other', fork: 'import' });

    expect(of('fix')?.state).toBe('imported');
    expect(of('by-hand')).toMatchObject({
      state: 'imported',
      by: 'twin',
      via: tiny.sha('fix'),
      fork: tiny.sha('import'),
    });
    expect(of('other')?.state).toBe('pending');
  });

  it('is as that one is where the fork made the same change itself', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      shared: [start],
      upstream: [
        commit('fix', 'start', 1100, note('new')),
        commit('backport', 'start', 1200, note('new'), { authorTime: 1100, message: 'fix\n' }),
      ],
      fork: [commit('own', 'rename', 2500, note('new'), { author: pia })],
    });

    const { of } = await scanTiny(tiny, { main: 'fix', stable: 'backport', fork: 'own' });

    expect([of('fix')?.state, of('backport')?.state]).toEqual(['equivalent', 'equivalent']);
    expect(of('backport')).toMatchObject({ by: 'twin', fork: tiny.sha('own') });
  });

  it('is shared where that one is from before the fork', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      shared: [
        start,
        commit('fix', 'start', 1020, note('new')),
        commit('end', 'fix', 1030, { 'end.txt': 'x\n' }),
      ],
      upstream: [
        commit('by-hand', 'start', 1200, note('new'), {
          author: pia,
          message: 'Bring the notes into sync\n',
        }),
      ],
    });

    const { of } = await scanTiny(tiny, { main: 'end', stable: 'by-hand' });

    expect(of('by-hand')).toMatchObject({ state: 'shared', by: 'shared-patch', fork: tiny.sha('fix') });
  });

  it('waits for that one where both are pending, and is not proposed beside it', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      shared: [start],
      upstream: [
        commit('fix', 'start', 1300, note('new')),
        commit('by-hand', 'start', 1200, note('new'), {
          author: pia,
          message: 'Bring the notes into sync\n',
        }),
      ],
      fork: [commit('notes', 'rename', 2500, { 'other.txt': 'x\n' })],
    });

    const { of, plan } = await scanTiny(tiny, { main: 'fix', stable: 'by-hand', fork: 'notes' });
    const planned = await plan();

    expect(of('by-hand')).toMatchObject({ state: 'pending', by: 'twin-pending', via: tiny.sha('fix') });
    expect(planned.groups.flatMap((group) => group.picks.map((pick) => pick.upstream))).toEqual([
      tiny.sha('fix'),
    ]);
    expect(planned.leftOut).toEqual([
      {
        upstream: tiny.sha('by-hand'),
        subject: 'Bring the notes into sync',
        why: 'later',
        reason: `makes the very change of ${tiny.sha('fix').slice(0, 12)} on main, which is pending and comes first`,
      },
    ]);
  });

  it('follows what a person decided of that one', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      shared: [start],
      upstream: [
        commit('fix', 'start', 1100, note('new')),
        commit('backport', 'start', 1200, note('new'), { authorTime: 1100, message: 'fix\n' }),
      ],
    });
    writeDecision(tiny.rules, {
      upstream: tiny.sha('fix'),
      decision: 'skip',
      reason: 'not-wanted',
      by: 'Pia <pia@example.org>',
      on: '2026-01-31',
      why: 'The fork has notes of its own.',
    });

    const { of } = await scanTiny(tiny, { main: 'fix', stable: 'backport' });

    expect(of('backport')).toMatchObject({ state: 'skipped', by: 'twin', via: tiny.sha('fix') });
  });

  it('stands for itself in another folder, and where its own branch does again what it had taken back', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      shared: [start, commit('copy', 'start', 1020, { 'old/notes.txt': 'a\nold\nb\n' })],
      upstream: [
        commit('fix', 'copy', 1100, note('new')),
        commit('undo', 'fix', 1150, note('old')),
        commit('again', 'undo', 1160, note('new')),
        commit('elsewhere', 'copy', 1200, { 'old/notes.txt': 'a\nnew\nb\n' }),
        commit('first', 'elsewhere', 1300, note('new'), { author: pia }),
        commit('back', 'first', 1350, note('old'), { author: pia }),
        commit('second', 'back', 1360, note('new'), { author: pia }),
      ],
      fork: [
        commit('import', 'rename', 2500, note('new'), { authorTime: 1100 }),
        commit('import-first', 'import', 2600, note('other'), { authorTime: 1300, author: pia }),
      ],
    });

    const { of } = await scanTiny(tiny, { main: 'again', stable: 'second', fork: 'import-first' });

    expect(of('elsewhere')?.state).toBe('pending');
    expect(of('first')?.state).toBe('imported');
    expect(of('second')).toMatchObject({ state: 'pending', by: 'twin-pending', via: tiny.sha('again') });
    expect(of('again')).toMatchObject({ state: 'pending', by: 'nothing' });
  });
});
