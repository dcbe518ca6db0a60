// Kill points of a migration: at every boundary between steps, at every n-th system call that changes something, and at random times.
import { setTimeout as delay } from 'node:timers/promises';
import type { Machine } from '../machine/machine.ts';
import {
  callLog,
  type Ending,
  endsWell,
  events,
  type FaultLab,
  killTool,
  tracedTool,
  watchedTool,
} from './fault-lab.ts';

export type KillPoint =
  | { readonly kind: 'boundary'; readonly position: number; readonly ending: Ending }
  | { readonly kind: 'syscall'; readonly number: number; readonly ending: Ending }
  | { readonly kind: 'random'; readonly milliseconds: number; readonly ending: Ending };

export interface KillOutcome {
  readonly point: KillPoint;
  /** Where it was, in words. */
  readonly where: string;
  readonly wrong: readonly string[];
  readonly seconds: number;
}

const migrate = ['migrate', '--yes', '--json'];

export async function tryKillPoint(lab: FaultLab, point: KillPoint): Promise<KillOutcome> {
  const begun = performance.now();
  const machine = await lab.start('killed');
  try {
    const where = await kill(machine, point);
    const wrong = await endsWell(lab, machine, point.ending);
    return { point, where, wrong, seconds: (performance.now() - begun) / 1000 };
  } finally {
    await machine.stop();
  }
}

async function kill(machine: Machine, point: KillPoint): Promise<string> {
  switch (point.kind) {
    case 'boundary': {
      let killed: Promise<void> | undefined;
      const { stdout } = await watchedTool(machine, migrate, (text) => {
        const reached = text.includes(`"event":"step","position":${point.position},`);
        if (reached) killed ??= killTool(machine, 'migrate');
      });
      await killed;
      return `at the beginning of ${lastStep(stdout)}`;
    }
    case 'syscall': {
      const { stdout } = await machine.exec(tracedTool('kill', point.number, point.number, migrate), {
        timeoutMs: 300_000,
        accept: 'any',
      });
      const { stdout: call } = await machine.exec(['tail', '-n', '1', callLog]);
      return `in ${lastStep(stdout)}, before call ${call.trim()}`;
    }
    case 'random': {
      const ended = watchedTool(machine, migrate, () => {});
      await Promise.race([ended, delay(point.milliseconds)]);
      await killTool(machine, 'migrate');
      const { stdout } = await ended;
      return `${Math.round(point.milliseconds)} ms after its start, in ${lastStep(stdout)}`;
    }
  }
}

function lastStep(stdout: string): string {
  const last = events(stdout)
    .filter(({ event }) => event !== 'plan')
    .at(-1);
  if (last === undefined) return 'the plan or rehearsal';
  return last.event === 'step'
    ? `${String(last['kind'])} (${String(last['position'])}, ${String(last['state'])})`
    : String(last.event);
}

export function describePoint(point: KillPoint): string {
  switch (point.kind) {
    case 'boundary':
      return `boundary ${point.position}, ${point.ending}`;
    case 'syscall':
      return `syscall ${point.number}, ${point.ending}`;
    case 'random':
      return `random ${Math.round(point.milliseconds)} ms, ${point.ending}`;
  }
}

/** Numbers between 0 and 1 that are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const ending = (index: number): Ending => (index % 2 === 0 ? 'resume' : 'rollback');

/** Every boundary, once resumed and once rolled back. */
export function boundaryPoints({ steps }: FaultLab): KillPoint[] {
  return steps.flatMap((_, position) =>
    (['resume', 'rollback'] as const).map((one): KillPoint => ({ kind: 'boundary', position, ending: one })),
  );
}

/** So many, evenly over the whole run, by turns resumed and rolled back. */
export function syscallPoints({ calls }: FaultLab, count: number, random: () => number): KillPoint[] {
  const stride = calls / count;
  const first = random() * stride;
  return Array.from(
    { length: Math.min(count, calls) },
    (_, index): KillPoint => ({
      kind: 'syscall',
      number: Math.max(1, Math.round(first + index * stride)),
      ending: ending(index),
    }),
  );
}

export function randomPoints({ milliseconds }: FaultLab, count: number, random: () => number): KillPoint[] {
  return Array.from(
    { length: count },
    (_, index): KillPoint => ({
      kind: 'random',
      milliseconds: random() * milliseconds,
      ending: ending(index),
    }),
  );
}

/** The line that says what was tried. */
export function killTotal(outcomes: readonly KillOutcome[]): string {
  const well = outcomes.filter(({ wrong }) => wrong.length === 0);
  const kind = (name: KillPoint['kind']): number =>
    outcomes.filter(({ point }) => point.kind === name).length;
  const ended = (name: Ending): number => well.filter(({ point }) => point.ending === name).length;
  return `kill points ${outcomes.length} (boundary ${kind('boundary')}, syscall ${kind('syscall')}, random ${kind('random')}), resumed ${ended('resume')}, rolled back ${ended('rollback')}`;
}
