import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeTinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { openEngine } from '../../../src/sync/pick/open-engine.ts';
import { ablate } from '../../../src/sync/replay/ablate.ts';
import {
  formatAblations,
  formatBuilds,
  formatScanFigures,
  formatScores,
} from '../../../src/sync/replay/format-score.ts';
import { replayIsolated } from '../../../src/sync/replay/isolate.ts';
import { measureBuilds } from '../../../src/sync/replay/measure-builds.ts';
import { measureDrift } from '../../../src/sync/replay/measure-drift.ts';
import { readPairs } from '../../../src/sync/replay/read-pairs.ts';
import { replayPairs, sumUp } from '../../../src/sync/replay/replay-pairs.ts';
import { measureScan } from '../../../src/sync/replay/scan-figures.ts';
import { createReplayPage } from '../../../src/sync/report/replay-page.ts';
import { countHits } from '../../../src/sync/rules/count-hits.ts';
import { loadPack } from '../../../src/sync/rules/load-pack.ts';
import type { RulePack } from '../../../src/sync/rules/model.ts';
import {
  createSubstitutionCounter,
  formatSuggestion,
  suggestFromDrift,
} from '../../../src/sync/rules/suggest-rules.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { scanTiny } from '../scanned.ts';

/** Two imports: one as the rules have it, one in which people chose another word. */
function openScene() {
  const folder = temporaryFolder();
  const tiny = makeTinyFork(folder, {
    upstream: [
      { name: 'one', from: 'base', time: 2100, files: { 'README.md': 'Quartz\nOne line\n' } },
      {
        name: 'two',
        from: 'one',
        time: 2200,
        files: { 'scripts/run.sh': '#!/bin/sh\nQUARTZ_DIR=/var/lib/quartz\nqz list\nqz stop <b>\n' },
      },
    ],
    fork: [
      {
        name: 'our-one',
        from: 'rename',
        time: 3100,
        authorTime: 2100,
        files: { 'README.md': 'Onyx\nOne line\n' },
      },
      {
        name: 'our-two',
        from: 'our-one',
        time: 3200,
        authorTime: 2200,
        files: { 'scripts/run.sh': '#!/bin/sh\nONYX_DIR=/var/lib/onyx\nox list\nox halt <b>\n' },
      },
    ],
  });
  const pairs = [
    { upstream: tiny.sha('one'), fork: tiny.sha('our-one') },
    { upstream: tiny.sha('two'), fork: tiny.sha('our-two') },
  ];
  return { folder, tiny, pairs, pack: loadPack(tiny.rules) };
}

