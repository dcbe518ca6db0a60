// Talks to a running LXD or Incus over its unix socket; both speak the same API here.
import { Failure, systemErrorCode } from '../../core/failure.ts';
import type { Host, HttpAnswer, HttpRequest } from '../../core/host.ts';
import { type MigrateProblem, migrateFailure } from '../problem.ts';
import { type Fields, fields, numberOf, rawOf, textOf } from './fields.ts';
import { limitFor, type ServerSize, smallServer } from './server-size.ts';

export interface DaemonClient {
  /** `metadata` of the answer to a path (`apiPath` makes one). @throws daemon-error, -unreachable, -answer-unreadable */
  get(path: string, limitMs?: number): Promise<unknown>;
  /** Sends a change and waits until its background operation, if it has one, is done. @throws daemon-* */
  change(
    path: string,
    method: 'PUT' | 'POST' | 'PATCH' | 'DELETE',
    body?: unknown,
    limitMs?: number,
  ): Promise<unknown>;
  isAnswering(): Promise<boolean>;
  /** Whether it has begun to stop: it goes on answering questions, and refuses every change. */
  isShuttingDown(): Promise<boolean>;
  /** Until the daemon has started its pools, networks and instances. @throws daemon-silent */
  waitUntilReady(limitMs: number): Promise<void>;
  /**
   * A clean stop, which takes down instances, networks and mounts; returns when nobody listens any more.
   * @throws daemon-will-not-stop
   */
  shutDown(limitMs: number): Promise<void>;
  /** A file in an instance, as the instance's own root; content of a missing file is undefined. */
  putFile(instance: InstanceName, path: string, content: Buffer): Promise<void>;
  getFile(instance: InstanceName, path: string): Promise<Buffer | undefined>;
  deleteFile(instance: InstanceName, path: string): Promise<void>;
  /** A folder in an instance: to which user id, as the instance sees it, it belongs, and the names in it. */
  folder(instance: InstanceName, path: string): Promise<InstanceFolder>;
}

export interface InstanceFolder {
  readonly owner: number;
  readonly names: readonly string[];
}

export interface InstanceName {
  readonly project: string;
  readonly name: string;
}

const answerLimitOfSmallMs = 60_000;
const operationLimitOfSmallMs = 600_000;

/** Of every project, each as the daemon sees it now. Where there are very many, no list takes a daemon longer. */
export const allInstances = '/1.0/instances?recursion=1&all-projects=true';

/** A path of the API; its parts are escaped, so a name can hold anything. */
export function apiPath(parts: readonly string[], query: Readonly<Record<string, string>> = {}): string {
  const path = `/${parts.map(encodeURIComponent).join('/')}`;
  const text = new URLSearchParams(query).toString();
  return text === '' ? path : `${path}?${text}`;
}

