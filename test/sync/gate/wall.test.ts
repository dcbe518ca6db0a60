// The licence wall: a marker that stands only in closed commits is looked for in everything that fork-sync leaves.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { closedLicence, freeLicence, makeTinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { forkSync, repositoriesOf } from '../fork-sync.ts';

const marker = 'ZEBRAFISH';

/** Every byte of every file below a folder. */
function allBytes(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => `${path}\n${readFileSync(path, 'latin1')}`)
    .join('\n');
}

/** Every object of a repository, unpacked. */
function allObjects(gitDir: string): string {
  const shas = execFileSync(
    'git',
    [`--git-dir=${gitDir}`, 'cat-file', '--batch-all-objects', '--batch-check=%(objecttype) %(objectname)'],
    { encoding: 'utf8' },
  ).trim();
  const blobs = shas.split('\n').filter((line) => line.startsWith('blob '));
  return execFileSync('git', [`--git-dir=${gitDir}`, 'cat-file', '--batch', '--buffer'], {
    input: blobs.map((line) => `${line.slice(5)}\n`).join(''),
    encoding: 'latin1',
  });
}

describe('the licence wall', () => {
  it('lets nothing of a closed commit into stores, caches, pages and outputs but sha, subject and reason', {
    timeout: 120_000,
  }, () => {
    const folder = temporaryFolder();
    const tiny = makeTinyFork(join(folder, 'made'), {
      fork: [{ name: 'ours', from: 'rename', time: 2500, files: { 'client/a.go': 'package client\n' } }],
      upstream: [
        { name: 'open', from: 'base', time: 1100, files: { 'README.md': 'Quartz\nmore\n' } },
        {
          name: 'closing',
          from: 'open',
          time: 1200,
          files: { COPYING: closedLicence, 'client/COPYING': freeLicence, 'client/a.go': 'package client\n' },
        },
        {
          name: 'closed',
          from: 'closing',
          time: 1300,
          message: `A closed subject\n\nThe ${marker} body.\n`,
          author: `${marker} <${marker}@example.org>`,
          files: {
            [`${marker}.go`]: `package quartz // ${marker}\n`,
            'quartz/store/store.go': `package store // ${marker}\n`,
            'README.md': `Quartz\nmore ${marker}\n`,
          },
        },
        {
          name: 'client',
          from: 'closed',
          time: 1400,
          files: { 'client/a.go': 'package client\n\nfunc Two() {}\n' },
        },
        {
          name: 'trailer',
          from: 'client',
          time: 1500,
          message: 'A trailer\n\nLicense: Free-1.0\n',
          files: { 'scripts/run.sh': '#!/bin/sh\nQUARTZ_DIR=/var/lib/quartz\nqz list\nqz stop\n' },
        },
        {
          name: 'main',
          from: 'trailer',
          time: 1600,
          files: { 'client/a.go': 'package client\n\nfunc Two() {}\n\nfunc Three() {}\n' },
        },
      ],
    });
    const git = (...args: string[]) => execFileSync('git', [`--git-dir=${tiny.upstream}`, ...args]);
    git('config', 'uploadpack.allowFilter', 'true');
    git('config', 'uploadpack.allowAnySHA1InWant', 'true');
    const upstream = join(folder, 'partial.git');
    const common = [...repositoriesOf({ ...tiny, upstream }), '--onto', 'ours'];

    const outputs = [
      ['fetch', '--from', `file://${tiny.upstream}`, ...common],
      ['scan', ...common],
      ['scan', '--json', '--html', join(folder, 'scan.html'), ...common],
      ['status', ...common],
      ['status', tiny.sha('closed'), ...common],
      ['plan', ...common],
      ['plan', '--json', '--html', join(folder, 'plan.html'), ...common],
      ['report', join(folder, 'report.html'), ...common],
      ['pick', tiny.sha('closed'), ...common],
      ['pick', '--json', tiny.sha('closed'), tiny.sha('client'), tiny.sha('trailer'), ...common],
      ['checkout', tiny.sha('closed'), join(folder, 'work'), ...common],
      ['park', tiny.sha('closed'), '--why', 'wait', '--by', 'Pia <pia@example.org>', ...common.slice(0, 8)],
      ['plan', '--json', ...common],
    ].map((args) => forkSync(args));

    const said = outputs.map((one) => one.stdout + one.stderr);
    expect(outputs[0]).toMatchObject({ status: 0, stderr: '' });
    expect(said[1]).toContain('A closed subject');
    expect(said[8]).toContain('licence: Closed-1.0');
    const planned: {
      readonly groups: readonly { readonly picks: readonly { readonly upstream: string }[] }[];
    } = JSON.parse(outputs[6]?.stdout ?? '');
    expect(planned.groups.flatMap((group) => group.picks.map((pick) => pick.upstream))).toEqual(
      ['open', 'client', 'trailer', 'main'].map((name) => tiny.sha(name)),
    );
    for (const text of said) expect(text).not.toContain(marker);
    for (const page of ['scan.html', 'plan.html', 'report.html'])
      expect(readFileSync(join(folder, page), 'utf8')).not.toContain(marker);
    expect(existsSync(join(folder, 'work'))).toBe(false);
    const caches = readdirSync(tiny.cache, { recursive: true, encoding: 'utf8' });
    expect(caches.filter((name) => name.endsWith('.sqlite')).length).toBeGreaterThanOrEqual(2);
    expect(allBytes(tiny.cache)).not.toContain(marker);
    expect(allBytes(tiny.rules)).not.toContain(marker);
    expect(allObjects(upstream)).not.toContain(marker);
    for (const name of readdirSync(tiny.cache).filter((entry) => entry.endsWith('.git'))) {
      // Alternates are the inputs themselves; what is looked at is the scratch repository's own part.
      expect(allBytes(join(tiny.cache, name))).not.toContain(marker);
    }
    // The marker is there to be found: upstream itself has it.
    expect(allObjects(tiny.upstream)).toContain(marker);
  });
});
