import fc from 'fast-check';
import { micromark } from 'micromark';
import { gfm, gfmHtml } from 'micromark-extension-gfm';
import { describe, expect, it } from 'vitest';
import { formatDashboard } from '../../../src/sync/publish/dashboard.ts';
import { type CommentContext, formatPlanComment } from '../../../src/sync/publish/plan-comment.ts';
import type { PickEntry, PlanEntry, PublishPlan } from '../../../src/sync/publish/publish-plan.ts';
import { formatBody, formatTitle } from '../../../src/sync/publish/pull-request-text.ts';
import { splitComment } from '../../../src/sync/publish/split-comment.ts';
import { anyText } from '../../any-text.ts';

const render = (markdown: string): string =>
  micromark(markdown, { allowDangerousHtml: true, extensions: [gfm()], htmlExtensions: [gfmHtml()] });
const outsideCode = (html: string): string => html.replace(/<code[^>]*>[^<]*<\/code>/g, '');

const entry = (number: number, more: Partial<PickEntry> = {}): PickEntry => ({
  state: 'clean',
  upstream: number.toString(16).padStart(40, 'a'),
  subject: 'a subject',
  commit: 'c'.repeat(40),
  licence: ['COPYING: Free-1.0'],
  files: [{ path: 'a.txt', from: 'a.txt', how: 'merged' }],
  doubts: [],
  conflicts: [],
  reasons: [],
  remaining: [],
  ...more,
});
const plan = (entries: readonly PlanEntry[]): PublishPlan => ({
  upstream: { name: 'Quartz', branch: 'main', tip: 'b'.repeat(40) },
  onto: 'd'.repeat(40),
  head: 'e'.repeat(40),
  entries,
  waiting: 2,
  standing: { pending: 3, blocked: 0, imported: 7 },
});
const context: CommentContext = {
  pullRequest: 'https://example.org/mine/onyx/pull/1',
  branch: 'sync/quartz',
  cloneUrl: 'https://example.org/mine/onyx.git',
  remoteHead: 'e'.repeat(40),
  links: {
    upstream: 'https://example.org/quartz/commit/',
    fork: 'https://example.org/mine/onyx/commit/',
  },
  notices: [],
};