/** @param size of its server, by which it is given time to answer */
export function daemonClient(host: Host, socketPath: string, size: ServerSize = smallServer): DaemonClient {
  const answerLimitMs = limitFor(answerLimitOfSmallMs, size);
  const operationLimitMs = limitFor(operationLimitOfSmallMs, size);
  const send = async (request: HttpRequest): Promise<HttpAnswer> => {
    try {
      return await host.request(socketPath, request);
    } catch (error) {
      const errno = systemErrorCode(error);
      if (errno === undefined) throw error;
      throw migrateFailure({ code: 'daemon-unreachable', socket: socketPath, errno }, error);
    }
  };
  const ask = async (request: HttpRequest): Promise<Fields> => {
    const answer = await send(request);
    if (answer.status >= 400) throw refused(request, answer.status, errorText(answer));
    const content = fields(parse(request, answer), nameOf(request));
    // The wait for an operation begins its answer, with status 200, before it knows how that ends.
    if (textOf(content, 'type') === 'error')
      throw refused(request, numberOf(content, 'error_code'), errorText(answer));
    return content;
  };
  const filePath = ({ project, name }: InstanceName, path: string): string =>
    apiPath(['1.0', 'instances', name, 'files'], { project, path });

  return {
    async get(path, limitMs = answerLimitMs) {
      return rawOf(await ask({ method: 'GET', path, timeoutMs: limitMs }), 'metadata');
    },
    async change(path, method, body, limitMs = operationLimitMs) {
      const request = { method, path, body, timeoutMs: answerLimitMs } as const;
      const answer = await ask(request);
      if (textOf(answer, 'type') !== 'async') return rawOf(answer, 'metadata');
      return waitForOperation(ask, request, textOf(answer, 'operation'), limitMs);
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
    async isShuttingDown() {
      try {
        // No question tells, and this changes nothing: there is no instance of that name, and no such action.
        const { status, body } = await host.request(socketPath, {
          method: 'PUT',
          path: '/1.0/instances/-/state',
          body: {},
          timeoutMs: 10_000,
        });
        return status === 503 && /shutting down/i.test(body.toString('utf8'));
      } catch (error) {
        if (isSilence(error)) return false;
        throw error;
      }
    },
    async waitUntilReady(limitMs) {
      const end = host.clock() + limitMs;
      let last: string | undefined;
      for (;;) {
        try {
          const answer = await host.request(socketPath, {
            method: 'GET',
            path: '/internal/ready',
            timeoutMs: 30_000,
          });
          if (answer.status === 200) return;
          last = errorText(answer);
        } catch (error) {
          if (!isSilence(error)) throw error;
        }
        if (host.clock() > end)
          throw migrateFailure({
            code: 'daemon-silent',
            daemon: `The daemon on ${socketPath}`,
            limitMs,
            lastLines: last === undefined ? [] : [last],
          });
        await host.sleep(50);
      }
    },
    async shutDown(limitMs) {
      const end = host.clock() + limitMs;
      let last = '';
      try {
        // Answered when everything has been stopped, just before the process ends.
        const answer = await host.request(socketPath, {
          method: 'PUT',
          path: '/internal/shutdown',
          timeoutMs: limitMs,
        });
        if (answer.status >= 400) last = errorText(answer);
      } catch (error) {
        // The daemon may close the connection before it has sent its answer.
        if (!isSilence(error)) throw error;
      }
      while (host.listener(socketPath) !== undefined) {
        if (host.clock() > end)
          throw migrateFailure({ code: 'daemon-will-not-stop', socket: socketPath, limitMs, last });
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
          'X-LXD-write': 'overwrite',
          'X-Incus-uid': '0',
          'X-Incus-gid': '0',
          'X-Incus-mode': '0600',
          'X-Incus-type': 'file',
          'X-Incus-write': 'overwrite',
        },
        timeoutMs: answerLimitMs,
      });
    },
    async getFile(instance, path) {
      const request = { method: 'GET', path: filePath(instance, path), timeoutMs: answerLimitMs } as const;
      const answer = await send(request);
      if (answer.status === 404) return undefined;
      if (answer.status >= 400) throw refused(request, answer.status, errorText(answer));
      return answer.body;
    },
    async deleteFile(instance, path) {
      await ask({ method: 'DELETE', path: filePath(instance, path), timeoutMs: answerLimitMs });
    },
    async folder(instance, path) {
      const request = { method: 'GET', path: filePath(instance, path), timeoutMs: answerLimitMs } as const;
      const answer = await send(request);
      if (answer.status >= 400) throw refused(request, answer.status, errorText(answer));
      const owner = answer.headers?.['x-incus-uid'] ?? answer.headers?.['x-lxd-uid'];
      if (typeof owner === 'string' && /^\d+$/.test(owner)) {
        const names = rawOf(fields(parse(request, answer), nameOf(request)), 'metadata');
        return {
          owner: Number(owner),
          names: Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [],
        };
      }
      throw migrateFailure({
        code: 'daemon-answer-unreadable',
        request: nameOf(request),
        why: 'it names no owner',
      });
    },
  };
}

/** The daemon forgets an operation a few seconds after its end, so it is waited for at once. */
async function waitForOperation(
  ask: (request: HttpRequest) => Promise<Fields>,
  origin: HttpRequest,
  operation: string,
  limitMs: number,
): Promise<unknown> {
  // The path may carry `?project=`.
  const [path = ''] = operation.split('?');
  if (!/^\/1\.0\/operations\/[0-9a-f-]{36}$/.test(path)) {
    throw migrateFailure({
      code: 'daemon-answer-unreadable',
      request: nameOf(origin),
      why: 'it names no operation',
    });
  }
  const wait = `${path}/wait?timeout=${Math.ceil(limitMs / 1000)}`;
  const limit = { code: 'daemon-operation-limit', request: nameOf(origin), limitMs } as const;
  const answer = await ask({ method: 'GET', path: wait, timeoutMs: limitMs + 10_000 }).catch(
    (error: unknown) => {
      if (!(error instanceof Failure) || error.problem.code !== 'daemon-error') throw error;
      const { message, status } = error.problem as Extract<MigrateProblem, { code: 'daemon-error' }>;
      // What Go says of a wait that ran out of time (operationWaitGet of Incus 6.0; LXD and Incus 7 say that it runs).
      if (message === 'context deadline exceeded') throw migrateFailure(limit, error);
      throw refused(origin, status, message);
    },
  );
  const state = fields(rawOf(answer, 'metadata'), nameOf(origin));
  const status = numberOf(state, 'status_code');
  if (status === 200) return rawOf(state, 'metadata');
  if (status < 200) throw migrateFailure(limit);
  const ended = `the operation ended as ${textOf(state, 'status') || 'unknown'}`;
  throw refused(origin, status, textOf(state, 'err') || ended);
}

function nameOf({ method, path }: HttpRequest): string {
  return `${method} ${path.split('?')[0]}`;
}

function refused(request: HttpRequest, status: number, message: string): Failure {
  return migrateFailure({ code: 'daemon-error', request: nameOf(request), status, message });
}

function parse(request: HttpRequest, { body }: HttpAnswer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw migrateFailure(
      { code: 'daemon-answer-unreadable', request: nameOf(request), why: 'it is not JSON' },
      error,
    );
  }
}

/** The daemon's own words. */
function errorText({ status, body }: HttpAnswer): string {
  const text = body.toString('utf8');
  try {
    const message = textOf(fields(JSON.parse(text), ''), 'error');
    if (message !== '') return message;
  } catch {
    // Not the daemon's usual form: shown as it came.
  }
  return text.trim().slice(0, 500) || `HTTP status ${status}`;
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
