// What a daemon does not say in time is not known, and said to be so; it is no failure of the server.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { coreFailure } from '../../../../src/core/core-problem.ts';
import type { HttpAnswer } from '../../../../src/core/host.ts';
import { daemonClient } from '../../../../src/migrate/daemon/client.ts';
import { inventoryFromApi } from '../../../../src/migrate/inventory/api/from-api.ts';
import { syncAnswer } from '../../../fakes/daemon-answers.ts';
import { type FakeHost, fakeHost } from '../../../fakes/fake-host.ts';

let host: FakeHost;

beforeEach(() => {
  host = fakeHost();
});
afterEach(() => host.dispose());

const snapshotsOf = (name: string, count: number): object[] =>
  Array.from({ length: count }, (_, index) => ({
    name: `${name}/s${index}`,
    type: 'custom',
    project: 'default',
    description: `of ${index}`,
    created_at: '2026-11-23T15:23:28Z',
    config: {},
  }));

/** One container and one volume; of every other kind of object it has none. */
function serve(answers: Readonly<Record<string, unknown>>): void {
  const common: Readonly<Record<string, unknown>> = {
    '/1.0': { api_extensions: ['instance_get_full'], config: {}, environment: { server_clustered: false } },
    '/1.0/projects?recursion=1': [{ name: 'default', config: {}, description: '' }],
    '/1.0/storage-pools?recursion=1': [
      { name: 'pool', driver: 'dir', config: {}, description: '', status: 'Created' },
    ],
    '/1.0/instances?recursion=1&all-projects=true': [
      { name: 'c1', project: 'default', config: {}, devices: {}, profiles: [], type: 'container' },
    ],
    [whole]: {},
    ...answers,
  };
  host.onRequest((_, { path, timeoutMs }): HttpAnswer => {
    const answer = common[path];
    if (answer === 'late')
      throw coreFailure({ code: 'wait-limit', what: path, limitMs: timeoutMs, last: 'no answer' });
    return syncAnswer(answer ?? []);
  });
}

const whole = '/1.0/instances/c1?project=default&recursion=1';
const volumes = '/1.0/storage-pools/pool/volumes?recursion=1&all-projects=true';

test('snapshots and backups of an instance that are late are unknown, and named with the limit', async () => {
  serve({ [whole]: 'late' });
  const late: string[] = [];

  const { instances } = await inventoryFromApi(daemonClient(host, '/unix.socket'), {
    notInTime: (what) => late.push(what),
  });

  expect(instances).toMatchObject([{ name: 'c1', snapshots: [], backups: undefined }]);
  expect(late).toEqual([`snapshots and backups of instance default/c1: Waited 60 s for ${whole}.`]);
});

test('without anybody who is told, it is a failure', async () => {
  serve({ [whole]: 'late' });

  await expect(inventoryFromApi(daemonClient(host, '/unix.socket'))).rejects.toMatchObject({
    problem: { code: 'wait-limit' },
  });
});

test('both come in one answer', async () => {
  const snapshot = { name: 's0', config: {}, devices: {}, created_at: '2026-11-23T15:23:28Z' };
  serve({
    [volumes]: [{ name: 'c1/s0', type: 'container', project: 'default' }],
    [whole]: { snapshots: [snapshot], backups: [{ name: 'c1/b0' }] },
  });

  const { instances } = await inventoryFromApi(daemonClient(host, '/unix.socket'));

  expect(instances).toMatchObject([{ snapshots: [{ name: 's0' }], backups: [{ name: 'b0' }] }]);
  expect(host.requests.filter(({ request }) => request.path.startsWith('/1.0/instances/c1'))).toHaveLength(1);
});

test('very many snapshots of a volume are taken from the list, without a question that takes the square of their number', async () => {
  serve({
    [volumes]: [{ name: 'v', type: 'custom', project: 'default' }, ...snapshotsOf('v', 501)],
    '/1.0/storage-pools/pool/volumes/custom/v/snapshots?recursion=1&project=default': 'late',
  });
  const late: string[] = [];

  const inventory = await inventoryFromApi(daemonClient(host, '/unix.socket'), {
    notInTime: (what) => late.push(what),
  });

  const [volume] = inventory.volumes;
  expect(volume?.snapshots).toHaveLength(501);
  expect(volume?.snapshots?.[0]).toMatchObject({ name: 's0', description: 'of 0', expires: undefined });
  expect(late.join('\n')).toContain('when the 501 snapshots of volume pool/default/v expire');
  expect(late.join('\n')).not.toContain('Waited');
});

test('a list that is late is a failure: without it nothing can be compared', async () => {
  serve({ '/1.0/instances?recursion=1&all-projects=true': 'late' });

  await expect(
    inventoryFromApi(daemonClient(host, '/unix.socket'), { notInTime: () => {} }),
  ).rejects.toMatchObject({ problem: { code: 'wait-limit' } });
});

test('a large server has more time for an answer', async () => {
  serve({});
  const size = { rows: 100_000, longestStartDelay: 0 };

  await inventoryFromApi(daemonClient(host, '/unix.socket', size));

  expect(host.requests[0]?.request.timeoutMs).toBe(60_000 + 100_000 * 10);
});
