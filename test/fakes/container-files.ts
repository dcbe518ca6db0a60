// Containers of a fake daemon that keep what root writes in them.
import { syncAnswer } from './daemon-answers.ts';
import type { FakeHost } from './fake-host.ts';

export function answerFiles(host: FakeHost): void {
  const written = new Map<string, Buffer>();
  host.onRequest((_, { method, path, content }) => {
    const url = new URL(path, 'http://localhost');
    const name = url.searchParams.get('path');
    if (!url.pathname.endsWith('/files') || name === null) return undefined;
    if (name === '/') return { ...syncAnswer([]), headers: { 'x-lxd-uid': '0' } };
    if (method === 'POST' && content !== undefined) written.set(name, content);
    const body = written.get(name);
    return method === 'GET' && body !== undefined ? { status: 200, body } : syncAnswer(null);
  });
}
