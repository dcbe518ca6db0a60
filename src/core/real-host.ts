// The machine that this process runs on.
import * as fs from 'node:fs';
import * as http from 'node:http';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { coreFailure } from './core-problem.ts';
import { systemErrorCode } from './failure.ts';
import type {
  Host,
  HttpAnswer,
  HttpRequest,
  LoopDevice,
  MountInfo,
  PortHolder,
  ProcessInfo,
} from './host.ts';
import { workOf } from './idle-limit.ts';
import { parseMountinfo } from './mountinfo.ts';
import { parseJson } from './parse.ts';
import { parseProcNet } from './proc-net.ts';
import { type Argv, run } from './run.ts';
import { start } from './start.ts';

export const realHost: Host = {
  path: (absolute) => absolute,
  run,
  start,
  which,
  processes,
  work: workOf,
  signal,
  mounts,
  loops,
  listener,
  ports,
  request,
  sleep: async (milliseconds) => {
    await delay(milliseconds);
  },
  clock: () => performance.now(),
  now: () => new Date(),
  userId: () => process.getuid?.() ?? -1,
};

function which(command: string): string | undefined {
  const folders = command.includes('/') ? [''] : (process.env['PATH'] ?? '').split(delimiter);
  return folders
    .map((folder) => join(folder, command))
    .find((path) => {
      try {
        fs.accessSync(path, fs.constants.X_OK);
        return fs.statSync(path).isFile();
      } catch {
        return false;
      }
    });
}

/** Reads something about a process that may end at any moment; undefined when it did, or is not ours to see. */
function ofProcess<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return undefined;
    throw error;
  }
}

function processIds(): number[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function processes(): ProcessInfo[] {
  const ours = { mnt: fs.readlinkSync('/proc/self/ns/mnt'), pid: fs.readlinkSync('/proc/self/ns/pid') };
  return processIds().flatMap((pid) => {
    const found = ofProcess(() => {
      const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
      // The name in parentheses may itself hold parentheses and blanks: the last one closes it.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      // A zombie runs nothing any more, though its /proc entry stays.
      if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
      const argv = fs
        .readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        .split('\0')
        .filter((argument) => argument !== '');
      const program = ofProcess(() => fs.readlinkSync(`/proc/${pid}/exe`))?.replace(/ \(deleted\)$/, '');
      const same = (kind: 'mnt' | 'pid'): boolean =>
        ofProcess(() => fs.readlinkSync(`/proc/${pid}/ns/${kind}`)) === ours[kind];
      return {
        pid,
        parent: Number(fields[1]),
        argv,
        program,
        sameMountNamespace: same('mnt'),
        samePidNamespace: same('pid'),
      };
    });
    return found === undefined ? [] : [found];
  });
}

function signal(pid: number, name: NodeJS.Signals | number): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (systemErrorCode(error) !== 'ESRCH') throw error;
  }
}

function mounts(): MountInfo[] {
  return parseMountinfo(fs.readFileSync('/proc/self/mountinfo', 'latin1'));
}

/** Some versions print numbers as texts. */
const losetupAnswer = z.object({
  loopdevices: z.array(
    z.object({
      name: z.string(),
      'back-file': z.string().nullable(),
      'back-ino': z.union([z.number(), z.string()]).nullable(),
      'back-maj:min': z.string().nullable(),
    }),
  ),
});

async function loops(): Promise<LoopDevice[]> {
  if (which('losetup') === undefined) return [];
  const argv: Argv = ['losetup', '--list', '--json', '--output', 'NAME,BACK-FILE,BACK-INO,BACK-MAJ:MIN'];
  const { stdout } = await run(argv, { timeoutMs: 20_000 });
  const text = stdout.toString('utf8').trim();
  // Without loop devices it prints nothing.
  if (text === '') return [];
  const parsed = parseJson(losetupAnswer, text);
  if ('why' in parsed) throw coreFailure({ code: 'command-answer', argv, why: parsed.why });
  return parsed.value.loopdevices.flatMap((row) => {
    const file = row['back-file'];
    if (file === null) return [];
    const stat = ofProcess(() => fs.statSync(file, { bigint: true }));
    // The name alone may be that of a file in another machine's tree.
    const same =
      stat !== undefined &&
      String(stat.ino) === String(row['back-ino']) &&
      deviceNumbers(stat.dev) === row['back-maj:min']?.trim();
    return same ? [{ device: row.name, backingFile: file }] : [];
  });
}

