// An Incus that is slow in the trial has not refused the database: what it did not say is not proven.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { coreFailure } from '../../../src/core/core-problem.ts';
import type { HttpAnswer } from '../../../src/core/host.ts';
import type { RunningProcess } from '../../../src/core/start.ts';
import { isOpen } from '../../../src/migrate/model/finding.ts';
import type { PlanMaterial } from '../../../src/migrate/plan/plan-material.ts';
import { askTrial } from '../../../src/migrate/rehearse/index.ts';
import { makeInert } from '../../../src/migrate/rehearse/make-inert.ts';
import { errorAnswer, syncAnswer } from '../../fakes/daemon-answers.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';
import { convertImage, instance } from '../convert/converted.ts';
import { lxdDatabase } from '../lxd-database.ts';
import { localDatabase } from './local-database.ts';

const directory = '/var/lib/incus';
let host: FakeHost;

beforeEach(() => {
  host = fakeHost();
});
afterEach(() => host.dispose());

function ask(ended: boolean) {
  const convertedImage = convertImage(
    lxdDatabase(`${instance(1, 'c1')}
      INSERT INTO instances_snapshots (id, instance_id, name, creation_date, description) VALUES (5, 1, 's0', '2026-01-01 00:00:00+00:00', '');`),
  ).image;
  const local = localDatabase();
  host.writeFile(`${directory}/database/local.db`, local);
  const daemon = {
    pid: 1,
    write: () => {},
    tail: () => 'level=error msg="panic"',
    hasEnded: () => ended,
    ended: Promise.resolve('status 1'),
    kill: () => {},
  } satisfies RunningProcess;
  const room = { path: (path: string) => host.path(path), start: async () => daemon, close: async () => {} };
  const trial = { program: '/incusd', version: '6.0.4', directory, local };
  const material = { convertedImage } as PlanMaterial;
  return askTrial(
    { host, say: () => {}, material, limitMs: 1_000 },
    trial,
    makeInert(convertedImage, local, directory),
    room,
    daemon,
  );
}

function serve(late: (path: string) => boolean): void {
  const answers: Readonly<Record<string, unknown>> = {
    '/1.0': {
      api_extensions: ['instance_get_full'],
      config: {},
      environment: {
        server_version: '6.0.4',
        server_clustered: false,
        storage_supported_drivers: [{ Name: 'dir' }],
      },
    },
    '/1.0/projects?recursion=1': [{ name: 'default', config: {}, description: '' }],
    '/1.0/instances?recursion=1&all-projects=true': [
      { name: 'c1', project: 'default', config: {}, devices: {}, profiles: [], type: 'container' },
    ],
  };
  host.onRequest((_, { path, timeoutMs }): HttpAnswer => {
    if (late(path))
      throw coreFailure({ code: 'wait-limit', what: path, limitMs: timeoutMs, last: 'no answer' });
    return syncAnswer(answers[path] ?? []);
  });
}

test('one answer that is late is not proven, and no finding', async () => {
  serve((path) => path.startsWith('/1.0/instances/c1'));

  const { findings, notProven } = await ask(false);

  expect(findings.map(({ id }) => id)).not.toContain('rehearsal:refused');
  expect(findings.map(({ id }) => id)).not.toContain('rehearsal-not-in-time');
  expect(notProven.filter(({ kind }) => kind === 'answer')).toMatchObject([
    { objects: [expect.stringContaining('snapshots and backups of instance default/c1')] },
  ]);
});

test('an inventory that is late may be accepted', async () => {
  serve((path) => path.startsWith('/1.0/instances?'));

  const { findings, notProven } = await ask(false);

  const [finding, ...others] = findings;
  if (finding === undefined) throw new Error('no finding');
  expect(others).toEqual([]);
  expect(finding).toMatchObject({ id: 'rehearsal-not-in-time', severity: 'loss' });
  expect(isOpen(finding, { accept: new Set(['rehearsal-not-in-time']), fix: false })).toBe(false);
  expect(notProven.some(({ kind }) => kind === 'answer')).toBe(true);
});

test('an Incus that is still starting when the limit is over has refused nothing', async () => {
  host.onRequest(() => errorAnswer(503, 'not ready yet'));

  const { findings } = await ask(false);

  expect(findings.map(({ id }) => id)).toEqual(['rehearsal-not-in-time']);
});

test('an Incus that ended has refused it', async () => {
  const { findings } = await ask(true);

  expect(findings.map(({ id }) => id)).toEqual(['rehearsal:refused']);
});
