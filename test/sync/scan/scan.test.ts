import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { closedLicence, freeLicence, makeTinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { commit, type FixtureCommit } from '../../../fixtures/histories/write-history.ts';
import { writeDecision } from '../../../src/sync/decide/decision.ts';
import { openScanCache } from '../../../src/sync/scan/scan-cache.ts';
import { countStates } from '../../../src/sync/scan/scan-result.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { scanTiny } from '../scanned.ts';

const by = 'Ann Author <ann@example.org>';
const note = (text: string): FixtureCommit['files'] => ({ 'notes.txt': `${text}\n` });

describe('where an upstream commit stands', () => {
  it('is imported where a fork commit names it', async () => {
    const upstream = [commit('one', 'base', 1100, note('one'))];
    const plain = makeTinyFork(temporaryFolder(), { upstream });
    const message = `[import] one\n\n(cherry picked from commit ${plain.sha('one')})\n`;
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream,
      fork: [commit('import', 'rename', 2500, note('one'), { message, author: 'Pia <pia@example.org>' })],
    });
    const { of } = await scanTiny(tiny, { main: 'one', fork: 'import' });
    expect(of('one')).toMatchObject({ state: 'imported', fork: tiny.sha('import') });
  });

  it('is imported where a fork commit has its author and date, and the fork did not have it first', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        commit('one', 'base', 1100, note('one')),
        commit('back', 'one', 9000, note('back'), { authorTime: 2400 }),
      ],
      fork: [
        commit('import', 'rename', 2500, note('other words'), { authorTime: 1100 }),
        commit('ours', 'import', 2600, { 'ours.txt': 'x\n' }, { authorTime: 2400 }),
      ],
    });
    const { of, open } = await scanTiny(tiny, { main: 'back', fork: 'ours' });
    expect(of('one')).toMatchObject({ state: 'imported', fork: tiny.sha('import') });
    expect(of('back')).toMatchObject({ state: 'own', fork: tiny.sha('ours') });
    expect(open.scan.courtesy).toEqual([]);
  });

  it('tells two commits of one author and date apart by their subjects', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        commit('first', 'base', 1100, note('a'), { authorTime: 1050, message: 'store: Open files\n' }),
        commit('second', 'first', 1200, note('b'), { authorTime: 1050, message: 'guide: Write more\n' }),
      ],
      fork: [
        commit('import', 'rename', 2500, note('b'), {
          authorTime: 1050,
          message: '[import] guide: Write more\n',
        }),
      ],
    });
    const { of } = await scanTiny(tiny, { main: 'second', fork: 'import' });
    expect(of('second')).toMatchObject({ state: 'imported' });
    expect(of('first')).toMatchObject({ state: 'pending' });
  });

  it('counts a backport to another branch as imported with the commit that it repeats', async () => {
    const message = 'store: Open files\n';
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        commit('one', 'base', 1100, note('a'), { message }),
        commit('backport', 'base', 1300, note('a'), { message, authorTime: 1100 }),
      ],
      fork: [
        commit('import', 'rename', 2500, note('a'), { message: `[import] ${message}`, authorTime: 1100 }),
      ],
    });
    const { of } = await scanTiny(tiny, { main: 'one', stable: 'backport', fork: 'import' });
    expect([of('one')?.state, of('backport')?.state]).toEqual(['imported', 'imported']);
    expect(of('backport')?.branch).toBe('stable');
  });

  it('is equivalent where a fork commit of somebody else makes the same change in its own words, once', async () => {
    const readme = (name: string): string => `${name}\nRead the ${name} guide.\n`;
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        commit('same', 'base', 1100, { 'README.md': readme('Quartz') }),
        commit('gone', 'same', 1200, { 'README.md': 'Quartz\n' }),
        commit('again', 'gone', 1300, { 'README.md': readme('Quartz') }),
      ],
      fork: [
        commit('own', 'rename', 2500, { 'README.md': readme('Onyx') }, { author: 'Pia <pia@example.org>' }),
      ],
    });
    const { of } = await scanTiny(tiny, { main: 'again', fork: 'own' });
    expect(of('same')).toMatchObject({ state: 'equivalent', fork: tiny.sha('own') });
    expect([of('gone')?.state, of('again')?.state]).toEqual(['pending', 'pending']);
  });

  it('is skipped, and not equivalent, where a rule names it as one that never comes over', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [commit('release', 'base', 1100, note('6.8'), { message: 'Release Quartz 6.8\n' })],
      fork: [
        commit('own', 'rename', 2500, note('6.8'), {
          message: 'Release Onyx 6.8\n',
          author: 'Pia <pia@example.org>',
        }),
      ],
    });
    const before = await scanTiny(tiny, { main: 'release', fork: 'own' });
    appendFileSync(
      join(tiny.rules, 'skip.yaml'),
      '  - { id: releases, description: Numbers of their own., subjects: ["Release Quartz "] }\n',
    );

    const { of } = await scanTiny(tiny, { main: 'release', fork: 'own' });

    expect(before.of('release')?.state).toBe('equivalent');
    expect(of('release')).toMatchObject({
      state: 'skipped',
      reason: 'rule releases: Numbers of their own.',
    });
  });

  it('comes back where upstream says that it picked it, and the courtesy list shows lag and duplicates', async () => {
    const fork = [commit('ours', 'rename', 2500, note('ours'), { author: 'Pia <pia@example.org>' })];
    const ours = makeTinyFork(temporaryFolder(), { fork }).sha('ours');
    const later = 2500 + 3 * 86_400;
    const tiny = makeTinyFork(temporaryFolder(), {
      fork,
      upstream: [
        commit('picked', 'base', later, note('ours'), {
          message: `Ours\n\n(cherry picked from commit ${ours})\n`,
        }),
        commit('twice', 'picked', later + 60, note('more'), {
          message: `Ours\n\n(cherry picked from ${ours})\n`,
        }),
        commit('address', 'twice', later + 120, note('most'), {
          message: `Ours\n\n(cherry picked from commit https://example.org/o/pull/1/commits/${ours})\n`,
        }),
      ],
    });
    const { of, open } = await scanTiny(tiny, { main: 'address', fork: 'ours' });
    expect(of('picked')).toMatchObject({ state: 'own', fork: ours });
    expect(open.scan.courtesy).toMatchObject([
      { fork: ours, upstream: tiny.sha('picked'), lagDays: 3, duplicates: [] },
      { fork: ours, upstream: tiny.sha('twice'), lagDays: 3, duplicates: [tiny.sha('picked')] },
      {
        fork: ours,
        upstream: tiny.sha('address'),
        lagDays: 3,
        duplicates: [tiny.sha('picked'), tiny.sha('twice')],
      },
    ]);
  });

  it('is skipped by a rule where that covers all of it, by subject or by files', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        commit('po', 'base', 1100, { 'po/de.po': 'msgid "b"\n' }),
        commit('half', 'po', 1200, { 'po/de.po': 'msgid "c"\n', 'notes.txt': 'x\n' }),
      ],
    });
    const { of } = await scanTiny(tiny, { main: 'half' });
    expect(of('po')).toMatchObject({ state: 'skipped', reason: expect.stringContaining('translations') });
    expect(of('half')?.state).toBe('pending');
  });

  it('is skipped by a rule only between the commits that the rule names', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        commit('before', 'base', 1100, note('one'), { message: 'gems: One\n' }),
        commit('since', 'before', 1200, note('two'), { message: 'gems: Two\n' }),
        commit('within', 'since', 1300, note('three'), { message: 'gems: Three\n' }),
        commit('until', 'within', 1400, note('four'), { message: 'gems: Four\n' }),
      ],
    });
    const [since, until] = [tiny.sha('since'), tiny.sha('until')];
    writeFileSync(
      join(tiny.rules, 'skip.yaml'),
      `skip: []\nleaveOut:\n  - { id: gems, description: The fork had no gems then., subjects: ["gems: *"], since: "${since}", until: "${until}" }\n`,
    );

    const { of } = await scanTiny(tiny, { main: 'until' });

    expect(['before', 'since', 'within', 'until'].map((name) => of(name)?.state)).toEqual([
      'pending',
      'skipped',
      'skipped',
      'pending',
    ]);
  });

  it('is skipped with its whole pull request where a rule names the merge', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        commit('one', 'base', 1100, note('one')),
        commit('two', 'one', 1200, note('two')),
        commit('beside', 'base', 1250, { 'other.txt': 'x\n' }),
        {
          ...commit('merge', 'beside', 1300, note('two')),
          merge: 'two',
          message: 'Merge pull request #7 from ann/no-gems\n',
        },
      ],
    });
    const rules = join(tiny.rules, 'skip.yaml');
    writeFileSync(
      rules,
      'skip: []\nleaveOut:\n  - { id: no-gems, description: The fork keeps its gems., merges: ["*/no-gems"] }\n',
    );

    const before = await scanTiny(tiny, { main: 'two' });
    const after = await scanTiny(tiny, { main: 'merge' });

    expect([before.of('one')?.state, before.of('two')?.state]).toEqual(['pending', 'pending']);
    expect(['one', 'two', 'beside'].map((name) => after.of(name)?.state)).toEqual([
      'skipped',
      'skipped',
      'pending',
    ]);
    expect(after.of('two')?.reason).toBe('rule no-gems: The fork keeps its gems.');
  });

  it('follows what people decided, and asks again once the path that they named changes', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        commit('skipped', 'base', 1100, note('a')),
        commit('again', 'skipped', 1200, note('b')),
        commit('parked', 'again', 1300, note('c')),
        commit('taken', 'parked', 1400, note('d')),
        commit('later', 'taken', 1500, { 'guide.txt': 'new\n' }),
      ],
    });
    const base = { by, on: '2026-01-31', why: 'We have no gems.' };
    const seen = { upstream: [tiny.sha('taken')], fork: tiny.sha('rename') };
    writeDecision(tiny.rules, {
      ...base,
      upstream: tiny.sha('skipped'),
      decision: 'skip',
      reason: 'not-wanted',
    });
    writeDecision(tiny.rules, {
      ...base,
      upstream: tiny.sha('again'),
      decision: 'skip',
      reason: 'does-not-apply',
      lookAgainWhen: 'guide.txt',
      seen,
    });
    writeDecision(tiny.rules, { ...base, upstream: tiny.sha('parked'), decision: 'park' });
    writeDecision(tiny.rules, {
      ...base,
      upstream: tiny.sha('taken'),
      decision: 'take',
      fork: tiny.sha('rename'),
    });
    const before = await scanTiny(tiny, { main: 'taken' });
    const after = await scanTiny(tiny, { main: 'later' });
    expect(before.of('skipped')).toMatchObject({
      state: 'skipped',
      reason: `not-wanted: We have no gems. (${by}, 2026-01-31)`,
    });
    expect(before.of('again')?.state).toBe('skipped');
    expect(after.of('again')).toMatchObject({
      state: 'pending',
      reason: expect.stringContaining(tiny.sha('later')),
    });
    expect(after.of('parked')?.state).toBe('parked');
    expect(after.of('taken')).toMatchObject({ state: 'imported', fork: tiny.sha('rename') });
  });

  it('counts what was begun before the fork point and merged after it', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        { name: 'early', time: 500, files: { COPYING: freeLicence, 'early.txt': 'x\n' } },
        { name: 'merge', from: 'base', merge: 'early', time: 1500, files: { 'early.txt': 'x\n' } },
      ],
    });
    const { of } = await scanTiny(tiny, { main: 'merge' });
    expect(of('early')?.state).toBe('pending');
  });
});