describe('replay', () => {
  it('scores picks against what people committed, and shows the others side by side', async () => {
    const { tiny, pairs, pack } = openScene();
    const engine = await openEngine({ ...tiny, pack, program: 'engine.ts' });
    const page = createReplayPage();
    try {
      const replayed = await replayPairs(engine, pairs, (one, pick, prepared) =>
        page.add(engine.objects, one, pick, prepared),
      );
      const score = sumUp(replayed);
      const html = page.finish(score);
      expect(score).toMatchObject({ pairs: 2, exact: 1, wrongFiles: { shell: 1 } });
      expect(replayed[1]?.wrong).toEqual([{ path: 'scripts/run.sh', class: 'shell', blanksOnly: false }]);
      expect(html).toContain('ox halt &lt;b&gt;');
      expect(html).not.toContain('<b>');
      expect(formatScores([{ name: 'all', score }])).toContain('1 (50.0 %)');
    } finally {
      await engine.close();
    }
  });

  it('measures what a scan recognises without any trailer', async () => {
    const folder = temporaryFolder();
    const change = (text: string) => ({ 'notes.txt': `${text}\n` });
    const tiny = makeTinyFork(folder, {
      upstream: [
        { name: 'one', from: 'base', time: 2100, message: 'notes: One word\n', files: change('one') },
        {
          name: 'two',
          from: 'one',
          time: 2200,
          authorTime: 2100,
          message: 'notes: Other words\n',
          files: change('two'),
        },
        { name: 'po', from: 'two', time: 2300, files: { 'po/de.po': 'msgid "b"\n' } },
        {
          name: 'back',
          from: 'po',
          time: 9000,
          authorTime: 3300,
          message: 'Ours\n\nLicense: Free-1.0\n',
          files: change('ours'),
        },
        {
          name: 'main',
          from: 'back',
          time: 9100,
          message: 'Theirs\n\nLicense: Free-1.0\n',
          files: change('theirs'),
        },
      ],
      fork: [
        {
          name: 'our-one',
          from: 'rename',
          time: 3100,
          authorTime: 2100,
          message: '[import] notes: One word\n',
          files: change('one'),
        },
        {
          name: 'our-two',
          from: 'our-one',
          time: 3200,
          authorTime: 2100,
          message: '[import] notes: Other words\n',
          files: change('two'),
        },
        { name: 'ours', from: 'our-two', time: 3300, files: change('ours') },
        {
          name: 'unknown',
          from: 'ours',
          time: 3400,
          message: '[import] From nowhere\n',
          files: change('nowhere'),
        },
      ],
    });
    const pairs = [
      { upstream: tiny.sha('one'), fork: tiny.sha('our-one') },
      { upstream: tiny.sha('po'), fork: tiny.sha('our-two') },
    ];
    const { engine, open } = await scanTiny(tiny, { main: 'main', fork: 'unknown' });

    const figures = await measureScan(engine, open.scan, pairs);

    expect(figures).toMatchObject({
      branch: 'main',
      imports: 3,
      found: 2,
      doubled: 2,
      toldApart: 2,
      pairs: 2,
      pairsRight: 1,
      pairsLeftOut: { translations: 1 },
      claiming: 2,
      claimingOwn: 1,
      branches: { main: { imported: 2, own: 1, skipped: 1, pending: 1 } },
    });
    expect(formatScanFigures(figures)).toMatch(/told apart +2 of 2/);
  });

  it('gives the same shas in repositories that hold only what a pick may see', async () => {
    const { tiny, pairs, pack } = openScene();
    const engine = await openEngine({ ...tiny, pack, program: 'engine.ts' });
    try {
      const replayed = await replayPairs(engine, pairs, async () => {});
      expect(await replayIsolated(engine, { cache: tiny.cache }, pack, replayed, 2)).toEqual({
        repeated: 2,
        same: 2,
        different: [],
      });
    } finally {
      await engine.close();
    }
  });

  it('works on a shallow clone that reaches the fork point', async () => {
    const { folder, tiny, pairs, pack } = openScene();
    const shallow = join(folder, 'shallow.git');
    execFileSync(
      'git',
      ['clone', '--quiet', '--bare', '--depth=4', '--branch=our-two', `file://${tiny.fork}`, shallow],
      { stdio: 'ignore' },
    );
    const results: string[] = [];
    for (const fork of [tiny.fork, shallow]) {
      const engine = await openEngine({ ...tiny, fork, pack, program: 'engine.ts' });
      const request = { upstream: pairs[1]?.upstream ?? '', onto: tiny.sha('our-one') };
      for await (const { result } of engine.pick([request], { keep: true }))
        results.push(String(result.commit));
      await engine.close();
    }
    expect(results[0]).toBe(results[1]);
    expect(results[0]).toMatch(/^[0-9a-f]{40}$/);
  });

  it('says what each rule is worth', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [{ name: 'one', from: 'base', time: 2100, files: { 'notes.txt': 'quartzd runs\n' } }],
      fork: [
        {
          name: 'our-one',
          from: 'rename',
          time: 3100,
          authorTime: 2100,
          files: { 'notes.txt': 'onyxd runs\n' },
        },
      ],
    });
    const pairs = [{ upstream: tiny.sha('one'), fork: tiny.sha('our-one') }];
    const open = (pack: RulePack) => openEngine({ ...tiny, pack, program: 'engine.ts' });
    const engine = await open(loadPack(tiny.rules));
    try {
      const whole = await replayPairs(engine, pairs);
      const ablations = await ablate(open, engine, pairs, whole, ['lower-name', 'mineral']);
      expect(ablations).toEqual([
        { rule: 'lower-name', concerned: 1, exact: -1, clean: 1, conflicts: 0, changed: 1 },
        { rule: 'mineral', concerned: 0, exact: 0, clean: 0, conflicts: 0, changed: 0 },
      ]);
      expect(formatAblations(ablations)).toMatch(/lower-name +-1[\s\S]*1 rules change nothing/);
    } finally {
      await engine.close();
    }
  });

  it('counts hits of rules, and measures what rules do not explain', async () => {
    const { tiny, pairs, pack } = openScene();
    const engine = await openEngine({ ...tiny, pack, program: 'engine.ts' });
    try {
      const hits = await countHits(
        pack,
        engine.objects,
        pairs.map((pair) => pair.upstream),
      );
      const drift = await measureDrift(engine, tiny.sha('our-two'));
      expect(hits.get('client')).toMatchObject({ hits: 1, commits: 1 });
      expect(hits.has('mineral')).toBe(false);
      expect(drift.gone).toBe(0);
      expect(drift.files.find((file) => file.upstream === 'doc/extensions.md')).toMatchObject({ lines: 0 });
      expect(drift.unexplained.map(({ upstream, rules, fork }) => [upstream, rules, fork])).toContainEqual([
        'A',
        'An',
        'A',
      ]);
    } finally {
      await engine.close();
    }
  });
});

