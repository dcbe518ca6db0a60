// How the client speaks with a daemon, and what it makes of its answers.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { apiPath, type DaemonClient, daemonClient } from '../../../src/migrate/daemon/client.ts';
import {
  answersFrom,
  asyncAnswer,
  errorAnswer,
  jsonAnswer,
  operationAnswer,
  operationId,
  syncAnswer,
} from '../../fakes/daemon-answers.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';

const socket = '/var/lib/incus/unix.socket';
const wait = (seconds: number): string => `GET /1.0/operations/${operationId}/wait?timeout=${seconds}`;
let host: FakeHost;
let client: DaemonClient;

beforeEach(() => {
  host = fakeHost();
  client = daemonClient(host, socket);
});
afterEach(() => host.dispose());

test('a path of the API holds any name', () => {
  expect(apiPath(['1.0', 'instances', 'ü/?#'], { project: 'a&b c' })).toBe(
    '/1.0/instances/%C3%BC%2F%3F%23?project=a%26b+c',
  );
});

test('get returns the metadata of the answer', async () => {
  host.onRequest(answersFrom({ 'GET /1.0': syncAnswer({ config: {} }) }));

  expect(await client.get('/1.0')).toEqual({ config: {} });
});

test("a refusal carries the daemon's own words, and no query of the path", async () => {
  host.onRequest(answersFrom({ 'GET /1.0/x?project=p': errorAnswer(404, 'Instance not found') }));

  await expect(client.get('/1.0/x?project=p')).rejects.toMatchObject({
    problem: { code: 'daemon-error', request: 'GET /1.0/x', status: 404, message: 'Instance not found' },
  });
});

test('what does not look like the daemon is shown as it came', async () => {
  host.onRequest(() => ({ status: 502, body: Buffer.from('<h1>Bad gateway</h1>') }));

  await expect(client.get('/1.0')).rejects.toMatchObject({
    problem: { code: 'daemon-error', message: '<h1>Bad gateway</h1>' },
  });
});

test('an answer that is not JSON is a known failure', async () => {
  host.onRequest(() => ({ status: 200, body: Buffer.from('{') }));

  await expect(client.get('/1.0')).rejects.toMatchObject({ problem: { code: 'daemon-answer-unreadable' } });
});

test('a socket on which nobody listens is a known failure', async () => {
  await expect(client.get('/1.0')).rejects.toMatchObject({
    problem: { code: 'daemon-unreachable', socket, errno: 'ENOENT' },
  });
});

test('a change without a background operation returns its metadata', async () => {
  host.onRequest(answersFrom({ 'PATCH /1.0': syncAnswer({ done: true }) }));

  expect(await client.change('/1.0', 'PATCH', { config: {} })).toEqual({ done: true });
  expect(host.requests[0]?.request.body).toEqual({ config: {} });
});

test('a change waits for its background operation', async () => {
  host.onRequest(
    answersFrom({
      'PUT /1.0/instances/c1': asyncAnswer(),
      [wait(5)]: operationAnswer(200, '', { fingerprint: 'abc' }),
    }),
  );

  expect(await client.change('/1.0/instances/c1', 'PUT', {}, 5_000)).toEqual({ fingerprint: 'abc' });
});

test('a background operation that fails is a failure in its own words', async () => {
  host.onRequest(
    answersFrom({
      'PUT /1.0/instances/c1/state': asyncAnswer(),
      [wait(600)]: operationAnswer(400, 'Failed to run: forkstart'),
    }),
  );

  await expect(client.change('/1.0/instances/c1/state', 'PUT', {})).rejects.toMatchObject({
    problem: { code: 'daemon-error', status: 400, message: 'Failed to run: forkstart' },
  });
});

test('a background operation that is still running at the limit is told apart from a refusal', async () => {
  host.onRequest(answersFrom({ 'POST /1.0/x': asyncAnswer(), [wait(2)]: operationAnswer(103) }));

  await expect(client.change('/1.0/x', 'POST', {}, 1_500)).rejects.toMatchObject({
    problem: { code: 'daemon-operation-limit', limitMs: 1_500 },
  });
});

test.each([
  [
    { error_code: 500, error: 'context deadline exceeded' },
    { code: 'daemon-operation-limit', limitMs: 2_000 },
  ],
  [
    { error_code: 404, error: 'Storage volume not found' },
    { code: 'daemon-error', request: 'POST /1.0/x', status: 404, message: 'Storage volume not found' },
  ],
])('a wait that ends with an error under HTTP status 200 is no success: %o', async (ending, problem) => {
  const body = { type: 'error', status: '', status_code: 0, operation: '', metadata: null, ...ending };
  host.onRequest(answersFrom({ 'POST /1.0/x': asyncAnswer(), [wait(2)]: jsonAnswer(200, body) }));

  await expect(client.change('/1.0/x', 'POST', {}, 2_000)).rejects.toMatchObject({ problem });
});

