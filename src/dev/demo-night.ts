// Shows a night: what a run would propose of a tiny upstream, and the page on which people review it. No network.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { closedLicence, makeTinyFork } from '../../fixtures/histories/tiny-fork.ts';

const root = join(import.meta.dirname, '..', '..');
const signed = '\n\nSigned-off-by: Ann Author <ann@example.org>\n';

/** Makes both repositories and a configuration below `folder`, runs a dry night, and says where its page is. */
export function demoNight(folder: string): void {
  const place = join(folder, 'night');
  const tiny = makeTinyFork(place, {
    upstream: [
      {
        name: 'restart',
        from: 'base',
        time: 3000,
        message: `scripts: Restart as well${signed}`,
        files: { 'scripts/run.sh': '#!/bin/sh\nQUARTZ_DIR=/var/lib/quartz\nqz list\nqz restart\n' },
      },
      {
        name: 'gem',
        from: 'restart',
        time: 3100,
        message: `README: Say more${signed}`,
        files: { 'README.md': 'Quartz, a gem of a server\n' },
      },
      {
        name: 'main',
        from: 'gem',
        time: 3200,
        message: `Relicense${signed}`,
        files: { COPYING: closedLicence },
      },
    ],
    fork: [{ name: 'main', from: 'rename', time: 2500, files: { 'README.md': 'Onyx is black\n' } }],
  });
  const config = join(place, 'fork-sync.yaml');
  const publish = {
    repositories: ['me/onyx'],
    repository: 'me/onyx',
    base: 'main',
    branch: 'fork-sync/main',
  };
  writeFileSync(
    config,
    stringify({ upstream: tiny.upstream, fork: tiny.fork, rules: tiny.rules, cache: tiny.cache, publish }),
  );
  const page = join(place, 'review.html');
  const night = spawnSync(
    process.execPath,
    [join(root, 'bin', 'fork-sync.js'), 'nightly', '--offline', '--config', config, '--html', page],
    { encoding: 'utf8' },
  );
  // 3: a person must decide, since one of the commits conflicts.
  if (night.status !== 3) throw new Error(night.stderr);
  process.stdout.write(
    `\nA night of Quartz and Onyx, as a dry run:\n\n${night.stdout}\nThe review page: ${page}\n`,
  );
}
