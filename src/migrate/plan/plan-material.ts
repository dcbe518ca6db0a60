// What a plan was made from.
import type { CheckedSegments, DatabaseImage } from '../../dqlite/index.ts';
import type { Asked } from '../condition/look-at-server.ts';
import type { Change } from '../model/change.ts';
import type { Plan } from '../model/plan.ts';
import type { PowerRecord } from '../model/power.ts';

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
