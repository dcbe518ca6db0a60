// Runs a program and measures it with all processes that it starts: time, and the most memory they had at once.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface Measured {
  readonly milliseconds: number;
  /** Sum of the resident sets; what processes share counts once for each. */
  readonly peakBytes: number;
  readonly stdout: string;
}

const everyMs = 20;

export async function measureTree(argv: readonly [string, ...string[]]): Promise<Measured> {
  const [command, ...args] = argv;
  const begun = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const out: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  let peakBytes = 0;
  const timer = setInterval(() => {
    peakBytes = Math.max(peakBytes, residentBytes(child.pid ?? 0));
  }, everyMs);
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearInterval(timer);
  const milliseconds = performance.now() - begun;
  if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}`);
  return { milliseconds, peakBytes, stdout: Buffer.concat(out).toString('utf8') };
}

function residentBytes(root: number): number {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(/^PPid:\s+(\d+)$/m.exec(readProc(`${name}/status`))?.[1] ?? -1);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  let bytes = 0;
  const stack = [root];
  for (let pid = stack.pop(); pid !== undefined; pid = stack.pop()) {
    bytes += 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readProc(`${pid}/status`))?.[1] ?? 0);
    stack.push(...(children.get(pid) ?? []));
  }
  return bytes;
}

/** Empty for a process that has just ended. */
function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}
