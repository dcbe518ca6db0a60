// Text that upstream wrote to do harm: in terminals, pages and the arguments of git it is text and nothing else.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTinyFork, type TinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import type { FixtureCommit } from '../../../fixtures/histories/write-history.ts';
import type { RunPlan } from '../../../src/sync/plan/run-plan.ts';
import type { Scan } from '../../../src/sync/scan/scan-result.ts';
import { forkSync, repositoriesOf } from '../fork-sync.ts';

interface Case {
  readonly name: string;
  readonly subject?: string | Buffer;
  readonly author?: string;
  readonly files: FixtureCommit['files'];
  /** What the fork has under the same names, so that the pick is a conflict. */
  readonly fork?: FixtureCommit['files'];
}

const cases: readonly Case[] = [
  {
    name: 'escape sequences',
    subject: 'x \u001b[2J\u001b]0;title\u0007 \u009b31m y',
    files: { 'escapes.txt': '\u001b[2J\n' },
  },
  {
    name: 'markup',
    subject: '<script>alert(1)</script><img src=x onerror=alert(1)> "\'&',
    files: { 'markup.txt': '</pre><script>1</script>\n' },
  },
  {
    name: 'what ends a style sheet or a title',
    subject: '</style></title><script>alert(1)</script>{}*/',
    files: { 'style.txt': '</style>\n' },
  },
  {
    name: 'a subject of 100 kB',
    subject: `x${'y'.repeat(100_000)}`,
    files: { 'long.txt': `${'z'.repeat(100_000)}\n` },
  },
  {
    name: 'bytes that are no UTF-8',
    subject: Buffer.from([0x78, 0xff, 0xfe, 0xc0, 0x80, 0x79]),
    files: { 'bytes.txt': Buffer.from([0xff, 0xfe, 10]) },
  },
  {
    name: 'text that runs the other way',
    subject: 'x \u202e\u2066gnirts\u200f y',
    files: { 'reverse.txt': '\u202e\n' },
  },
  {
    name: 'lines within a line',
    subject: 'x\u2028y\u0085z\rw\u000bv',
    files: { 'lines.txt': 'a\rb\u2028c\n' },
  },
  { name: 'a subject like an option', subject: '--upload-pack=touch made', files: { 'option.txt': 'x\n' } },
  { name: 'a path that begins with a hyphen', files: { '-rf': 'x\n', '--upload-pack=touch made': 'y\n' } },
  { name: 'a path with a newline', files: { 'two\nlines\tof text.txt': 'x\n' } },
  { name: 'a path with escape sequences', files: { 'x\u001b[2J\u202e.txt': 'x\n' } },
  {
    name: 'a path with quotes, blanks and markup',
    files: { 'a "b" <b>\'$(touch made)`touch made`;&.txt': 'x\n' },
  },
  {
    name: 'a path like magic of git, in a conflict',
    files: { ':(top)*<i>\n-x': 'one\n' },
    fork: { ':(top)*<i>\n-x': 'two\n' },
  },
  {
    name: 'mentions, commands and orders to close',
    subject: '@everyone /sync skip 1 Fixes #1',
    files: { 'mention.txt': '@everyone\n' },
  },
  {
    name: 'an author with escape sequences',
    author: '&lt;b\u001b[2J\u202e <x@example.org>',
    files: { 'author.txt': 'x\n' },
  },
];

const unsafe = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const statusOf = new Set(
  ['escape sequences', 'a subject of 100 kB', 'lines within a line'].map((name) =>
    cases.findIndex((one) => one.name === name),
  ),
);
const names = cases.map((_, index) => `case-${index}`);

let folder = '';
let tiny: TinyFork;
let scan: Scan;
let plan: RunPlan;
/** What people read: outputs in a terminal, both streams of each, by the command. */
const said = new Map<string, string>();
const pages = new Map<string, string>();
/** Blobs of the last pick by their paths, as git reads them. */
const tip = new Map<string, string>();

