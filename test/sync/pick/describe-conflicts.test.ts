import { describe, expect, it } from 'vitest';
import type { FixtureCommit } from '../../../fixtures/histories/write-history.ts';
import type { Conflict } from '../../../src/sync/pick/pick-result.ts';
import { pick } from '../picked.ts';

const told = 'A limit that nobody has set is taken from the profile that the instance has.';
const more = 'A limit of nothing at all is one that the operator of the server has forgotten.';
const had = ['# Guide', '', 'First.', '', 'Second.', '', 'Third.', '', 'Fourth.', '', 'Fifth.'];

/** The page with other lines, or several, in place of some. */
const page = (changed: Readonly<Record<string, readonly string[]>>): string =>
  had.flatMap((line) => changed[line] ?? [line]).join('\n');

/** What comes of upstream's change of a page that both had. */
async function conflictsOf(
  fork: Readonly<Record<string, readonly string[]>>,
  upstream: Readonly<Record<string, readonly string[]>>,
): Promise<readonly Conflict[]> {
  const files = (text: string): FixtureCommit['files'] => ({ 'doc/page.md': `${text}\n` });
  const { result } = await pick(
    [
      { name: 'before', from: 'base', time: 1500, files: files(page({})) },
      { name: 'change', from: 'before', time: 3000, files: files(page(upstream)) },
    ],
    [
      { name: 'same', from: 'rename', time: 2100, authorTime: 1500, files: files(page({})) },
      { name: 'own', from: 'same', time: 2200, files: files(page(fork)) },
    ],
  );
  expect(result.status).toBe('conflict');
  return result.conflicts;
}

describe('a conflict that the fork has already', () => {
  const ours = { 'First.': [told, 'First.'], 'Third.': ['The third one.'] };

  it('is already applied where all that upstream adds is there, and nothing else changes', async () => {
    const conflicts = await conflictsOf(ours, { 'Third.': ['Third.', told] });

    expect(conflicts).toMatchObject([
      { type: 'already-applied', why: expect.stringContaining('in another place') },
    ]);
  });

  it('is not where another hunk truly diverges: the conflict says which one is there', async () => {
    const conflicts = await conflictsOf(
      { ...ours, 'Fifth.': ['The fifth one is ours.'] },
      { 'Third.': ['Third.', told], 'Fifth.': ['Theirs is another one.'] },
    );

    expect(conflicts).toMatchObject([
      { type: 'really-diverged', why: expect.stringMatching(/; the fork has the hunk at line 8 already$/) },
    ]);
    expect(conflicts[0]?.hunks).toHaveLength(2);
  });

  it('is not where the rest of the file merges, which would be lost', async () => {
    const conflicts = await conflictsOf(ours, { 'Third.': ['Third.', told], 'Fifth.': ['5.'] });

    expect(conflicts).toMatchObject([
      {
        type: 'really-diverged',
        why: "the fork has the hunk at line 8 already, and not the rest of upstream's change of this file",
      },
    ]);
  });

  it('is not where only a part of the lines is there, or upstream takes lines away beside them', async () => {
    const part = await conflictsOf(ours, { 'Third.': ['Third.', told, more] });
    const taken = await conflictsOf(
      { ...ours, 'Third.': ['Third.', 'Of us.'] },
      { 'Third.': [told, 'Another third.'] },
    );

    for (const conflicts of [part, taken])
      expect(conflicts).toMatchObject([
        { type: 'really-diverged', why: expect.stringContaining('some lines of the hunk at line') },
      ]);
  });
});
