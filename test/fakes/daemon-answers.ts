// Answers in the form in which both daemons give them.
import type { HttpAnswer, HttpRequest } from '../../src/core/host.ts';

export function jsonAnswer(status: number, value: unknown): HttpAnswer {
  return { status, body: Buffer.from(JSON.stringify(value)) };
}

export function syncAnswer(metadata: unknown): HttpAnswer {
  return jsonAnswer(200, {
    type: 'sync',
    status: 'Success',
    status_code: 200,
    error_code: 0,
    error: '',
    metadata,
  });
}

export function errorAnswer(status: number, error: string): HttpAnswer {
  return jsonAnswer(status, {
    type: 'error',
    status: '',
    status_code: 0,
    error_code: status,
    error,
    metadata: null,
  });
}

export const operationId = '99dc5c43-e89f-4a65-8a85-4ac1a2a0dcbf';

/** Answer to a change that goes on in the background. */
export function asyncAnswer(): HttpAnswer {
  return jsonAnswer(202, {
    type: 'async',
    status: 'Operation created',
    status_code: 100,
    operation: `/1.0/operations/${operationId}`,
    metadata: { id: operationId },
  });
}

/** Answer to the wait for it. */
export function operationAnswer(statusCode: number, err = '', metadata: unknown = null): HttpAnswer {
  return syncAnswer({
    id: operationId,
    status: `status ${statusCode}`,
    status_code: statusCode,
    err,
    metadata,
  });
}

/** A handler that answers `METHOD /path?query` from a table. */
export function answersFrom(
  table: Readonly<Record<string, HttpAnswer | undefined>>,
): (socketPath: string, request: HttpRequest) => HttpAnswer | undefined {
  return (_socketPath, { method, path }) => table[`${method} ${path}`];
}