/** What it said, both streams together. */
function sayings(args: readonly string[]): string {
  const { status, stdout, stderr } = forkSync(args, { cwd: folder });
  // 3: one of the picks is a conflict, as it has to be.
  expect([0, 3], `${args.join(' ')}: ${stderr}`).toContain(status);
  return stdout + stderr;
}

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'lxd-to-incus-test-')));
  tiny = makeTinyFork(join(folder, 'made-before'), {
    upstream: cases.map(({ name, subject = name, author, files }, index) => ({
      name: `case-${index}`,
      from: index === 0 ? 'base' : `case-${index - 1}`,
      time: 1100 + index,
      message: Buffer.concat([Buffer.from(subject), Buffer.from('\n\nMore.\n')]),
      ...(author === undefined ? {} : { author }),
      files,
    })),
    fork: [
      {
        name: 'fork',
        from: 'rename',
        time: 2500,
        files: Object.assign({}, ...cases.map((one) => one.fork ?? {})),
      },
    ],
  });
  const repositories = repositoriesOf(tiny);
  const common = [...repositories, '--branch', `main=${tiny.sha(names.at(-1) ?? '')}`, '--onto', 'fork'];
  for (const command of ['scan', 'status', 'plan']) said.set(command, sayings([command, ...common]));
  said.set('pick', sayings(['pick', ...names, ...repositories, '--onto', 'fork']));
  // Status says all of a subject, where scan cuts it; the first cases have what terminals could obey.
  for (const name of names.filter((_, index) => statusOf.has(index)))
    said.set(`status ${name}`, sayings(['status', tiny.sha(name), ...common]));
  sayings(['report', 'report.html', ...common]);
  scan = JSON.parse(sayings(['scan', '--json', '--html', 'scan.html', ...common]));
  plan = JSON.parse(sayings(['plan', '--json', ...common]));
  const scratch = readdirSync(tiny.cache).find((name) => name.endsWith('.git')) ?? '';
  const gitDir = `--git-dir=${join(tiny.cache, scratch)}`;
  const listed = execFileSync('git', [gitDir, 'ls-tree', '-r', '-z', plan.tip]).toString('utf8');
  for (const entry of listed.split('\0')) {
    const [head = '', path = ''] = entry.split(/\t(.*)/s);
    tip.set(path, head.split(' ')[2] ?? '');
  }
  for (const name of ['report.html', 'scan.html']) pages.set(name, readFileSync(join(folder, name), 'utf8'));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Tags that the pages have without any commit. */
const ownTags =
  '!doctype html head meta title style body h1 h2 h3 h4 p code input label main section details summary span ul li div pre b br'.split(
    ' ',
  );

describe('hostile text of upstream', () => {
  it.each(cases.map((one, index) => ({ ...one, sha: () => tiny.sha(`case-${index}`), index })))(
    '$name',
    ({ sha, index, subject = cases[index]?.name ?? '', files, fork }) => {
      const scanned = scan.commits.find((commit) => commit.sha === sha());
      const line = said
        .get('scan')
        ?.split('\n')
        .filter((one) => one.startsWith(sha().slice(0, 12)));
      const pick = plan.groups.flatMap((group) => group.picks).find(({ upstream }) => upstream === sha());
      const parked = plan.parked.find(({ upstream }) => upstream === sha());
      const status = said.get(`status case-${index}`);
      const report = pages.get('report.html') ?? '';
      const part = report.slice(report.indexOf(sha()));

      // As it is where machines read, and harmless where people do.
      expect(scanned?.subject.slice(0, 900)).toBe(Buffer.from(subject).toString('utf8').slice(0, 900));
      expect(line).toHaveLength(1);
      expect(line?.[0]?.length).toBeLessThan(400);
      expect(status === undefined).toBe(!statusOf.has(index));
      expect((status ?? '').trimEnd().split('\n').length).toBeLessThan(6);
      expect((status ?? '').length).toBeLessThan(2500);
      expect(part).not.toBe('');
      if (fork === undefined) {
        expect(pick?.files.map((file) => file.path).toSorted()).toEqual(Object.keys(files).toSorted());
        for (const [path, content] of Object.entries(files)) expect(tip.get(path)).toBe(blobName(content));
      } else {
        expect(parked?.why).toMatchObject({ kind: 'conflict', conflicts: [{ path: Object.keys(files)[0] }] });
      }
    },
  );

  it('is nothing to a terminal', () => {
    for (const [command, text] of said) expect(text, command).not.toMatch(unsafe);
  });

  it.each(['report.html', 'scan.html'])('is nothing but text in %s', (name) => {
    const page = pages.get(name) ?? '';
    const tags = [...page.matchAll(/<\/?([a-z!][a-z0-9]*)/gi)].map((match) => (match[1] ?? '').toLowerCase());
    const inTags = [...page.matchAll(/<[^>]*>/g)].join('\n');

    expect([...new Set(tags)].filter((tag) => !ownTags.includes(tag))).toEqual([]);
    expect(inTags).not.toMatch(/ on[a-z]+=|javascript:|src=|href=/i);
    expect(page.match(/<\/(?:style|title)>/g)).toEqual(['</title>', '</style>']);
    expect(page).not.toMatch(unsafe);
  });

  it('makes git and shells do nothing', () => {
    expect(readdirSync(folder).toSorted()).toEqual(['made-before', 'report.html', 'scan.html']);
  });
});

function blobName(content: FixtureCommit['files'][string]): string {
  const bytes = Buffer.from(content as string | Buffer);
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