describe('the cache of scans', () => {
  it('changes nothing, full, empty, deleted or damaged', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        commit('one', 'base', 1100, note('one')),
        commit('closing', 'one', 1200, { COPYING: closedLicence }),
        commit('closed', 'closing', 1300, note('two')),
      ],
      fork: [commit('import', 'rename', 2500, note('one'), { authorTime: 1100 })],
    });
    const folder = temporaryFolder();
    const scan = async () => {
      const cache = openScanCache(folder, 'this version', () => {});
      const { open } = await scanTiny(tiny, { main: 'closed', fork: 'import', cache });
      cache.close();
      return open.scan;
    };
    const cold = await scan();
    const warm = await scan();
    rmSync(join(folder, 'scan.sqlite'));
    const again = await scan();
    writeFileSync(
      join(folder, 'scan.sqlite'),
      'no database at all, and longer than a header would be, by far '.repeat(100),
    );
    const damaged = await scan();
    const { open } = await scanTiny(tiny, { main: 'closed', fork: 'import' });
    expect(countStates(cold.commits)).toMatchObject({ imported: 1, blocked: 2 });
    expect([warm, again, damaged, open.scan]).toEqual([cold, cold, cold, cold]);
  });

  it('keeps what was added again and again, later values over earlier ones', () => {
    const folder = temporaryFolder();
    const expected: Record<string, unknown> = {};
    for (let time = 0; time < 70; time += 1) {
      const cache = openScanCache(folder, 'this version', () => {});
      const added = { [`only ${time}`]: time, 'every time': time };
      cache.add('facts', new Map(Object.entries(added)));
      Object.assign(expected, added);
      cache.close();
    }

    const cache = openScanCache(folder, 'this version', () => {});
    const isNumber = (value: unknown): value is number => typeof value === 'number';
    const [facts, verdicts] = [cache.read('facts', isNumber), cache.read('verdicts', isNumber)];
    cache.close();

    const keys = Object.keys(expected);
    expect(Object.fromEntries(keys.map((key) => [key, facts(key)]))).toEqual(expected);
    expect(keys.map(verdicts)).toEqual(keys.map(() => undefined));
  });

  it('is skipped with what it takes back, where a rule leaves that out', async () => {
    const upstream = [
      commit('po', 'base', 1100, { 'po/de.po': 'msgid "b"\n' }),
      commit('other', 'po', 1200, note('other')),
    ];
    const sha = makeTinyFork(temporaryFolder(), { upstream }).sha;
    const back = (name: string, of: string, from: string, time: number): FixtureCommit =>
      commit(
        name,
        from,
        time,
        { [`${name}.txt`]: 'x\n' },
        { message: `Revert "${of}"\n\nThis reverts commit ${sha(of)}.\n` },
      );
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [...upstream, back('back', 'po', 'other', 1300), back('again', 'other', 'back', 1400)],
    });

    const { of } = await scanTiny(tiny, { main: 'again' });

    expect(of('back')).toMatchObject({
      state: 'skipped',
      by: 'rule',
      reason: 'takes back what is left out by rule translations: Made anew after every import.',
      via: tiny.sha('po'),
    });
    expect(of('again')?.state).toBe('pending');
  });

  it("is the fork's own where it says after which commits of the fork it was made, on any branch", async () => {
    const fork = [
      commit('ours', 'rename', 2500, { 'ours.txt': 'x\n' }),
      commit('more', 'ours', 2600, { 'ours.txt': 'y\n' }),
    ];
    const { sha } = makeTinyFork(temporaryFolder(), { fork });
    const address = (name: string): string => `https://example.org/mine/onyx/pull/7/commits/${sha(name)}`;
    const made = (name: string, from: string, time: number, line: string): FixtureCommit =>
      commit(name, from, time, { [`${name}.txt`]: 'x\n' }, { message: `store: Do ${name}\n\n${line}\n` });
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        made('both', 'base', 3100, `Inspired-by: ${address('ours')}, ${address('more')}`),
        made('half', 'both', 3200, `Inspired by ${address('ours')} ${address('ours').slice(0, -1)}0`),
        made('seen', 'half', 3300, `See ${address('ours')}`),
      ],
      fork,
    });

    const { of } = await scanTiny(tiny, { main: 'seen', fork: 'more' });

    expect(of('both')).toMatchObject({ state: 'own', by: 'made-after', fork: tiny.sha('more') });
    expect(of('half')?.state).toBe('pending');
    expect(of('seen')?.state).toBe('pending');
  });
});