describe('the plan comment', () => {
  it('has a row for what is ready, the remaining difference folded, and how to sign', () => {
    const [text = '', ...more] = formatPlanComment(
      plan([
        entry(1),
        entry(2, { state: 'review', remaining: ['@@ a.txt @@', '- +old', '+ +new'] }),
        { state: 'blocked', upstream: 'f'.repeat(40), subject: 'theirs', reasons: ['Closed-1.0'] },
      ]),
      context,
    );
    const html = render(text);
    expect(more).toEqual([]);
    expect(html.match(/<tr>/g)).toHaveLength(2);
    expect(html).toContain('clean, equal after renaming');
    expect(html.match(/<details>[\s\S]*<\/details>/)?.[0]).toContain('+ +new');
    expect(html).toContain('git rebase --signoff dddddddddddd');
    // Of what the licence bars, nothing is linked to.
    expect(html).toContain('<code>ffffffffffff</code> <code>theirs</code>');
    expect(html).not.toContain(`commit/${'f'.repeat(40)}`);
    expect(html).toContain(`<a href="https://example.org/quartz/commit/${entry(1).upstream}">`);
  });

  it('begins with what a person has to do, then what is ready, then the rest in one folded line', () => {
    const skipped = (number: number): PlanEntry => ({
      state: 'skipped',
      upstream: number.toString(16).padStart(40, 'b'),
      subject: `away ${number}`,
      reasons: ['a rule leaves it out'],
    });
    const conflict = entry(3, {
      state: 'conflict',
      commit: undefined,
      conflicts: [
        {
          path: 'b.go',
          type: 'really-diverged',
          why: 'both sides changed the same lines',
          next: '',
          hunks: [{ line: 7, ours: '\tours\n', base: '', theirs: '\ttheirs\n' }],
          forkCommit: '9'.repeat(40),
        },
      ],
    });
    const review = entry(2, { state: 'review', doubts: [{ path: 'c.go', rule: 'blanks', why: 'look' }] });
    const waits: PlanEntry = {
      state: 'parked',
      upstream: 'c'.repeat(40),
      subject: 'later',
      reasons: [`builds on ${conflict.upstream.slice(0, 12)}, which is parked`],
    };

    const [text = ''] = formatPlanComment(
      plan([skipped(1), entry(1), review, skipped(2), conflict, waits]),
      context,
    );

    const order = [
      'For a person: 1 review, 1 conflict',
      '**conflict** [`',
      '`b.go`: **really-diverged**',
      'last changed in the fork by [`999999999999`](https://example.org/mine/onyx/commit/9',
      `fork-sync checkout https://example.org/mine/onyx/pull/1 DIR --commit ${conflict.upstream.slice(0, 12)}`,
      '-\tours\n+\ttheirs',
      '**review** [`',
      '- look at `c.go`',
      '| commit | status |',
      '<summary>What stays away: 2 skipped, 1 parked</summary>',
      '- **skipped** `a rule leaves it out`: 2',
      `builds on\` [\`${conflict.upstream.slice(0, 12)}\`](https://example.org/quartz/commit/${conflict.upstream})`,
      'git rebase --signoff',
    ].map((part) => text.indexOf(part));
    expect(order).not.toContain(-1);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(text.match(/a rule leaves it out/g)).toHaveLength(1);
  });

  it('says once what proves the licence, and of which commits it is something else', () => {
    const [text = ''] = formatPlanComment(
      plan([entry(1), entry(2), entry(3, { licence: ['shared/COPYING: Free-2.0'] })]),
      context,
    );

    expect(text.match(/COPYING: Free-1\.0/g)).toHaveLength(1);
    expect(text).toContain('- `COPYING: Free-1.0`: 2 of them');
    expect(text).toContain(`- \`shared/COPYING: Free-2.0\`: [\`${entry(3).upstream.slice(0, 12)}\`]`);
  });

  it('is cut into comments that the forge takes, each with the head of its table, nothing lost', () => {
    const entries = Array.from({ length: 190 }, (_, index) =>
      entry(index, {
        state: 'review',
        remaining: Array.from({ length: 40 }, (_x, line) => `+ +line ${line} of ${index}`),
      }),
    );
    const texts = formatPlanComment(plan(entries), context);
    expect(texts.length).toBeGreaterThan(3);
    for (const text of texts) expect(Buffer.byteLength(text)).toBeLessThan(65_400);
    expect(texts[0]).toContain(`(1 of ${texts.length})`);
    const all = texts.map((text) => outsideCode(render(text))).join('');
    expect(all.match(/<details>/g)?.length).toBe(all.match(/<\/details>/g)?.length);
    const whole = texts.join('');
    for (const { upstream } of entries) expect(whole).toContain(upstream.slice(28));
    expect(whole).toContain('line 39 of 189');
  });

  it('cuts what is too long by itself at a line, closes what is open, and says so', () => {
    const huge = Array.from({ length: 3000 }, (_, line) => `+ +${'x'.repeat(300)} ${line}`);
    const texts = formatPlanComment(plan([entry(1, { state: 'conflict', remaining: huge })]), context);
    for (const text of texts) {
      expect(Buffer.byteLength(text)).toBeLessThan(65_400);
      const html = outsideCode(render(text));
      expect(html.match(/<details>/g)?.length).toBe(html.match(/<\/details>/g)?.length);
      expect(html).not.toContain('xxx');
    }
    expect(texts.join('')).toMatch(/more lines/);
  });

  it('lets nothing foreign out of code, whatever a commit says', () => {
    const hostile = fc.oneof(
      anyText,
      fc.constantFrom(
        '@mia',
        'Fixes #1',
        '</details><b>',
        '| a | b |',
        '/sync retry',
        '```',
        '<!-- fork-sync plan 1 0 -->',
      ),
    );
    const foreign = fc.array(hostile, { maxLength: 3 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(foreign, foreign, foreign, foreign, (subject, path, why, line) => {
        const marked = (text: string): string => `@mia${text}@mia #1`;
        const bad = entry(1, {
          state: 'conflict',
          subject: marked(subject),
          licence: [marked(why)],
          files: [{ path: marked(path), from: '', how: 'added' }],
          doubts: [{ path: marked(path), rule: 'x', why: marked(why) }],
          conflicts: [
            {
              path: marked(path),
              type: 'really-diverged',
              why: marked(why),
              next: '',
              hunks: [{ line: 1, ours: marked(line), base: '', theirs: marked(line) }],
            },
          ],
          reasons: [marked(why)],
          remaining: [marked(line)],
        });
        const listed: PlanEntry = {
          state: 'skipped',
          upstream: 'f'.repeat(40),
          subject: marked(subject),
          reasons: [marked(why)],
        };
        const of = plan([bad, listed]);
        const texts = [
          ...formatPlanComment(of, context),
          formatDashboard([
            { plan: of, outcome: 'Done.', pullRequest: undefined, notices: [], links: context.links },
          ]),
          formatBody(of),
        ];
        for (const text of texts) {
          const html = outsideCode(render(text));
          expect(html).not.toMatch(/@mia|#1|fixes/i);
          expect(html.match(/<details>/g)?.length).toBe(html.match(/<\/details>/g)?.length);
          for (const one of text.split('\n')) expect(one).not.toMatch(/^\/|^<!--/);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('the dashboard', () => {
  it('says where the queue stands, and nothing that changes by itself', () => {
    const lines = [
      {
        plan: plan([entry(1, { state: 'conflict' })]),
        outcome: 'Done.',
        pullRequest: undefined,
        notices: [],
        links: context.links,
      },
    ];
    const text = formatDashboard(lines);
    expect(text).toContain('1 conflict; 2 more wait');
    expect(text).toContain('3 pending, 7 imported.');
    expect(formatDashboard(lines)).toBe(text);
  });
});

describe('the text of a pull request', () => {
  it('says in three paragraphs what is in it, what a person has to do, and whose it is', () => {
    const paragraphs = formatBody(plan([entry(1), entry(2, { state: 'review' })])).split('\n\n');

    expect(paragraphs).toHaveLength(3);
    expect(paragraphs[0]).toBe(
      '2 commits of Quartz `main` in 1 file, from `a subject` on, carried over by fork-sync.',
    );
    expect(paragraphs[1]).toBe('For a person: 1 review; the comment below begins with them.');
    expect(paragraphs[2]).toContain('nobody has signed for anybody');
  });
});

describe('a title', () => {
  const stable = ['stable-'];

  it('counts, or takes the subject of a single commit, and never grows too long', () => {
    const title = (entries: readonly PlanEntry[]): string =>
      formatTitle(
        '[import] {commits} from {name} {branch} (stable-6.0)',
        'stable-6.0',
        plan(entries),
        stable,
      );
    expect(title([entry(1), entry(2)])).toBe('[import] 2 commits from Quartz main (stable-6.0)');
    expect(title([entry(1, { subject: 'Fixes #1 by @mia' })])).not.toMatch(/fixes|#1|@mia/i);
    expect(title([entry(1, { subject: 'x'.repeat(9000) })]).length).toBeLessThanOrEqual(256);
  });

  it.each([
    ['{commits}', 'stable-6.0', '2 commits (stable-6.0)'],
    ['{commits} (stable-6.0)', 'stable-6.0', '2 commits (stable-6.0)'],
    ['{commits} ({base})', 'stable-6.0', '2 commits (stable-6.0)'],
    ['{commits}', 'main', '2 commits'],
    ['{commits}', 'stable-website', '2 commits'],
  ])('of %s onto %s is %s: a stable branch is named at the end', (template, base, title) => {
    expect(formatTitle(template, base, plan([entry(1), entry(2)]), stable)).toBe(title);
  });

  it('names no branch at its end where the pack knows no stable ones, or others', () => {
    const title = (beginnings?: readonly string[]): string =>
      formatTitle('{commits}', 'stable-6.0', plan([entry(1), entry(2)]), beginnings);
    expect([title(), title(['release/'])]).toEqual(['2 commits', '2 commits']);
  });

  it('does not name the branch twice where the subject of a single commit does', () => {
    const subject = 'Backport it (stable-6.0)';
    expect(formatTitle('{commits}', 'stable-6.0', plan([entry(1, { subject })]), stable)).toBe(subject);
  });

  it('does not take over the name of a branch from the end of a subject', () => {
    const subject = 'Backport it (stable-5.0)';
    const title = formatTitle('{commits}', 'main', plan([entry(1, { subject })]), stable);
    expect(title).toBe('Backport it stable-5.0');
  });

  it('keeps the end of its title, by which the fork knows the branch, and fills nothing into a subject', () => {
    const template = `${'long '.repeat(30)}{commits} ({base})`;
    const long = formatTitle(
      template,
      'stable-6.0',
      plan([entry(1, { subject: 'word '.repeat(60) })]),
      stable,
    );
    const braces = formatTitle(
      '{commits} {name}',
      'main',
      plan([entry(1, { subject: 'x {name} {tip} {y}' })]),
      stable,
    );
    expect([...long]).toHaveLength(256);
    expect(long).toMatch(/ word wo… \(stable-6\.0\)$/);
    expect(braces).toBe('x {name} {tip} {y} Quartz');
  });
});

describe('splitting', () => {
  it('keeps all pieces in order, below the limit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, maxLength: 60 }).filter((text) => !/[\n`]/.test(text))),
        (texts) => {
          const parts = splitComment(
            'T',
            texts.map((text) => ({ text })),
            1000,
          );
          for (const part of parts) expect(Buffer.byteLength(part)).toBeLessThanOrEqual(1000);
          const lines = parts.flatMap((part) => part.split('\n').slice(1)).filter((line) => line !== '');
          expect(lines).toEqual(texts);
        },
      ),
    );
  });
});
