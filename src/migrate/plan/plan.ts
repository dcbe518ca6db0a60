// A plan: everything that a migration will do and why, as one value that can be printed, kept and compared.
import type { CheckedSegments, DatabaseImage } from '../../dqlite/index.ts';
import type { Finding } from '../check/index.ts';
import type { Condition } from '../condition/condition.ts';
import type { Asked } from '../condition/look-at-server.ts';
import type { Change, PowerRecord } from '../convert/index.ts';
import type { Installation } from '../detect/index.ts';
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

/** What Incus would start on. */
export interface Converted {
  readonly plan: Pick<Plan, 'target'>;
  readonly convertedImage: Buffer;
  readonly convertedLocal: Buffer | undefined;
  readonly raft: Pick<DatabaseImage, 'configuration' | 'lastTerm'>;
}

/** What a plan was made from and is not part of it: values in the clear, images of databases. */
export interface PlanMaterial extends Converted {
  readonly plan: Plan;
  /** Not veiled. */
  readonly changes: readonly Change[];
  readonly sourceImage: Buffer;
  readonly power: PowerRecord;
  /** `<network>/<key>` → value, as the host showed them when the plan was made. */
  readonly pinsFromHost: ReadonlyMap<string, string>;
  /** What the source said of itself; absent where it did not answer. */
  readonly asked?: Asked;
  /** Of the source's log, what was found whole. */
  readonly checked: CheckedSegments;
}