/** `major:minor` of a device number (sysmacros.h). */
function deviceNumbers(device: bigint): string {
  const major = ((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn);
  const minor = ((device >> 12n) & 0xffffff00n) | (device & 0xffn);
  return `${major}:${minor}`;
}

function listener(socketPath: string): number | undefined {
  const wanted = new Set(
    fs
      .readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .map((line) => /^\S+ \S+ \S+ (\S+) \S+ \S+\s+(\d+) (.*)$/.exec(line))
      // 00010000 is __SO_ACCEPTCON: somebody called listen().
      .filter((match) => match !== null && match[1] === '00010000' && match[3] === socketPath)
      .map((match) => `socket:[${match?.[2]}]`),
  );
  if (wanted.size === 0) return undefined;
  return processIds()
    .filter((pid) => pid !== 1)
    .find((pid) => filesOf(pid).some((file) => wanted.has(file)));
}

/** What the open files of a process are. */
function filesOf(pid: number): string[] {
  return (ofProcess(() => fs.readdirSync(`/proc/${pid}/fd`)) ?? []).map(
    (name) => ofProcess(() => fs.readlinkSync(`/proc/${pid}/fd/${name}`)) ?? '',
  );
}

function ports(): PortHolder[] {
  const sockets = (['tcp', 'udp'] as const).flatMap((protocol) =>
    ['', '6'].flatMap((family) => {
      // A kernel without IPv6 has no table of it.
      const text = ofProcess(() => fs.readFileSync(`/proc/net/${protocol}${family}`, 'latin1')) ?? '';
      return parseProcNet(text, protocol).map((socket) => ({ protocol, ...socket }));
    }),
  );
  if (sockets.length === 0) return [];
  // Of a socket that several hold, process 1 is the service manager that passed it on.
  const holders = new Map<string, number>();
  for (const pid of processIds())
    for (const file of filesOf(pid))
      if (file.startsWith('socket:[') && (holders.get(file) ?? 1) === 1) holders.set(file, pid);
  return sockets.map(({ inode, ...socket }) => ({ ...socket, pid: holders.get(`socket:[${inode}]`) }));
}

function request(socketPath: string, wanted: HttpRequest): Promise<HttpAnswer> {
  const body =
    wanted.content ?? (wanted.body === undefined ? undefined : Buffer.from(JSON.stringify(wanted.body)));
  return new Promise((resolve, reject) => {
    // Cleared however it ends: a limit of minutes that goes on running would keep the process alive as long.
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    const message = http.request(
      {
        socketPath,
        method: wanted.method,
        path: wanted.path,
        headers: {
          Host: 'localhost',
          'Content-Type': wanted.content === undefined ? 'application/json' : 'application/octet-stream',
          'Content-Length': body?.length ?? 0,
          ...wanted.headers,
        },
        agent: false,
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        // A daemon that ends while it answers.
        response.on('error', fail);
        response.on('end', () => {
          clearTimeout(timer);
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(parts),
            headers: response.headers,
          });
        });
      },
    );
    const timer = setTimeout(() => {
      message.destroy(
        coreFailure({
          code: 'wait-limit',
          what: `${wanted.method} ${wanted.path} on ${socketPath}`,
          limitMs: wanted.timeoutMs,
          last: 'no answer',
        }),
      );
    }, wanted.timeoutMs);
    message.on('error', fail);
    message.end(body);
  });
}
