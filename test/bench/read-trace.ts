// What our own process did in each phase of a migration, as trace.mjs wrote it down: figures that load does not change.
import { readFileSync } from 'node:fs';

interface Line {
  readonly kind: 'event' | 'request' | 'command';
  readonly what: string;
  readonly begun: number;
  readonly ended: number;
  /** Milliseconds of the processor that the process had used by then. */
  readonly cpu: number;
  /** The same of everything in the machine; of events, where its cgroups count it. */
  readonly machineCpu?: number;
}

export interface Phase {
  readonly name: string;
  readonly seconds: number;
  /** Of our process and its threads. */
  readonly cpuSeconds: number;
  /** Of everything in the machine. */
  readonly machineCpuSeconds: number;
  readonly requests: number;
  readonly commands: number;
}

/** A phase ends with the plan, the rehearsal, each step that is done, and the last event. */
export function readTrace(path: string): Phase[] {
  const lines = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const phases: Phase[] = [];
  let last: Pick<Line, 'ended' | 'cpu' | 'machineCpu'> = { ...lines[0], ended: 0, cpu: 0 };
  for (const line of lines) {
    const name = line.kind === 'event' ? phaseThatEnds(line.what) : undefined;
    if (name === undefined) continue;
    const began = ({ kind, begun }: Line, wanted: Line['kind']): boolean =>
      kind === wanted && begun >= last.ended && begun < line.ended;
    phases.push({
      name,
      seconds: (line.ended - last.ended) / 1000,
      cpuSeconds: (line.cpu - last.cpu) / 1000,
      machineCpuSeconds: ((line.machineCpu ?? Number.NaN) - (last.machineCpu ?? Number.NaN)) / 1000,
      requests: lines.filter((one) => began(one, 'request')).length,
      commands: lines.filter((one) => began(one, 'command')).length,
    });
    last = line;
  }
  return phases;
}

function phaseThatEnds(event: string): string | undefined {
  if (event === 'plan' || event === 'rehearsal' || event === 'exit') return event;
  if (event === 'end') return 'verify and report';
  return /^step (\S+) done$/.exec(event)?.[1];
}
