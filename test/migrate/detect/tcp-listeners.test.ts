import * as fs from 'node:fs';
import { createServer, type Server } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { realHost } from '../../../src/core/real-host.ts';
import { parseAddress, tcpListeners } from '../../../src/migrate/detect/tcp-listeners.ts';
import { fakeHost } from '../../fakes/fake-host.ts';

async function listening(host: string): Promise<number> {
  const server: Server = createServer();
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

test('those of this very process are found, whatever else listens', async () => {
  const port = await listening('127.0.0.1');

  const found = tcpListeners(realHost, process.pid);

  expect(found).toContainEqual({ host: '127.0.0.1', port });
});

describe('an address of /proc/net/tcp', () => {
  test.each([
    ['0100007F:20FB', '127.0.0.1', 8443],
    ['00000000:0035', '0.0.0.0', 53],
    ['00000000000000000000000000000000:20FB', '[::]', 8443],
    ['00000000000000000000000001000000:0001', '[::1]', 1],
    ['B80D0120000000000000000001000000:20FB', '[2001:db8::1]', 8443],
    ['B80D01200100000000000000000000FF:FFFF', '[2001:db8:0:1::ff00:0]', 65_535],
    ['0000000000000000FFFF00000100007F:1F90', '[::ffff:7f00:1]', 8080],
  ])('%s', (text, host, port) => {
    expect(parseAddress(text)).toEqual({ host, port });
  });

  test.each(['', 'local_address', '0100007F', '0100007F:1', '0100:20FB'])('%j is none', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

test('of a process that is gone, or whose tables cannot be read, there are none', () => {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  fs.mkdirSync(host.path('/proc/7/fd'), { recursive: true });
  fs.symlinkSync('socket:[5]', host.path('/proc/7/fd/3'));
  fs.mkdirSync(host.path('/proc/7/net/tcp'), { recursive: true });

  expect([tcpListeners(host, 6), tcpListeners(host, 7)]).toEqual([[], []]);
});