test('an operation path from elsewhere is not followed', async () => {
  const answer = { type: 'async', operation: '/internal/shutdown' };
  host.onRequest(() => ({ status: 202, body: Buffer.from(JSON.stringify(answer)) }));

  await expect(client.change('/1.0/x', 'POST', {})).rejects.toMatchObject({
    problem: { code: 'daemon-answer-unreadable' },
  });
  expect(host.requests).toHaveLength(1);
});

test('isAnswering tells a daemon from silence', async () => {
  expect(await client.isAnswering()).toBe(false);

  host.onRequest(answersFrom({ 'GET /1.0': syncAnswer({}) }));

  expect(await client.isAnswering()).toBe(true);
});

test.each([
  [errorAnswer(503, 'LXD is shutting down'), true],
  [errorAnswer(503, 'LXD daemon setup in progress'), false],
  [errorAnswer(404, 'Instance not found'), false],
])('isShuttingDown is told by the refusal of a change that would change nothing: %o', async (answer, is) => {
  const nobody = await client.isShuttingDown();
  host.onRequest(answersFrom({ 'PUT /1.0/instances/-/state': answer }));

  expect(nobody).toBe(false);
  expect(await client.isShuttingDown()).toBe(is);
  expect(host.requests.at(-1)?.request.body).toEqual({});
});

test('waitUntilReady goes on until the daemon says that it is ready', async () => {
  host.onRequest((_, { path }) => {
    if (path !== '/internal/ready' || host.machine.clockMs < 1_200) return undefined;
    return host.machine.clockMs < 1_500 ? errorAnswer(503, 'Daemon not ready yet') : syncAnswer(null);
  });

  await client.waitUntilReady(5_000);

  expect(host.machine.clockMs).toBeGreaterThanOrEqual(1_500);
});

test('waitUntilReady ends at its limit with what the daemon last said', async () => {
  host.onRequest(() => errorAnswer(503, 'Daemon not ready yet'));

  await expect(client.waitUntilReady(400)).rejects.toMatchObject({
    problem: { code: 'daemon-silent', limitMs: 400, lastLines: ['Daemon not ready yet'] },
  });
});

test('shutDown returns only when nobody listens any more', async () => {
  host.machine.listeners.set(socket, 4711);
  host.onRequest(answersFrom({ 'PUT /internal/shutdown': syncAnswer(null) }));
  host.onSleep((clockMs) => {
    if (clockMs >= 2_000) host.machine.listeners.delete(socket);
  });

  await client.shutDown(30_000);

  expect(host.machine.clockMs).toBe(2_000);
});

test('shutDown takes a connection that breaks off for an end, and proves it', async () => {
  host.machine.listeners.set(socket, 4711);
  host.onRequest(() => {
    host.machine.listeners.delete(socket);
    throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
  });

  await expect(client.shutDown(1_000)).resolves.toBeUndefined();
});

test('shutDown names the daemon that does not stop, and what it said', async () => {
  host.machine.listeners.set(socket, 4711);
  host.onRequest(() => errorAnswer(429, 'Shutdown already in progress'));

  await expect(client.shutDown(1_000)).rejects.toMatchObject({
    problem: { code: 'daemon-will-not-stop', limitMs: 1_000, last: 'Shutdown already in progress' },
  });
});

test('files are written as root of the instance, in the words of both daemons', async () => {
  const path = '/1.0/instances/c1/files?project=dev&path=%2Fa+b';
  host.onRequest(
    answersFrom({
      [`POST ${path}`]: syncAnswer(null),
      [`GET ${path}`]: { status: 200, body: Buffer.from('x') },
      [`DELETE ${path}`]: syncAnswer(null),
    }),
  );
  const instance = { project: 'dev', name: 'c1' };

  await client.putFile(instance, '/a b', Buffer.from('x'));
  const content = await client.getFile(instance, '/a b');
  await client.deleteFile(instance, '/a b');

  expect(content?.toString()).toBe('x');
  expect(host.requests[0]?.request).toMatchObject({
    content: Buffer.from('x'),
    headers: { 'X-LXD-uid': '0', 'X-Incus-uid': '0', 'X-LXD-gid': '0', 'X-Incus-gid': '0' },
  });
});

test('a file that is not there is undefined', async () => {
  host.onRequest(() => errorAnswer(404, 'not found'));

  expect(await client.getFile({ project: 'default', name: 'c1' }, '/x')).toBeUndefined();
});
