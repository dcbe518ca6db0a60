// A plan: everything that a migration will do and why, as one value that can be printed, kept and compared.

import type { Change } from './change.ts';
import type { Condition } from './condition.ts';
import type { Finding } from './finding.ts';
import type { Installation } from './installation.ts';
import type { Step } from './step.ts';

export interface Plan {
  readonly format: 1;
  readonly toolVersion: string;
  readonly madeAt: string;
  readonly source: Installation & { readonly schema: number };
  readonly target: (Installation & { readonly version: string | undefined }) | undefined;
  /** Where the source's log stood when it was read. */
  readonly position: { readonly lastIndex: number; readonly lastTerm: number };
  /** A digest of each table, by which a plan that is kept is known to fit still; only where it is asked for. */
  readonly contents?: Readonly<Record<string, string>>;
  readonly findings: readonly Finding[];
  /** How the parts of LXD were; absent where only its database was given, and in plans of former versions. */
  readonly condition?: Condition;
  /** Values of confidential keys are veiled. */
  readonly changes: readonly Change[];
  readonly localChanges: readonly Change[];
  readonly power: { readonly running: readonly string[]; readonly frozen: readonly string[] };
  /** How many the source has; absent where its database cannot be read, and in plans of former versions. */
  readonly counts?: { readonly instances: number; readonly snapshots: number };
  readonly steps: readonly Step[];
}
