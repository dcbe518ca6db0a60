import { afterEach, beforeEach, expect, test } from 'vitest';
import { allInstances, daemonClient, type InstanceName } from '../../../src/migrate/daemon/client.ts';
import {
  instancesAnew,
  nothingRemembered,
  type Remembered,
  rememberingClient,
} from '../../../src/migrate/daemon/remembering-client.ts';
import { errorAnswer, syncAnswer } from '../../fakes/daemon-answers.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';

let host: FakeHost;
/** The paths that were asked, in order. */
let asked: string[];
let states: Map<string, string>;
let remembered: Remembered;

beforeEach(() => {
  host = fakeHost();
  asked = [];
  states = new Map(Array.from({ length: 30 }, (_, index) => [`m${index}`, 'Stopped']));
  remembered = nothingRemembered();
  host.onRequest((_, { method, path }) => {
    if (method !== 'GET') return syncAnswer(null);
    asked.push(path);
    if (path === allInstances)
      return syncAnswer([...states].map(([name, status]) => ({ project: 'default', name, status })));
    const name = /^\/1\.0\/instances\/([^?/]+)\?/.exec(path)?.[1] ?? '';
    const status = states.get(name);
    return status === undefined
      ? errorAnswer(404, 'Instance not found')
      : syncAnswer({ project: 'default', name, status });
  });
});
afterEach(() => host.dispose());

const plain = () => daemonClient(host, '/unix.socket');
const remembering = () => rememberingClient(plain(), remembered);
const named = (...names: string[]): InstanceName[] => names.map((name) => ({ project: 'default', name }));

test('a question is asked once, in whatever order its parameters stand', async () => {
  const first = await remembering().get('/1.0/instances/m1?recursion=1&project=default');
  const second = await remembering().get('/1.0/instances/m1?project=default&recursion=1');

  expect(second).toBe(first);
  expect(asked).toHaveLength(1);
});

test('another parameter is another question', async () => {
  await remembering().get('/1.0/instances/m1?project=default');
  await remembering().get('/1.0/instances/m1?project=default&recursion=1');

  expect(asked).toHaveLength(2);
});

test('a failure is asked again', async () => {
  await expect(remembering().get('/1.0/instances/new?project=default')).rejects.toThrow('not found');
  states.set('new', 'Running');

  expect(await remembering().get('/1.0/instances/new?project=default')).toMatchObject({ status: 'Running' });
});

test('what was changed through it is asked anew, and nothing else', async () => {
  const client = remembering();
  await client.get('/1.0/instances/m1?project=default&recursion=1');
  await client.get('/1.0/instances/m2?project=default&recursion=1');
  await client.change('/1.0/instances/m1?project=default', 'PATCH', { description: '' });
  states.set('m1', 'Running');

  expect(await client.get('/1.0/instances/m1?recursion=1&project=default')).toMatchObject({
    status: 'Running',
  });
  await client.get('/1.0/instances/m2?project=default&recursion=1');

  expect(asked.filter((path) => path.includes('/m2?'))).toHaveLength(1);
});

test('in the remembered list stand the present states of those that may differ', async () => {
  await remembering().get(allInstances);
  states.set('m3', 'Running');
  states.set('m4', 'Running');
  await remembering().change('/1.0/instances/m4?project=default', 'PATCH', {});
  asked = [];

  const list = await instancesAnew(plain(), remembered, () => named('m3', 'not-listed'));

  expect(list).toEqual([...states].map(([name, status]) => ({ project: 'default', name, status })));
  expect(asked.toSorted()).toEqual([
    '/1.0/instances/m3?project=default',
    '/1.0/instances/m4?project=default',
  ]);
});

test('where many may differ, or one of them is gone, the list is asked for', async () => {
  await remembering().get(allInstances);
  asked = [];

  await instancesAnew(plain(), remembered, () => named(...states.keys()));
  expect(asked).toEqual([allInstances]);

  states.delete('m5');
  const list = await instancesAnew(plain(), remembered, () => named('m5'));
  expect(list).toHaveLength(29);
});

test('where nothing is remembered, it is the list', async () => {
  expect(await instancesAnew(plain(), remembered, () => [])).toHaveLength(30);
});
