// What a daemon does, read from the answers of LXD 4.24 to 5.21 and of Incus.
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import { daemonClient } from '../../../src/migrate/daemon/client.ts';
import {
  isSession,
  operationInWords,
  type RunningOperation,
  runningOperations,
} from '../../../src/migrate/daemon/operations.ts';
import { syncAnswer } from '../../fakes/daemon-answers.ts';
import { fakeHost } from '../../fakes/fake-host.ts';

/** One that lists the operations of a project at a time. @param lists its answers, by project */
function daemonWith(lists: Readonly<Record<string, unknown>>) {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  host.onRequest((_socket, { path }) => {
    if (path === '/1.0') return syncAnswer({ api_extensions: ['projects'] });
    if (path === '/1.0/projects')
      return syncAnswer(Object.keys(lists).map((name) => `/1.0/projects/${encodeURIComponent(name)}`));
    const project = new URLSearchParams(path.split('?')[1]).get('project') ?? '';
    return path.startsWith('/1.0/operations?') ? syncAnswer(lists[project]) : undefined;
  });
  return daemonClient(host, '/unix.socket');
}

/** One that lists those of every project at once. */
function newerDaemon(answer: unknown) {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  const asked: string[] = [];
  host.onRequest((_socket, { method, path }) => {
    asked.push(`${method} ${path}`);
    if (path === '/1.0') return syncAnswer({ api_extensions: ['operations_get_query_all_projects'] });
    return path === '/1.0/operations?recursion=1&all-projects=true' ? syncAnswer(answer) : undefined;
  });
  return { client: daemonClient(host, '/unix.socket'), asked };
}

const operation = (values: Readonly<Record<string, unknown>>) => ({
  id: 'o1',
  class: 'task',
  description: 'Backing up instance',
  status: 'Running',
  resources: null,
  metadata: null,
  ...values,
});

test('names the instance in its project, however the daemon writes it', async () => {
  const client = daemonWith({
    default: {
      running: [
        operation({ resources: { instances: ['/1.0/instances/c1'], containers: ['/1.0/containers/c1'] } }),
      ],
      success: [operation({ id: 'o2' })],
    },
    'a b': {
      running: [operation({ id: 'o3', resources: { instances: ['/1.0/instances/c2?project=a+b'] } })],
    },
    empty: {},
    none: null,
  });

  const found = await runningOperations(client);

  expect(found.map(operationInWords)).toEqual([
    'Backing up instance (default/c1)',
    'Backing up instance (a b/c2)',
  ]);
});

test('has what is of no project once, and no token: that waits for somebody to use it', async () => {
  const images = operation({ id: 'i1', description: 'Updating images' });
  const token = operation({ id: 't1', class: 'token', description: 'Joining cluster' });
  const client = daemonWith({ default: { running: [images, token] }, dev: { running: [images, token] } });

  expect(await runningOperations(client)).toEqual([
    { id: 'i1', description: 'Updating images', instances: [], others: [] },
  ]);
});

test('names what else it is about', async () => {
  const resources = { storage_volumes: ['/1.0/storage_volumes/data'] };
  const client = daemonWith({
    default: { running: [operation({ description: 'Creating custom volume backup', resources })] },
  });

  expect((await runningOperations(client)).map(operationInWords)).toEqual([
    'Creating custom volume backup (data)',
  ]);
});

describe('a daemon that lists the operations of all projects at once', () => {
  test('is asked once, however many projects there are', async () => {
    const { client, asked } = newerDaemon({});

    expect(await runningOperations(client)).toEqual([]);

    expect(asked).toEqual(['GET /1.0', 'GET /1.0/operations?recursion=1&all-projects=true']);
  });

  test('names the project of an instance, unless it is the default one', async () => {
    const { client } = newerDaemon({
      running: [
        operation({ resources: { instances: ['/1.0/instances/c1'], containers: ['/1.0/instances/c1'] } }),
        operation({ id: 'o2', resources: { instances: ['/1.0/instances/c1?project=a+b'] } }),
        operation({
          id: 'o3',
          resources: { instances_snapshots: ['/1.0/instances/c2/snapshots/s?project=dev'] },
        }),
        operation({ id: 'o4', class: 'token' }),
      ],
      success: [operation({ id: 'o5' })],
      cancelled: null,
    });

    expect((await runningOperations(client)).map(operationInWords)).toEqual([
      'Backing up instance (default/c1)',
      'Backing up instance (a b/c1)',
      'Backing up instance (dev/c2)',
    ]);
  });

  test('answers null where it does nothing', async () => {
    expect(await runningOperations(newerDaemon(null).client)).toEqual([]);
  });
});

test('LXD from 6.8 on names what it is about in the metadata alone: a command there is a session too', async () => {
  const { client } = newerDaemon({
    running: [
      operation({
        class: 'websocket',
        description: 'Executing command',
        resources: {},
        metadata: { entity_url: '/1.0/instances/c%201?project=dev', fds: { 0: 'secret' } },
      }),
      operation({
        id: 'o2',
        description: 'Creating custom volume backup',
        resources: {},
        metadata: { entity_url: '/1.0/storage-pools/pool/volumes/custom/data?project=dev' },
      }),
      // Where both are there, the metadata may name what does not exist yet.
      operation({
        id: 'o3',
        resources: { instances: ['/1.0/instances/c2'] },
        metadata: { entity_url: '/1.0/instances/c2/backups/b' },
      }),
    ],
  });

  const found = await runningOperations(client);

  expect(found.map(operationInWords)).toEqual([
    'Executing command (dev/c 1)',
    'Creating custom volume backup (data)',
    'Backing up instance (default/c2)',
  ]);
  expect(found.map(isSession)).toEqual([true, false, false]);
});

describe('a session', () => {
  const of = (description: string, instances: readonly string[] = ['default/c1']): RunningOperation => ({
    id: 'o',
    description,
    instances,
    others: [],
  });

  test('is a command or a console in an instance', () => {
    expect(isSession(of('Executing command'))).toBe(true);
    expect(isSession(of('Showing console'))).toBe(true);
  });

  test('is no migration or copy, although these are of the same class', () => {
    for (const description of ['Migrating instance', 'Creating instance', 'Transferring snapshot'])
      expect(isSession(of(description))).toBe(false);
    expect(isSession(of('Executing command', []))).toBe(false);
  });
});

test('an answer of another form is a failure that says so, never anything else', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (answer) => {
      for (const client of [
        daemonWith({ default: { running: answer } }),
        newerDaemon(answer).client,
        newerDaemon({ running: [answer] }).client,
      ]) {
        const outcome = await runningOperations(client).catch((error: unknown) => error);
        if (outcome instanceof Failure) expect(outcome.problem.code).toBe('daemon-answer-unreadable');
        else expect(Array.isArray(outcome)).toBe(true);
      }
    }),
    { numRuns: 200 },
  );
});
