// Reads objects by sha through one long-lived `git cat-file --batch-command`; answers come as bytes.
import { spawn } from 'node:child_process';
import { syncFailure } from '../problem.ts';
import { gitEnvironment } from './git-environment.ts';

export type ObjectType = 'blob' | 'tree' | 'commit' | 'tag';

export interface GitObject {
  readonly type: ObjectType;
  readonly data: Buffer;
}

export interface ObjectReader {
  /** The object, or undefined where the repository does not hold it. */
  read(sha: string): Promise<GitObject | undefined>;
  close(): Promise<void>;
}

interface Waiting {
  readonly sha: string;
  readonly resolve: (object: GitObject | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * `little`: git's own caches would grow by 100 MB and more, and objects that are read again are cached on this side.
 * `much` reads tens of thousands of objects in two thirds of the time: packs are mapped once and as a whole.
 */
export type GitMemory = 'little' | 'much';

const limits: Readonly<Record<GitMemory, readonly string[]>> = {
  little: ['core.deltaBaseCacheLimit=4m', 'core.packedGitWindowSize=256k', 'core.packedGitLimit=4m'],
  much: ['core.deltaBaseCacheLimit=96m', 'core.packedGitWindowSize=1g'],
};

/** Starts the reader on a repository; requests are pipelined, so many can wait at once. */
export function openObjectReader(gitDir: string, memory: GitMemory = 'little'): ObjectReader {
  const settings = limits[memory].flatMap((setting) => ['-c', setting]);
  const child = spawn(
    'git',
    [`--git-dir=${gitDir}`, ...settings, 'cat-file', '--batch-command', '--buffer'],
    {
      env: { ...process.env, ...gitEnvironment },
      stdio: ['pipe', 'pipe', 'pipe'],
      // Ctrl-C is for us: the reader goes on until its input ends, so that what was begun can be finished.
      detached: true,
    },
  );
  const waiting: (Waiting | undefined)[] = [];
  let head = 0;
  let outgoing: string[] = [];
  let closed = false;
  let stderr = '';
  const input = createInput();

  const flush = (): void => {
    const lines = outgoing.join('');
    outgoing = [];
    // git answers a batch with few writes, and not with one for each object.
    child.stdin.write(`${lines}flush\n`, 'latin1');
  };
  const answer = (): Waiting | undefined => {
    const first = waiting[head];
    // What was answered must not be kept until the list is cut: it holds the object's bytes.
    waiting[head] = undefined;
    head += 1;
    if (head > 1024 && head * 2 > waiting.length) {
      waiting.splice(0, head);
      head = 0;
    }
    return first;
  };
  const fail = (error: unknown): void => {
    for (let first = answer(); first !== undefined; first = answer()) first.reject(error);
  };

  child.stdin.on('error', () => {});
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('latin1')).slice(-2000);
  });
  child.stdout.on('data', (chunk: Buffer) => {
    input.push(chunk);
    for (;;) {
      const found = input.next();
      if (found === undefined) return;
      const first = answer();
      if (first === undefined) continue;
      if (found.kind === 'object') first.resolve({ type: found.type, data: found.data });
      else if (found.kind === 'missing') first.resolve(undefined);
      else first.reject(syncFailure({ code: 'object-unreadable', sha: first.sha, detail: found.header }));
    }
  });
  child.on('error', (error) => fail(error));
  const ended = new Promise<void>((resolve) => {
    child.on('close', () => {
      closed = true;
      fail(syncFailure({ code: 'git-stopped', command: 'git cat-file', detail: stderr.trim() }));
      resolve();
    });
  });

  return {
    read(sha) {
      return new Promise((resolve, reject) => {
        if (closed) {
          reject(syncFailure({ code: 'git-stopped', command: 'git cat-file', detail: stderr.trim() }));
          return;
        }
        waiting.push({ sha, resolve, reject });
        // After all that the last answers set going: their requests make one batch.
        if (outgoing.length === 0) process.nextTick(flush);
        outgoing.push(`contents ${sha}\n`);
      });
    },
    async close() {
      if (!closed) child.stdin.end();
      await ended;
    },
  };
}

type Answer =
  | { readonly kind: 'object'; readonly type: ObjectType; readonly data: Buffer }
  | { readonly kind: 'missing' }
  | { readonly kind: 'odd'; readonly header: string };

/** Cuts the stream of answers; bytes are copied only where an answer spans chunks. */
function createInput(): { push(chunk: Buffer): void; next(): Answer | undefined } {
  let buffer: Buffer = Buffer.alloc(0);
  let parts: Buffer[] = [];
  let partBytes = 0;
  let needed = 0;
  return {
    push(chunk) {
      parts.push(chunk);
      partBytes += chunk.length;
    },
    next() {
      if (buffer.length + partBytes < needed) return undefined;
      if (parts.length > 0) {
        buffer =
          buffer.length === 0 && parts.length === 1
            ? (parts[0] ?? buffer)
            : Buffer.concat([buffer, ...parts]);
        parts = [];
        partBytes = 0;
      }
      const end = buffer.indexOf(10);
      if (end < 0) {
        needed = buffer.length + 1;
        return undefined;
      }
      const header = buffer.toString('latin1', 0, end);
      const [, type, size] = header.split(' ');
      if (size === undefined) {
        buffer = buffer.subarray(end + 1);
        needed = 0;
        return type === 'missing' ? { kind: 'missing' } : { kind: 'odd', header };
      }
      const length = Number(size);
      if (buffer.length < end + 2 + length) {
        needed = end + 2 + length;
        return undefined;
      }
      const data = buffer.subarray(end + 1, end + 1 + length);
      buffer = buffer.subarray(end + 2 + length);
      needed = 0;
      return { kind: 'object', type: type as ObjectType, data };
    },
  };
}
