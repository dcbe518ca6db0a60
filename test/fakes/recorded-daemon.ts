// A daemon that gives the answers that a real one gave to `inventoryFromApi`, with its database at that moment.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { type DaemonClient, daemonClient } from '../../src/migrate/daemon/client.ts';
import { errorAnswer, syncAnswer } from './daemon-answers.ts';
import { fakeHost } from './fake-host.ts';
import { ofAllProjects } from './of-all-projects.ts';
import { wholeInstance } from './whole-instance.ts';

export interface RecordedDaemon {
  readonly client: DaemonClient;
  readonly image: Buffer;
  readonly localDatabase: Buffer;
}

/** `lxd-5.0.2` is a server before its move, `incus-6.0.4` the same one after it, `incus-7.0.2` a similar one after its own. */
export function recordedDaemon(name: 'lxd-5.0.2' | 'incus-6.0.4' | 'incus-7.0.2'): RecordedDaemon {
  const path = join(import.meta.dirname, '..', '..', 'fixtures', 'api', `${name}.json.br`);
  const { answers, image, local } = JSON.parse(brotliDecompressSync(readFileSync(path)).toString('utf8')) as {
    answers: Record<string, unknown>;
    image: string;
    local: string;
  };
  const host = fakeHost();
  host.dispose();
  const byQuestion = new Map(Object.entries(answers).map(([path, answer]) => [questionOf(path), answer]));
  const recorded = (asked: string): unknown =>
    byQuestion.get(questionOf(asked)) ??
    (asked.includes('all-projects=true') ? ofAllProjects(answers, asked) : undefined);
  host.onRequest((_, { method, path: asked }) => {
    const answer = recorded(asked) ?? wholeInstance(recorded, asked);
    return method === 'GET' && answer !== undefined
      ? syncAnswer(answer)
      : errorAnswer(404, `not recorded: ${method} ${asked}`);
  });
  return {
    client: daemonClient(host, '/unix.socket'),
    image: Buffer.from(image, 'base64'),
    localDatabase: Buffer.from(local, 'base64'),
  };
}

/** The path with its options in one order. */
function questionOf(path: string): string {
  const url = new URL(path, 'http://unix');
  url.searchParams.sort();
  return `${url.pathname}?${url.searchParams}`;
}
