// The API of the LXD or Incus in a machine, over its unix socket; operations are waited for.
import type { HttpRequest } from '../../../src/core/host.ts';
import { realHost } from '../../../src/core/real-host.ts';
import type { Machine } from '../machine/machine.ts';
import { machineFailure } from '../machine/problem.ts';

export type Product = 'lxd' | 'incus';

export interface ApiOptions {
  readonly project?: string;
  readonly timeoutMs?: number;
  /** Sent as it is instead of JSON. */
  readonly content?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Answer {
  readonly type: 'sync' | 'async' | 'error';
  readonly metadata: unknown;
  readonly error?: string;
  readonly operation?: string;
}

interface Operation {
  readonly id: string;
  readonly status: string;
  readonly err: string;
  readonly metadata: unknown;
}

export const socketPath: Readonly<Record<Product, string>> = {
  lxd: '/var/lib/lxd/unix.socket',
  incus: '/var/lib/incus/unix.socket',
};

const answerLimitMs = 120_000;

/**
 * Sends a request and returns the answer's `metadata`; of an operation that ran in the background, the operation's.
 * @throws {Failure<MachineProblem>} api-error
 */
export async function api(
  machine: Machine,
  product: Product,
  method: HttpRequest['method'],
  path: string,
  body?: unknown,
  options: ApiOptions = {},
): Promise<unknown> {
  const answer = await send(machine, product, method, inProject(path, options.project), body, options);
  if (answer.type !== 'async' || answer.operation === undefined) return answer.metadata;
  const wait = await send(machine, product, 'GET', `${answer.operation.split('?')[0]}/wait`, undefined, {
    ...options,
    ...(options.project === undefined ? {} : { project: options.project }),
  });
  const operation = wait.metadata as Operation;
  if (operation.status !== 'Success')
    throw machineFailure({
      code: 'api-error',
      request: `${method} ${path}`,
      status: 200,
      text: `${operation.status}: ${operation.err}`,
    });
  return operation.metadata;
}

function inProject(path: string, project: string | undefined): string {
  if (project === undefined) return path;
  return `${path}${path.includes('?') ? '&' : '?'}project=${encodeURIComponent(project)}`;
}

async function send(
  machine: Machine,
  product: Product,
  method: HttpRequest['method'],
  path: string,
  body: unknown,
  options: ApiOptions,
): Promise<Answer> {
  const request = `${product}: ${method} ${path}`;
  const { status, body: bytes } = await realHost.request(machine.rootPath(socketPath[product]), {
    method,
    path,
    timeoutMs: options.timeoutMs ?? answerLimitMs,
    ...(body === undefined ? {} : { body }),
    ...(options.content === undefined ? {} : { content: options.content }),
    ...(options.headers === undefined ? {} : { headers: options.headers }),
  });
  const text = bytes.toString('utf8');
  let answer: Answer;
  try {
    answer = JSON.parse(text) as Answer;
  } catch (error) {
    throw machineFailure({ code: 'api-error', request, status, text }, error);
  }
  if (answer.type === 'error')
    throw machineFailure({ code: 'api-error', request, status, text: answer.error ?? text });
  return answer;
}
