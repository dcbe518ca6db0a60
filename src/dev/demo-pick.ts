// Shows a pick: a tiny upstream, its renamed fork, and a commit that comes over in the fork's own words.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { makeTinyFork } from '../../fixtures/histories/tiny-fork.ts';

const root = join(import.meta.dirname, '..', '..');

/** Makes both repositories below `folder`, picks one commit, and prints it. */
export function demoPick(folder: string): void {
  const tiny = makeTinyFork(join(folder, 'histories'), {
    upstream: [
      {
        name: 'change',
        from: 'base',
        time: 3000,
        message: 'scripts: Restart as well\n\nFixes #7\n',
        files: { 'scripts/run.sh': '#!/bin/sh\nQUARTZ_DIR=/var/lib/quartz\nqz list\nqz restart\n' },
      },
    ],
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
  ];
  const args = ['pick', tiny.sha('change'), '--onto', 'rename', '--json', ...common];
  const picked = spawnSync(process.execPath, [join(root, 'bin', 'fork-sync.js'), ...args], {
    encoding: 'utf8',
  });
  if (picked.status !== 0) throw new Error(picked.stderr);
  const { commit, status }: { readonly commit: string; readonly status: string } = JSON.parse(picked.stdout);
  const [scratch = ''] = spawnSync('find', [tiny.cache, '-name', '*.git', '-maxdepth', '1'], {
    encoding: 'utf8',
  }).stdout.split('\n');
  const shown = spawnSync('git', [`--git-dir=${scratch}`, 'show', commit], { encoding: 'utf8' });
  process.stdout.write(`\nA commit of Quartz, picked into its fork Onyx (${status}):\n\n${shown.stdout}`);
}
