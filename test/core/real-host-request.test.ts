// HTTP over a unix socket, against a real server.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { realHost } from '../../src/core/real-host.ts';

let folder: string;
let socket: string;
let server: Server;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'real-host-'));
  socket = join(folder, 'unix.socket');
  server = createServer((request, response) => {
    if (request.url === '/silent') return;
    request.on('data', () => {});
    request.on('end', () => {
      response.writeHead(200, { 'X-Incus-uid': '0' });
      response.end(`${request.method} ${request.url} ${request.headers['x-incus-mode'] ?? ''}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

test('a request carries its headers, an answer its status, body and headers in lower case', async () => {
  const answer = await realHost.request(socket, {
    method: 'POST',
    path: '/x?y=1',
    content: Buffer.from('abc'),
    headers: { 'X-Incus-mode': '0600' },
    timeoutMs: 5_000,
  });

  expect(answer.status).toBe(200);
  expect(answer.body.toString()).toBe('POST /x?y=1 0600');
  expect(answer.headers?.['x-incus-uid']).toBe('0');
});

test('silence ends at the limit, which the failure names', async () => {
  await expect(
    realHost.request(socket, { method: 'GET', path: '/silent', timeoutMs: 100 }),
  ).rejects.toMatchObject({ problem: { code: 'wait-limit', limitMs: 100 } });
});

test('a process that listens on a socket is found by its path', () => {
  expect(realHost.listener(socket)).toBe(process.pid);
  expect(realHost.listener(join(folder, 'other'))).toBeUndefined();
});
