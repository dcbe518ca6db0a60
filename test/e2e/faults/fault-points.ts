// What can happen to a migration: kills at every boundary, at every n-th system call and at random times, errors, signals, power cuts.
import { type ChangeAction, type ChangedKind, type IncusChange, incusChanges } from './changes-in-incus.ts';
import type { Ending, FaultLab } from './fault-lab.ts';

export type KillPoint =
  | { readonly kind: 'boundary'; readonly position: number; readonly ending: Ending }
  | { readonly kind: 'syscall'; readonly number: number; readonly ending: Ending }
  | {
      readonly kind: 'random';
      readonly milliseconds: number;
      /** Whether the daemons are killed with it, as where memory runs out. */
      readonly daemonsToo: boolean;
      readonly ending: Ending;
    }
  /** The rollback of a finished move, or of one that was killed at a boundary, is killed itself. */
  | {
      readonly kind: 'rollback killed';
      readonly movedUpTo: number | 'the end';
      readonly at: 'call' | 'undone';
      /** Of its calls, or of the steps that it has undone. */
      readonly number: number;
      readonly ending: Ending;
    };

/** One command of several that follow each other; what is not killed ends well. */
export interface HistoryCommand {
  readonly command: 'migrate' | 'rollback' | 'status';
  /** The call that it does not make any more. */
  readonly killedAt?: number;
}

export type Errno = 'ENOSPC' | 'EIO' | 'EROFS';

export type OtherFault =
  /** One call fails, or it and all that follow. */
  | {
      readonly kind: 'error';
      readonly errno: Errno;
      readonly number: number;
      readonly lasting: boolean;
      readonly ending: Ending;
    }
  | {
      readonly kind: 'signal';
      readonly signal: 'INT' | 'TERM';
      readonly number: number;
      readonly ending: Ending;
    }
  /** Others begin while it is at work. */
  | { readonly kind: 'second run'; readonly number: number; readonly ending: Ending }
  /** A command that a step needs; `when` is what its arguments begin with. */
  | {
      readonly kind: 'command';
      readonly command: string;
      readonly when: string;
      readonly how: 'missing' | 'failing' | 'hanging';
      readonly ending: Ending;
    }
  | { readonly kind: 'power cut'; readonly number: number; readonly ending: Ending }
  /** Resume or rollback is killed, too, at its own n-th call. */
  | {
      readonly kind: 'twice killed';
      readonly number: number;
      readonly again: number;
      readonly ending: Ending;
    }
  /** Before each command, and before the ending, the clock jumps by so many days. */
  | {
      readonly kind: 'clock jumps';
      readonly commands: readonly HistoryCommand[];
      readonly days: readonly number[];
      readonly ending: Ending;
    }
  /** After each command the machine is shut down and started again. */
  | { readonly kind: 'restarts'; readonly commands: readonly HistoryCommand[]; readonly ending: Ending }
  /** Made in Incus before a rollback; LXD is moved once more after it. */
  | {
      readonly kind: 'change in Incus';
      readonly object: ChangedKind;
      readonly action: ChangeAction;
      readonly change: IncusChange;
      readonly ending: 'rollback';
    };

export type Fault = KillPoint | OtherFault;

export interface FaultOutcome {
  readonly fault: Fault;
  /** Where it was, in words. */
  readonly where: string;
  readonly wrong: readonly string[];
  readonly seconds: number;
}

/** Without what came of it. */
export function describeFault(fault: Fault): string {
  const { kind, ending, ...rest } = fault;
  return `${kind} ${Object.values(rest).map(inWords).join(' ')}, ${ending}`;
}

type FaultDetail = number | string | boolean | readonly (HistoryCommand | number)[] | IncusChange;

function inWords(detail: FaultDetail): string {
  if (typeof detail === 'number') return String(Math.round(detail));
  if (typeof detail !== 'object') return String(detail);
  if ('make' in detail) return detail.instance ?? '';
  return detail
    .map((one) =>
      typeof one === 'number'
        ? String(one)
        : `${one.command}${one.killedAt === undefined ? '' : ` (killed at ${one.killedAt})`}`,
    )
    .join(', ');
}

const linesShown = 40;

