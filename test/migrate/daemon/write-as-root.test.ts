// What counts as a working container.
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { HttpAnswer } from '../../../src/core/host.ts';
import { daemonClient } from '../../../src/migrate/daemon/client.ts';
import { type RootWrite, writeAsRoot } from '../../../src/migrate/daemon/write-as-root.ts';
import { errorAnswer, syncAnswer } from '../../fakes/daemon-answers.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';

let host: FakeHost;
beforeEach(() => {
  host = fakeHost();
});
afterEach(() => host.dispose());

/** A daemon with the container c1, whose files API is `file`; it remembers what was written unless told otherwise. */
async function run(
  file: (method: string, path: string) => HttpAnswer | undefined,
  list: readonly object[] = [{ name: 'c1', project: 'dev', type: 'container', status: 'Running' }],
): Promise<RootWrite[]> {
  const written = new Map<string, Buffer>();
  host.onRequest((_, { method, path, content }) => {
    const url = new URL(path, 'http://localhost');
    if (url.pathname === '/1.0/instances') return syncAnswer(list);
    const name = url.searchParams.get('path') ?? '';
    const special = file(method, name);
    if (special !== undefined) return special;
    if (name === '/') return { ...syncAnswer(['etc']), headers: { 'x-incus-uid': '0' } };
    if (method === 'POST' && content !== undefined) written.set(name, content);
    if (method === 'DELETE') written.delete(name);
    const body = written.get(name);
    return method === 'GET' && body !== undefined ? { status: 200, body } : syncAnswer(null);
  });
  const results = await writeAsRoot(daemonClient(host, '/unix.socket'));
  expect([...written.keys()]).toEqual([]);
  return results;
}

test('a container that takes, returns and forgets a file works', async () => {
  expect(await run(() => undefined)).toEqual([{ project: 'dev', name: 'c1', error: undefined }]);
  const [, put, ...rest] = host.requests.map(({ request }) => request);
  expect(put).toMatchObject({ method: 'POST', headers: { 'X-Incus-uid': '0' } });
  expect(put?.path).toMatch(/project=dev&path=%2F\.lxd-to-incus-[0-9a-f]{24}$/);
  expect(rest.map(({ method }) => method)).toEqual(['GET', 'GET', 'DELETE']);
});

test('what a run left that was killed in the middle is removed, and nothing else of a like name', async () => {
  const left = `.lxd-to-incus-${'0'.repeat(24)}`;

  const results = await run((_, path) =>
    path === '/'
      ? { ...syncAnswer([left, '.lxd-to-incus-notes', 'etc']), headers: { 'x-lxd-uid': '0' } }
      : undefined,
  );

  expect(results[0]?.error).toBeUndefined();
  const removed = host.requests.map(({ request }) => request).filter(({ method }) => method === 'DELETE');
  expect(removed.map(({ path }) => new URL(path, 'http://x').searchParams.get('path'))).toEqual([
    `/${left}`,
    expect.stringMatching(/^\/\.lxd-to-incus-[0-9a-f]{24}$/),
  ]);
});

test("a container whose root may not write is named, in the daemon's words", async () => {
  const results = await run((method) => (method === 'POST' ? errorAnswer(403, 'Forbidden') : undefined));

  expect(results[0]?.error).toContain('Forbidden');
});

test('a container whose root folder belongs to somebody else is named, and the file removed', async () => {
  const results = await run((_, path) =>
    path === '/' ? { ...syncAnswer([]), headers: { 'x-incus-uid': '1000000' } } : undefined,
  );

  expect(results[0]?.error).toBe('/ belongs to user 1000000 there, and not to root');
});

test('a file that comes back changed is no proof', async () => {
  const results = await run((method, path) =>
    method === 'GET' && path !== '/' ? { status: 200, body: Buffer.from('other') } : undefined,
  );

  expect(results[0]?.error).toMatch(/came back changed$/);
});

test('only containers that run are asked', async () => {
  const results = await run(
    () => undefined,
    [
      { name: 'c1', project: 'default', type: 'container', status: 'Stopped' },
      { name: 'v1', project: 'default', type: 'virtual-machine', status: 'Running' },
      { name: 'c2', project: 'default', type: 'container', status: 'Ready' },
    ],
  );

  expect(results.map(({ name }) => name)).toEqual(['c2']);
});
