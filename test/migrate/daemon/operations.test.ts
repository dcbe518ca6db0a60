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

/** @param lists answers to the list of operations, by project */
function daemonWith(lists: Readonly<Record<string, unknown>>) {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  host.onRequest((_socket, { path }) => {
    if (path === '/1.0/projects')
      return syncAnswer(Object.keys(lists).map((name) => `/1.0/projects/${encodeURIComponent(name)}`));
    const project = new URLSearchParams(path.split('?')[1]).get('project') ?? '';
    return path.startsWith('/1.0/operations?') ? syncAnswer(lists[project]) : undefined;
  });
  return daemonClient(host, '/unix.socket');
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
      const outcome = await runningOperations(daemonWith({ default: { running: answer } })).catch(
        (error: unknown) => error,
      );
      if (outcome instanceof Failure) expect(outcome.problem.code).toBe('daemon-answer-unreadable');
      else expect(Array.isArray(outcome)).toBe(true);
    }),
    { numRuns: 200 },
  );
});