export function describeOutcome({ fault, where, wrong, seconds }: FaultOutcome): string {
  const verdict = wrong.length === 0 ? 'ends well' : 'DOES NOT END WELL';
  const lines = wrong.slice(0, linesShown).map((line) => `\n    ${line.replaceAll('\n', '\n    ')}`);
  if (wrong.length > linesShown) lines.push(`\n    … and ${wrong.length - linesShown} more`);
  return `${verdict}: ${describeFault(fault)}: ${where} (${Math.round(seconds)} s)${lines.join('')}`;
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

const endingOf = (index: number): Ending => (index % 2 === 0 ? 'resume' : 'rollback');

/** So many of the calls that change something, evenly over the whole run. */
function spread({ calls }: { readonly calls: number }, count: number, random: () => number): number[] {
  const stride = calls / count;
  const first = random() * stride;
  return Array.from({ length: Math.min(count, calls) }, (_, index) =>
    Math.max(1, Math.round(first + index * stride)),
  );
}

/** Every boundary, once resumed and once rolled back. */
export function boundaryPoints({ steps }: FaultLab): KillPoint[] {
  return steps.flatMap((_, position) =>
    (['resume', 'rollback'] as const).map((ending): KillPoint => ({ kind: 'boundary', position, ending })),
  );
}

/** By turns resumed and rolled back, as are the others. */
export function syscallPoints(lab: FaultLab, count: number, random: () => number): KillPoint[] {
  return spread(lab, count, random).map(
    (number, index): KillPoint => ({
      kind: 'syscall',
      number,
      ending: endingOf(index),
    }),
  );
}

export function randomPoints({ milliseconds }: FaultLab, count: number, random: () => number): KillPoint[] {
  return Array.from(
    { length: count },
    (_, index): KillPoint => ({
      kind: 'random',
      milliseconds: random() * milliseconds,
      daemonsToo: Math.floor(index / 2) % 2 === 1,
      ending: endingOf(index),
    }),
  );
}

export function errorFaults(lab: FaultLab, count: number, random: () => number): OtherFault[] {
  const errnos = ['ENOSPC', 'EIO', 'EROFS'] as const;
  return spread(lab, count, random).map(
    (number, index): OtherFault => ({
      kind: 'error',
      errno: errnos[index % 3] ?? 'EIO',
      number,
      lasting: Math.floor(index / 3) % 2 === 0,
      ending: endingOf(index),
    }),
  );
}

export function signalFaults(lab: FaultLab, count: number, random: () => number): OtherFault[] {
  return spread(lab, count, random).map(
    (number, index): OtherFault => ({
      kind: 'signal',
      signal: Math.floor(index / 2) % 2 === 0 ? 'INT' : 'TERM',
      number,
      ending: endingOf(index),
    }),
  );
}

export function secondRuns(lab: FaultLab, count: number, random: () => number): OtherFault[] {
  return spread(lab, count, random).map(
    (number, index): OtherFault => ({
      kind: 'second run',
      number,
      ending: endingOf(index),
    }),
  );
}

export function powerCuts(lab: FaultLab, count: number, random: () => number): OtherFault[] {
  return spread(lab, count, random).map(
    (number, index): OtherFault => ({
      kind: 'power cut',
      number,
      ending: endingOf(index),
    }),
  );
}

export function killedTwice(lab: FaultLab, count: number, random: () => number): OtherFault[] {
  return spread(lab, count, random).map(
    (number, index): OtherFault => ({
      kind: 'twice killed',
      number,
      // Fewer calls are left to make than a whole migration makes.
      again: Math.ceil((random() * lab.calls) / 3),
      ending: endingOf(index),
    }),
  );
}

/** Half of them of finished moves; of each half a part at calls, and a part between two steps. */
export function rollbackKills(lab: FaultLab, count: number, random: () => number): KillPoint[] {
  const calls = spread({ calls: lab.rollback.calls }, count, random);
  return calls.map((call, index): KillPoint => {
    const at = Math.floor(index / 4) % 2 === 0 ? 'call' : 'undone';
    return {
      kind: 'rollback killed',
      // From the step on at which something is to be undone.
      movedUpTo:
        Math.floor(index / 2) % 2 === 0 ? 'the end' : 2 + Math.floor(random() * (lab.steps.length - 2)),
      at,
      number: at === 'call' ? call : 1 + Math.floor(random() * (lab.rollback.steps - 1)),
      ending: endingOf(index),
    };
  });
}

/** What may follow each other; by turns. */
function histories(lab: FaultLab, count: number, random: () => number): (readonly HistoryCommand[])[] {
  const killed = (command: 'migrate' | 'rollback'): HistoryCommand => {
    const { calls } = command === 'migrate' ? lab : lab.rollback;
    return { command, killedAt: 1 + Math.floor(random() * calls) };
  };
  const [migrate, rollback, status] = (['migrate', 'rollback', 'status'] as const).map((command) => ({
    command,
  }));
  if (migrate === undefined || rollback === undefined || status === undefined) return [];
  return Array.from({ length: count }, (_, index) => {
    switch (index % 4) {
      case 0:
        return [migrate, rollback, migrate, status];
      case 1:
        return [migrate, rollback, killed('migrate'), status];
      case 2:
        return [migrate, killed('rollback'), status];
      default:
        return [killed('migrate'), status, killed('rollback'), status];
    }
  });
}

/** Two of each history: one is resumed at its end, one rolled back. */
function eachTwice(lab: FaultLab, count: number, random: () => number): (readonly HistoryCommand[])[] {
  const half = histories(lab, Math.ceil(count / 2), random);
  return half.flatMap((one) => [one, one]).slice(0, count);
}

export function clockJumps(lab: FaultLab, count: number, random: () => number): OtherFault[] {
  return eachTwice(lab, count, random).map(
    (commands, index): OtherFault => ({
      kind: 'clock jumps',
      commands,
      days: [...commands, 'ending'].map(() => (random() < 0.5 ? -1 : 1)),
      ending: endingOf(index),
    }),
  );
}

export function restarts(lab: FaultLab, count: number, random: () => number): OtherFault[] {
  return eachTwice(lab, count, random).map(
    (commands, index): OtherFault => ({ kind: 'restarts', commands, ending: endingOf(index) }),
  );
}

export const changesInIncus: readonly OtherFault[] = incusChanges.map((change) => ({
  kind: 'change in Incus',
  object: change.kind,
  action: change.action,
  change,
  ending: 'rollback',
}));

/** Commands of the steps; each is let through until its arguments begin like that. */
export const commandFaults: readonly OtherFault[] = (
  [
    ['systemctl', 'mask', 'failing'],
    ['systemctl', 'mask', 'missing'],
    ['systemctl', 'mask', 'hanging'],
    ['systemctl', 'unmask incus', 'failing'],
    ['systemctl', 'start', 'failing'],
    ['systemctl', 'disable', 'failing'],
    ['systemctl', 'stop', 'failing'],
    ['nft', 'list', 'missing'],
    ['nft', 'delete', 'hanging'],
    ['losetup', '', 'missing'],
    ['losetup', '', 'failing'],
  ] as const
).map(
  ([command, when, how], index): OtherFault => ({
    kind: 'command',
    command,
    when,
    how,
    ending: endingOf(index),
  }),
);

const killKinds: readonly Fault['kind'][] = ['boundary', 'syscall', 'random', 'rollback killed'];

export function isKillPoint({ kind }: Fault): boolean {
  return killKinds.includes(kind);
}

/** The line that says what was tried of the kill points. */
export function killTotal(outcomes: readonly FaultOutcome[]): string {
  const kills = outcomes.filter(({ fault }) => isKillPoint(fault));
  const counts = killKinds.map(
    (kind) => `${kind} ${kills.filter(({ fault }) => fault.kind === kind).length}`,
  );
  return `kill points ${kills.length} (${counts.join(', ')}), ${endedWell(kills)}`;
}

/** The same for everything else. */
export function otherTotal(outcomes: readonly FaultOutcome[]): string {
  const others = outcomes.filter(({ fault }) => !isKillPoint(fault));
  const kinds = [...Map.groupBy(others, ({ fault }) => fault.kind)].map(
    ([kind, all]) => `${kind} ${all.length}`,
  );
  return `other faults ${others.length} (${kinds.join(', ')}), ${endedWell(others)}`;
}

function endedWell(outcomes: readonly FaultOutcome[]): string {
  const well = (ending: Ending): number =>
    outcomes.filter(({ fault, wrong }) => fault.ending === ending && wrong.length === 0).length;
  return `resumed ${well('resume')}, rolled back ${well('rollback')}`;
}
