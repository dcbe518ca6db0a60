// Text that upstream wrote to do harm: in terminals, pages and the arguments of git it is text and nothing else.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeTinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import type { FixtureCommit } from '../../../fixtures/histories/write-history.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const root = join(import.meta.dirname, '..', '..', '..');

function forkSync(args: readonly string[]) {
  const program = join(root, 'src', 'sync', 'cli', 'main.ts');
  return spawnSync(process.execPath, [program, ...args], { encoding: 'latin1', maxBuffer: 64 * 1024 * 1024 });
}

const cases: readonly (readonly [string, string | Buffer, FixtureCommit['files']])[] = [
  ['escape sequences', 'x \u001b[2J\u001b]0;title\u0007 \u009b31m y', { 'a.txt': '\u001b[2J\n' }],
  [
    'markup',
    '<script>alert(1)</script><img src=x onerror=alert(1)> "\'&',
    { 'a.txt': '</pre><script>1</script>\n' },
  ],
  ['a subject of 100 kB', `x${'y'.repeat(100_000)}`, { 'a.txt': `${'z'.repeat(100_000)}\n` }],
  [
    'bytes that are no UTF-8',
    Buffer.from([0x78, 0xff, 0xfe, 0xc0, 0x80, 0x79]),
    { 'a.txt': Buffer.from([0xff, 0xfe, 10]) },
  ],
  ['text that runs the other way', 'x \u202e\u2066gnirts\u200f y', { 'a.txt': '\u202e\n' }],
  ['a path that begins with a hyphen', 'paths', { '-rf': 'x\n', '--upload-pack=touch x': 'y\n' }],
  ['a path with quotes, blanks and markup', 'paths', { 'a "b" <b>\'$(id)`id`;&.txt': 'x\n' }],
  ['mentions, commands and orders to close', '@everyone /sync skip 1 Fixes #1', { 'a.txt': '@everyone\n' }],
];

describe('hostile text of upstream', () => {
  it.each(cases)('%s', { timeout: 60_000 }, (_, subject, files) => {
    const folder = temporaryFolder();
    const message = Buffer.concat([Buffer.from(subject), Buffer.from('\n\nMore.\n')]).toString('latin1');
    const tiny = makeTinyFork(folder, {
      upstream: [{ name: 'main', from: 'base', time: 1100, files, message: Buffer.from(message, 'latin1') }],
    });
    const page = join(folder, 'page.html');
    const common = [
      '--upstream',
      tiny.upstream,
      '--fork',
      tiny.fork,
      '--rules',
      tiny.rules,
      '--cache',
      tiny.cache,
      '--onto',
      'rename',
    ];
    const runs = [
      forkSync(['scan', ...common]),
      forkSync(['status', ...common]),
      forkSync(['status', tiny.sha('main'), ...common]),
      forkSync(['plan', '--html', page, ...common]),
      forkSync(['scan', '--json', ...common]),
      forkSync(['plan', '--json', ...common]),
    ];
    const html = readFileSync(page, 'utf8');

    expect(runs.map((run) => run.status)).toEqual([0, 0, 0, 0, 0, 0]);
    for (const run of runs.slice(0, 4)) {
      const text = Buffer.from(run.stdout + run.stderr, 'latin1').toString('utf8');
      expect(text).not.toMatch(
        /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/,
      );
      expect(text.length).toBeLessThan(6000);
    }
    for (const run of runs.slice(4))
      expect(() => JSON.parse(Buffer.from(run.stdout, 'latin1').toString('utf8'))).not.toThrow();
    // Only tags that the page has without any commit.
    const tags = new Set(
      [...html.matchAll(/<\/?([a-z!][a-z0-9]*)/gi)].map((match) => (match[1] ?? '').toLowerCase()),
    );
    const ours = [
      '!doctype',
      'html',
      'head',
      'meta',
      'title',
      'style',
      'body',
      'h1',
      'h2',
      'h3',
      'h4',
      'p',
      'code',
      'input',
      'label',
      'main',
      'section',
      'details',
      'summary',
      'span',
      'ul',
      'li',
      'div',
      'pre',
      'b',
      'br',
    ];
    expect([...tags].filter((tag) => !ours.includes(tag))).toEqual([]);
    const inTags = [...html.matchAll(/<[^>]*>/g)].join('\n');
    expect(inTags).not.toMatch(/ on[a-z]+=|javascript:|src=|href=|<script/i);
    expect(html).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  });

  it('a path with a newline is one path', { timeout: 60_000 }, () => {
    const folder = temporaryFolder();
    const tiny = makeTinyFork(folder, {
      upstream: [{ name: 'main', from: 'base', time: 1100, files: { '"two\\nlines\\tof text.txt"': 'x\n' } }],
    });
    const common = [
      '--upstream',
      tiny.upstream,
      '--fork',
      tiny.fork,
      '--rules',
      tiny.rules,
      '--cache',
      tiny.cache,
      '--onto',
      'rename',
    ];
    const plan = JSON.parse(forkSync(['plan', '--json', ...common]).stdout);
    expect(plan.groups[0].picks[0].files[0].path).toBe('two\nlines\tof text.txt');
  });
});
