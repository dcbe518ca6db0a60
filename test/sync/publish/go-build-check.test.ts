import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { makeTinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { commit } from '../../../fixtures/histories/write-history.ts';
import { openEngine } from '../../../src/sync/pick/open-engine.ts';
import { checkGoBuild } from '../../../src/sync/publish/go-build-check.ts';
import type { PublishPlan } from '../../../src/sync/publish/publish-plan.ts';
import { loadPack } from '../../../src/sync/rules/load-pack.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

it.each([
  ['has no time', 'exec sleep 1000', { timeoutMs: 200 }],
  ['has no time as a whole', 'exec sleep 1000', { timeoutMs: 600_000, wholeMs: 200 }],
  ['is ended by somebody', 'kill -9 $$', { timeoutMs: 600_000 }],
])('holds nothing back where Go %s, and says so', async (_, script, limits) => {
  const tiny = makeTinyFork(temporaryFolder(), {
    fork: [commit('pick', 'rename', 2500, { 'tool/make.go': 'package tool\n' })],
  });
  const engine = await openEngine({ ...tiny, pack: loadPack(tiny.rules), program: 'engine.ts' });
  onTestFinished(() => engine.close());
  const bin = join(temporaryFolder(), 'bin');
  mkdirSync(bin, { recursive: true });
  const answers = `[ "$1" = env ] && { echo '{"GOMODCACHE":"/nowhere/mod","GOCACHE":"/nowhere/cache"}'; exit; }`;
  writeFileSync(join(bin, 'go'), `#!/bin/sh\n${answers}\n${script}\n`, { mode: 0o755 });
  vi.stubEnv('PATH', `${bin}:${process.env['PATH']}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  const plan: PublishPlan = {
    upstream: { name: 'Quartz', branch: 'main', tip: tiny.sha('base') },
    onto: tiny.sha('rename'),
    head: tiny.sha('pick'),
    entries: [
      {
        state: 'clean',
        upstream: 'ab'.repeat(20),
        subject: 'tool: Make',
        commit: tiny.sha('pick'),
        licence: [],
        files: [{ path: 'tool/make.go', from: 'tool/make.go', how: 'added' }],
        doubts: [],
        conflicts: [],
        reasons: [],
        remaining: [],
      },
    ],
    waiting: 0,
    standing: {},
  };
  const told: string[] = [];

  const failed = await checkGoBuild(
    { gitDir: engine.gitDir, objects: engine.objects, environment: [], ...limits },
    plan,
    (line) => told.push(line),
  );

  expect(failed).toBeUndefined();
  expect(told).toEqual([expect.stringMatching(/^nothing is known of the packages: .*go list/)]);
});