describe('suggestions', () => {
  it('are rules with their evidence', () => {
    const counter = createSubstitutionCounter();
    counter.add('run the onyx tool\n', 'run the gem tool\n', 'aaa');
    counter.add('see the onyx here\n', 'see the gem here\n', 'bbb');
    const [first] = counter.list();
    expect(first).toMatchObject({ from: 'onyx', to: 'gem', count: 2, seenIn: ['aaa', 'bbb'] });
    expect(formatSuggestion(first ?? { from: '', to: '', count: 0, seenIn: [] })).toContain('id: onyx-gem');
  });
});

describe('suggestions from drift', () => {
  it('are what the fork has in several files and more often than what the rules write', () => {
    const seen = { count: 4, files: ['a.go', 'b.go'], right: 0 };
    const suggested = suggestFromDrift(
      [
        { ...seen, upstream: 'quartzPID', rules: 'onyxPID', fork: 'daemonPID' },
        {
          ...seen,
          upstream: 'shared.Old',
          rules: 'shared.Old',
          fork: 'util.New',
          packages: { upstream: 'shared', fork: 'shared/util' },
        },
        { ...seen, upstream: 'quartz', rules: 'onyx', fork: 'the server' },
        { ...seen, upstream: 'quartz', rules: 'onyx', fork: 'gem', right: 9 },
        { ...seen, upstream: 'quartz', rules: 'onyx', fork: 'stone', files: ['a.go'] },
        { ...seen, upstream: 'word', rules: 'word', fork: 'other' },
      ],
      (word) => word.includes('quartz'),
    );
    expect(suggested).toHaveLength(2);
    expect(suggested[0]).toContain('from: "quartzPID"\n    to: "daemonPID"');
    expect(suggested[1]).toContain('package: shared\n    to: shared/util\n    renamed: { Old: New }');
  });
});

describe('readPairs', () => {
  it('reads pairs and names the line that is wrong', () => {
    const path = join(temporaryFolder(), 'pairs.tsv');
    const sha = 'a'.repeat(40);
    writeFileSync(path, `# a comment\n${sha}\t${sha}\t2023-10-01\n`);
    expect(readPairs(path)).toEqual([{ upstream: sha, fork: sha }]);
    writeFileSync(path, `${sha}\n`);
    expect(() => readPairs(path)).toThrow(/line 1/);
    expect(() => readPairs('/nonexistent')).toThrow(/ENOENT/);
  });

  it('takes a half whose pull request is among the pairs, and builds what the picks touched', async () => {
    const make = (parameters: string): string =>
      `package tool\n\n// Make makes it.\nfunc Make(${parameters}) string {\n\treturn name\n}\n`;
    const use = (call: string): string =>
      `package tool\n\n// Use uses it.\nfunc Use() string {\n\treturn ${call}\n}\n`;
    const both = (time: number, name: string, from: string, files: Readonly<Record<string, string>>) => ({
      name,
      from,
      time,
      files,
    });
    const wider = { 'tool/make.go': make('name, kind string') };
    const given = { 'tool/use.go': use('Make("a", "b")') };
    const tiny = makeTinyFork(temporaryFolder(), {
      shared: [
        both(1100, 'tool', 'base', { 'tool/make.go': make('name string'), 'tool/use.go': use('Make("a")') }),
      ],
      upstream: [both(2100, 'half', 'tool', wider), both(2200, 'rest', 'half', given)],
      fork: [both(3100, 'our-half', 'rename', wider), both(3200, 'our-rest', 'our-half', given)],
    });
    const pair = (upstream: string, fork: string) => ({ upstream: tiny.sha(upstream), fork: tiny.sha(fork) });
    const engine = await openEngine({ ...tiny, pack: loadPack(tiny.rules), program: 'engine.ts' });
    const replay = (...pairs: readonly { readonly upstream: string; readonly fork: string }[]) =>
      replayPairs(engine, pairs, async () => {});

    const together = await replay(pair('half', 'our-half'), pair('rest', 'our-rest'));
    const alone = await replay(pair('half', 'our-half'));
    // What a machine builds is what its Go says: this one takes only the second of the two.
    const verdict = (commit: string) =>
      commit === together[0]?.commit ? new Map([['tool', 'no']]) : new Map();
    const builder = {
      build: async (commit: string) => ({ packages: ['tool'], failed: verdict(commit), unknown: new Map() }),
      close: () => {},
    };
    const builds = await measureBuilds(engine.objects, builder, together, () => {});
    await engine.close();

    expect(together.map(({ status, exact, doubts }) => [status, exact, doubts])).toEqual([
      ['clean', true, []],
      ['clean', true, []],
    ]);
    expect(alone.map(({ status, exact, doubts }) => [status, exact, doubts])).toEqual([
      ['review', true, ['counts-differ']],
    ]);
    expect(formatBuilds(builds)).toBe(
      [
        'built with Go: 1 picks build; 1 do not (1 of them halves that their pull request finishes); of 0 nothing is known',
        `  ${tiny.sha('half').slice(0, 12)} (clean, exact, half): tool: no`,
      ].join('\n'),
    );
  });
});
