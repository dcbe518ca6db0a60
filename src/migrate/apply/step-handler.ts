// What carries out one kind of step, and what it is given.

import type * as z from 'zod';
import type { Host } from '../../core/host.ts';
import { parseValue } from '../../core/parse.ts';
import type { Asked } from '../condition/look-at-server.ts';
import type { Remembered } from '../daemon/remembering-client.ts';
import type { ServerSize } from '../daemon/server-size.ts';
import type { Journal } from '../journal/journal.ts';
import { noteNames, requiredNote } from '../journal/noted.ts';
import type { StoredPower } from '../journal/notes.ts';
import type { Change } from '../model/change.ts';
import type { Inventory } from '../model/inventory.ts';
import type { Held, PowerRecord } from '../model/power.ts';
import { describeStep, type Step, type StepKind } from '../model/step.ts';
import { migrateFailure } from '../problem.ts';

/** Converts the source's database as it is now. */
export interface FreshConversion {
  /** Differences from the plan that no stop explains; empty when the plan still holds. */
  readonly differences: readonly string[];
  readonly held: readonly Held[];
  readonly changes: readonly Change[];
  /** Writes the new database directory (global/ and local.db), fsynced; the folder must not exist. */
  write(folder: string): void;
}

export interface ApplyContext {
  readonly host: Host;
  readonly journal: Journal;
  readonly run: string;
  /** Of the source; the target is as large. */
  readonly size: ServerSize;
  readonly stopLimitMs: number;
  /** Whether an instance that does not stop within its limit may be stopped by force. */
  readonly forceStop: boolean;
  /** Whether the person asked to stop; looked at between steps. */
  interrupted(): boolean;
  /** How the source's database differs by now from the planned one. */
  differences(): readonly string[];
  /** Reads and converts the source's database again, with the power record of this run. */
  convertAgain(power: PowerRecord): FreshConversion;
  /** Does the work of convertAgain ahead of time, while the daemon is still stopping; it counts only if the log ends where it ended then. */
  readonly prepareConversion: () => void;
  /** Reads ahead of time what the source's database is compared with. */
  readonly prepareComparison: () => void;
  /** What the source's daemon would start by itself, from its database. */
  wouldStart(): readonly string[];
  /** What the source said to the plan, where that was a moment ago. */
  askedByPlan(): Asked | undefined;
  /** What the target has said to this process since it is ready. */
  readonly saidByTarget: Remembered;
  /** Works out ahead of time what the target is compared with. */
  readonly prepareVerification: () => void;
  /** What the source's database had when it was planned. */
  sourceInventory(): Inventory;
  /** The lines of a daemon's log that say why it failed; no confidential value. */
  tellingLines(log: string): readonly string[];
  /** A line for the person who waits, inside the step that is being carried out. */
  say(text: string): void;
  /** A line that stays, for what must not happen in silence. */
  warn(text: string): void;
  /** What a rollback could not bring back although it went on; said at its end and by `status`. */
  leaveOpen(what: string): void;
}

export interface StepCall<S extends Step> {
  readonly step: S;
  /** What an earlier, interrupted attempt of this step remembered; null at the first. */
  readonly memo: unknown;
  remember(memo: unknown): void;
  readonly context: ApplyContext;
}

/**
 * Both functions can be called again after an interruption at any point: they look at what is there, and do what is
 * still missing.
 */
export interface StepHandler<S extends Step> {
  /** What it remembers; undefined where it never looks at that again. */
  readonly memo?: z.ZodType;
  apply(call: StepCall<S>): Promise<void> | void;
  undo(call: StepCall<S>): Promise<void> | void;
  /**
   * Whether the undo of the steps before it may go on where this one's fails: what they undo does not hang on it. It is
   * tried again by the next rollback.
   */
  readonly undoIsIndependent?: true;
  /**
   * Whether what the step has brought about is still so. A restart of the machine starts what was stopped, and stops
   * what was started: such a step is carried out again. Without it, nothing but the tool changes that.
   */
  holds?(call: StepCall<S>): Promise<boolean> | boolean;
  /** The same for a step that was taken back, or not begun, while those before it were carried out. */
  holdsUndone?(call: StepCall<S>): Promise<boolean> | boolean;
}

export type StepHandlers = { readonly [K in StepKind]: StepHandler<Extract<Step, { kind: K }>> };

export function storedPower({ journal, run }: ApplyContext): StoredPower {
  return requiredNote(journal, run, noteNames.power);
}

/**
 * What the step remembered, read back; null where it has not remembered anything yet.
 * @throws {Failure<MigrateProblem>} journal-unreadable
 */
export function memoOf<T>(
  schema: z.ZodType<T>,
  {
    step,
    memo,
    context,
  }: Pick<StepCall<Step>, 'step' | 'memo'> & {
    readonly context: Pick<ApplyContext, 'journal' | 'run'>;
  },
): T | null {
  if (memo === null) return null;
  const parsed = parseValue(schema, memo);
  if ('value' in parsed) return parsed.value;
  throw migrateFailure({
    code: 'journal-unreadable',
    path: context.journal.path,
    what: `what the step "${describeStep(step).title}" remembers`,
    why: parsed.why,
    writtenBy: context.journal.writtenBy(context.run),
  });
}

/** Whether a step of one of these kinds was begun or done, and not taken back. */
export function isBegun({ journal, run }: ApplyContext, ...kinds: StepKind[]): boolean {
  return journal
    .steps(run)
    .some(({ step, state }) => kinds.includes(step.kind) && (state === 'begun' || state === 'done'));
}
