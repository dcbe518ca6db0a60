// This machine as the tool sees it: processes, sockets, mounts, requests with their limits.
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as net from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Failure } from '../../src/core/failure.ts';
import { realHost } from '../../src/core/real-host.ts';
import { temporaryFolder } from '../temporary-folder.ts';

async function soon<T>(read: () => T | undefined): Promise<T | undefined> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const value = read();
    if (value !== undefined) return value;
    await delay(10);
  }
  return undefined;
}

function processOf(pid: number) {
  return realHost.processes().find((one) => one.pid === pid);
}

describe('ports', () => {
  test('name who waits on them, on IPv4 and IPv6, and nobody once they are closed', async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as net.AddressInfo;
    const found = () => realHost.ports().filter((one) => one.port === port && one.protocol === 'tcp');

    const open = found();
    await new Promise((resolve) => server.close(resolve));

    expect(open).toEqual([{ protocol: 'tcp', address: '127.0.0.1', port, pid: process.pid }]);
    expect(found()).toEqual([]);
  });
});

describe('processes', () => {
  test('hold this one, with its program and its namespaces', () => {
    const own = processOf(process.pid);

    expect(own).toMatchObject({ parent: process.ppid, sameMountNamespace: true, samePidNamespace: true });
    expect(own?.program).toBe(fs.realpathSync(process.execPath));
  });

  test('hold a child with its arguments, whatever is in them', async () => {
    const child = spawn('sleep', ['30'], { argv0: 'two words (odd) ünïcode' });
    onTestFinished(() => void child.kill('SIGKILL'));
    const { pid = -1 } = child;

    const found = await soon(() => {
      const one = processOf(pid);
      return one?.program?.endsWith('/sleep') === true || one?.argv[0]?.startsWith('two') ? one : undefined;
    });

    expect(found).toMatchObject({ pid, parent: process.pid, argv: ['two words (odd) ünïcode', '30'] });
  });

  test('name the program of a file that was removed meanwhile', async () => {
    const program = join(temporaryFolder(), 'incusd');
    fs.copyFileSync('/bin/sleep', program);
    const child = spawn(program, ['30']);
    onTestFinished(() => void child.kill('SIGKILL'));
    await soon(() => processOf(child.pid ?? -1)?.program?.endsWith('/incusd') || undefined);

    fs.rmSync(program);

    expect(processOf(child.pid ?? -1)?.program).toBe(program);
  });

  test('do not hold one that has ended and was not waited for', async () => {
    const child = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 30'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const zombie = Number(await new Promise((resolve) => child.stdout.once('data', resolve)));
    await soon(() => (/^State:\s+Z/m.test(status(zombie)) ? true : undefined));

    expect(status(zombie)).toMatch(/^State:\s+Z/m);
    expect(processOf(zombie)).toBeUndefined();
  });
});

function status(pid: number): string {
  return fs.readFileSync(`/proc/${pid}/status`, 'utf8');
}

test('a signal reaches its process; one that has ended already is no error', async () => {
  const child = spawn('sleep', ['30']);
  const ended = new Promise((resolve) => child.once('close', (_code, signal) => resolve(signal)));

  realHost.signal(child.pid ?? -1, 'SIGTERM');

  expect(await ended).toBe('SIGTERM');
  expect(() => realHost.signal(child.pid ?? -1, 'SIGTERM')).not.toThrow();
});

describe('which', () => {
  test('finds a command on PATH and a path itself', () => {
    expect(realHost.which('sh')).toMatch(/^\/.*\/sh$/);
    expect(realHost.which('/bin/sh')).toBe('/bin/sh');
  });

  test('takes neither a folder nor a file that cannot be executed', () => {
    const folder = temporaryFolder();
    fs.writeFileSync(join(folder, 'plain'), '', { mode: 0o644 });

    expect(realHost.which('no-such-command-here')).toBeUndefined();
    expect(realHost.which(folder)).toBeUndefined();
    expect(realHost.which(join(folder, 'plain'))).toBeUndefined();
  });
});

test('mounts hold the root and /proc', () => {
  const mounts = realHost.mounts();

  expect(mounts.find(({ path }) => path === '/')).toBeDefined();
  expect(mounts.find(({ path }) => path === '/proc')).toMatchObject({ type: 'proc' });
});

test('every loop device is named with a file that is there', async () => {
  for (const { device, backingFile } of await realHost.loops()) {
    expect(device).toMatch(/^\/dev\/loop/);
    expect(fs.existsSync(backingFile)).toBe(true);
  }
});

