// Reads --services FILE: how to start and stop the daemons on a host without a service manager.
import { Failure, systemErrorCode } from '../../core/failure.ts';
import { readRegularFile } from '../../core/read-regular-file.ts';
import type { Argv } from '../../core/run.ts';
import type { Service } from '../model/installation.ts';
import { migrateFailure } from '../problem.ts';

export interface Services {
  readonly source: Service;
  readonly target: Service;
}

/**
 * JSON `{"source": {"start": [...], "stop": [...]}, "target": {...}}`; each is one command as a list of arguments, or
 * a list of such commands, run in order and never through a shell.
 */
export function readServicesFile(path: string): Services {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readRegularFile(path, { limit: 1024 * 1024, links: 'follow' }).toString('utf8'));
  } catch (error) {
    if (error instanceof Failure) throw bad(path, error.explanation.what.replace(/\.$/, ''));
    const code = systemErrorCode(error);
    throw migrateFailure(
      {
        code: 'bad-file',
        path,
        why: code ?? `it is not JSON (${error instanceof Error ? error.message : String(error)})`,
      },
      error,
    );
  }
  const root = asObject(path, parsed, 'the file');
  for (const name of Object.keys(root))
    if (name !== 'source' && name !== 'target')
      throw bad(path, `unknown name ${JSON.stringify(name)}; it may hold source and target`);
  return { source: service(path, root['source'], 'source'), target: service(path, root['target'], 'target') };
}

function service(path: string, value: unknown, role: string): Service {
  if (value === undefined) return { kind: 'none' };
  const entry = asObject(path, value, role);
  for (const name of Object.keys(entry))
    if (name !== 'start' && name !== 'stop')
      throw bad(path, `unknown name ${role}.${name}; it may hold start and stop`);
  return {
    kind: 'commands',
    start: commands(path, entry['start'], `${role}.start`),
    stop: commands(path, entry['stop'], `${role}.stop`),
  };
}

function commands(path: string, value: unknown, where: string): Argv[] {
  if (!Array.isArray(value) || value.length === 0) throw bad(path, `${where} must be a list of arguments`);
  const list: unknown[] = value.every((part) => typeof part === 'string') ? [value] : value;
  return list.map((argv) => {
    const [first, ...rest] = Array.isArray(argv) ? (argv as unknown[]) : [];
    if (
      typeof first !== 'string' ||
      first === '' ||
      !rest.every((part): part is string => typeof part === 'string')
    ) {
      throw bad(path, `${where} must be a list of arguments, all of them strings`);
    }
    if ([first, ...rest].some((part) => part.includes('\0')))
      throw bad(path, `${where} holds a zero byte, which no argument can`);
    return [first, ...rest];
  });
}

function asObject(path: string, value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw bad(path, `${what} must be an object`);
  return value as Record<string, unknown>;
}

function bad(path: string, why: string): Error {
  return migrateFailure({ code: 'bad-file', path, why });
}
