// Talks to a running LXD or Incus over its unix socket; both speak the same API here.
import { Failure, systemErrorCode } from '../../core/failure.ts';
import type { Host, HttpAnswer, HttpRequest } from '../../core/host.ts';
import { migrateFailure } from '../problem.ts';

export interface DaemonClient {
  /** `metadata` of the answer. @throws daemon-error */
  get(path: string): Promise<unknown>;
  /** Sends a change and waits until its background operation, if it has one, is done. @throws daemon-error */
  change(
    path: string,
    method: 'PUT' | 'POST' | 'PATCH' | 'DELETE',
    body?: unknown,
    limitMs?: number,
  ): Promise<unknown>;
  isAnswering(): Promise<boolean>;
  /** Until the daemon has started its pools, networks and instances. @throws daemon-silent */
  waitUntilReady(limitMs: number): Promise<void>;
  /** A clean stop, which takes down instances, networks and mounts; returns when nobody listens any more. */
  shutDown(limitMs: number): Promise<void>;
  /** A file in an instance, as the instance's own root; content of a missing file is undefined. */
  putFile(instance: InstanceName, path: string, content: Buffer): Promise<void>;
  getFile(instance: InstanceName, path: string): Promise<Buffer | undefined>;
  deleteFile(instance: InstanceName, path: string): Promise<void>;
}

export interface InstanceName {
  readonly project: string;
  readonly name: string;
}

interface Envelope {
  readonly type?: string;
  readonly error?: string;
  readonly metadata?: unknown;
  readonly operation?: string;
}

const answerLimitMs = 60_000;

export function daemonClient(host: Host, socketPath: string): DaemonClient {
  const ask = async (request: HttpRequest): Promise<Envelope> => {
    const answer = await host.request(socketPath, request);
    const envelope = parse(answer);
    if (answer.status >= 400 || envelope.type === 'error')
      throw refused(request, answer.status, envelope.error ?? answer.body.toString('utf8').slice(0, 500));
    return envelope;
  };
  const filePath = ({ project, name }: InstanceName, path: string): string =>
    `/1.0/instances/${encodeURIComponent(name)}/files?project=${encodeURIComponent(project)}&path=${encodeURIComponent(path)}`;

  return {
    async get(path) {
      return (await ask({ method: 'GET', path, timeoutMs: answerLimitMs })).metadata;
    },
    async change(path, method, body, limitMs = 600_000) {
      const request = { method, path, body, timeoutMs: answerLimitMs } as const;
      const envelope = await ask(request);
      if (envelope.type !== 'async' || envelope.operation === undefined) return envelope.metadata;
      return waitForOperation(ask, request, envelope.operation, limitMs);
    },
    async isAnswering() {
      try {
        const { status } = await host.request(socketPath, { method: 'GET', path: '/1.0', timeoutMs: 10_000 });
        return status === 200;
      } catch (error) {
        if (isSilence(error)) return false;
        throw error;
      }
    },
    async waitUntilReady(limitMs) {
      const end = host.clock() + limitMs;
      for (;;) {
        try {
          const { status } = await host.request(socketPath, {
            method: 'GET',
            path: '/internal/ready',
            timeoutMs: 30_000,
          });
          if (status === 200) return;
        } catch (error) {
          if (!isSilence(error)) throw error;
        }
        if (host.clock() > end)
          throw migrateFailure({
            code: 'daemon-silent',
            daemon: `The daemon on ${socketPath}`,
            limitMs,
            lastLines: [],
          });
        await host.sleep(50);
      }
    },
    async shutDown(limitMs) {
      try {
        await host.request(socketPath, { method: 'PUT', path: '/internal/shutdown', timeoutMs: limitMs });
      } catch (error) {
        // The daemon may close the connection before it has sent its answer.
        if (!isSilence(error)) throw error;
      }
      const end = host.clock() + 30_000;
      while (host.listener(socketPath) !== undefined) {
        if (host.clock() > end)
          throw migrateFailure({
            code: 'still-running',
            what: [`the daemon on ${socketPath} still listens after it was shut down`],
          });
        await host.sleep(10);
      }
    },
    async putFile(instance, path, content) {
      await ask({
        method: 'POST',
        path: filePath(instance, path),
        content,
        // Both spellings: each daemon reads its own.
        headers: {
          'X-LXD-uid': '0',
          'X-LXD-gid': '0',
          'X-LXD-mode': '0600',
          'X-LXD-type': 'file',
          'X-Incus-uid': '0',
          'X-Incus-gid': '0',
          'X-Incus-mode': '0600',
          'X-Incus-type': 'file',
        },
        timeoutMs: answerLimitMs,
      });
    },
    async getFile(instance, path) {
      const request = { method: 'GET', path: filePath(instance, path), timeoutMs: answerLimitMs } as const;
      const answer = await host.request(socketPath, request);
      if (answer.status === 404) return undefined;
      if (answer.status >= 400) throw refused(request, answer.status, parse(answer).error ?? '');
      return answer.body;
    },
    async deleteFile(instance, path) {
      await ask({ method: 'DELETE', path: filePath(instance, path), timeoutMs: answerLimitMs });
    },
  };
}

async function waitForOperation(
  ask: (request: HttpRequest) => Promise<Envelope>,
  origin: HttpRequest,
  operation: string,
  limitMs: number,
): Promise<unknown> {
  const path = `${operation.split('?')[0]}/wait?timeout=${Math.ceil(limitMs / 1000)}`;
  const { metadata } = await ask({ method: 'GET', path, timeoutMs: limitMs + 10_000 });
  const state = (metadata ?? {}) as {
    status?: string;
    status_code?: number;
    err?: string;
    metadata?: unknown;
  };
  if (state.status_code === 200) return state.metadata;
  throw refused(
    origin,
    state.status_code ?? 0,
    state.err === undefined || state.err === ''
      ? `the operation ended as ${state.status ?? 'unknown'}`
      : state.err,
  );
}

function refused({ method, path }: HttpRequest, status: number, message: string): Failure {
  return migrateFailure({
    code: 'daemon-error',
    request: `${method} ${path.split('?')[0]}`,
    status,
    message,
  });
}

function parse({ body }: HttpAnswer): Envelope {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Envelope) : {};
  } catch {
    return {};
  }
}

/** Nobody there, or nobody yet: what a daemon that starts or stops looks like from outside. */
function isSilence(error: unknown): boolean {
  const code = systemErrorCode(error);
  if (code !== undefined) return ['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTSOCK'].includes(code);
  return (
    (error instanceof Error && error.message === 'socket hang up') ||
    (error instanceof Failure && error.problem.code === 'wait-limit')
  );
}