describe('listener', () => {
  test('is the process that listens on a socket', async () => {
    const path = join(temporaryFolder(), 'unix.socket');
    const server = net.createServer().listen(path);
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));

    expect(realHost.listener(path)).toBe(process.pid);
  });

  test('is nobody where the socket is only a file', async () => {
    const folder = temporaryFolder();
    const child = spawn(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(join(folder, 'left'))}, () => process.kill(process.pid, 'SIGKILL'))`,
    ]);
    await new Promise((resolve) => child.once('close', resolve));

    expect(fs.existsSync(join(folder, 'left'))).toBe(true);
    expect(realHost.listener(join(folder, 'left'))).toBeUndefined();
    expect(realHost.listener(join(folder, 'nothing'))).toBeUndefined();
  });

  test('is not a client that is connected to it', async () => {
    const path = join(temporaryFolder(), 'unix.socket');
    const child = spawn(process.execPath, [
      '-e',
      `require('net').createServer(() => {}).listen(${JSON.stringify(path)})`,
    ]);
    onTestFinished(() => void child.kill('SIGKILL'));
    // The file is there before anybody listens on it.
    await soon(() => realHost.listener(path));
    const client = net.connect(path);
    onTestFinished(() => void client.destroy());
    await new Promise((resolve) => client.once('connect', resolve));

    expect(realHost.listener(path)).toBe(child.pid);
  });
});

describe('request', () => {
  async function serve(handler: http.RequestListener): Promise<string> {
    const path = join(temporaryFolder(), 'unix.socket');
    const server = http.createServer(handler).listen(path);
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    await new Promise((resolve) => server.once('listening', resolve));
    return path;
  }

  test('sends method, path, headers and body, and gives status and bytes back', async () => {
    const socket = await serve((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const { method, url, headers } = request;
        response.statusCode = 202;
        response.end(
          JSON.stringify({
            method,
            url,
            own: headers['x-own'],
            type: headers['content-type'],
            body: Buffer.concat(parts).toString(),
          }),
        );
      });
    });

    const answer = await realHost.request(socket, {
      method: 'PUT',
      path: '/1.0/x?y=z',
      body: { a: 1 },
      headers: { 'X-Own': 'yes' },
      timeoutMs: 5_000,
    });

    expect(answer.status).toBe(202);
    expect(JSON.parse(answer.body.toString())).toEqual({
      method: 'PUT',
      url: '/1.0/x?y=z',
      own: 'yes',
      type: 'application/json',
      body: '{"a":1}',
    });
  });

  test('the names of the headers of an answer are in lower case', async () => {
    const socket = await serve((_request, response) => void response.writeHead(200, { 'X-Own': '7' }).end());

    const { headers } = await realHost.request(socket, { method: 'GET', path: '/', timeoutMs: 5_000 });

    expect(headers?.['x-own']).toBe('7');
  });

  test('a status of refusal is an answer, not an error', async () => {
    const socket = await serve((_request, response) => void response.writeHead(404).end('{}'));

    expect((await realHost.request(socket, { method: 'GET', path: '/', timeoutMs: 5_000 })).status).toBe(404);
  });

  test('a daemon that ends while it answers is an error at once, and its limit holds nothing up', async () => {
    const socket = await serve((_request, response) => {
      response.writeHead(200, { 'Content-Length': '10' });
      response.write('{', () => response.destroy());
    });
    const set = vi.spyOn(globalThis, 'setTimeout');
    const cleared = vi.spyOn(globalThis, 'clearTimeout');
    onTestFinished(() => void vi.restoreAllMocks());

    const asked = realHost.request(socket, { method: 'PUT', path: '/', timeoutMs: 600_000 });

    await expect(asked).rejects.toMatchObject({ code: 'ECONNRESET' });
    const limit = set.mock.results[set.mock.calls.findIndex(([, milliseconds]) => milliseconds === 600_000)];
    expect(cleared).toHaveBeenCalledWith(limit?.value);
  });

  test('a missing socket is a system error', async () => {
    const socket = join(temporaryFolder(), 'nothing');

    await expect(
      realHost.request(socket, { method: 'GET', path: '/', timeoutMs: 5_000 }),
    ).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });

  test.each([
    ['never answers', () => {}],
    [
      'stops in the middle of its answer',
      (_request: http.IncomingMessage, response: http.ServerResponse) => {
        response.writeHead(200, { 'Content-Length': '100' });
        response.write('half');
      },
    ],
  ])('a daemon that %s is given up at the limit, by name', async (_how, handler) => {
    const socket = await serve(handler);

    const error: unknown = await realHost
      .request(socket, { method: 'GET', path: '/1.0', timeoutMs: 100 })
      .catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(Failure);
    expect((error as Failure).problem).toMatchObject({ code: 'wait-limit', what: `GET /1.0 on ${socket}` });
  });
});

describe('what losetup prints', () => {
  function withLosetup(prints: string): void {
    const folder = temporaryFolder();
    fs.writeFileSync(join(folder, 'losetup'), `#!/bin/sh\ncat <<'END'\n${prints}\nEND\n`, { mode: 0o755 });
    vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
    onTestFinished(() => void vi.unstubAllEnvs());
  }

  test.each([
    ['nothing', ''],
    ['no device', '{"loopdevices": []}'],
    [
      'a device on a file of somebody else',
      '{"loopdevices": [{"name": "/dev/loop0", "back-file": "/no/such/file", "back-ino": "7", "back-maj:min": "8:1"}]}',
    ],
    [
      'a device without a file',
      '{"loopdevices": [{"name": "/dev/loop0", "back-file": null, "back-ino": null, "back-maj:min": null}]}',
    ],
  ])('%s is no loop device of ours', async (_what, prints) => {
    withLosetup(prints);

    expect(await realHost.loops()).toEqual([]);
  });

  test.each([
    ['loop0 is busy', 'it is not JSON'],
    ['{}', 'loopdevices is not of type array'],
    ['{"loopdevices": [{"name": 7}]}', 'loopdevices.0.name is not of type string'],
  ])('and is not understood is a failure that says so: %s', async (prints, why) => {
    withLosetup(prints);

    await expect(realHost.loops()).rejects.toMatchObject({ problem: { code: 'command-answer', why } });
  });
});
