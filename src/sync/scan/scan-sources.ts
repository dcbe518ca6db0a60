// What a scan rests on beside the two histories.
import type { Decision } from '../decide/decision.ts';
import type { Objects } from '../git/objects.ts';
import type { RulePack } from '../rules/model.ts';
import type { ScanCache } from './scan-cache.ts';

export interface ScanSources {
  readonly pack: RulePack;
  readonly objects: Objects;
  readonly cache: ScanCache;
  readonly decisions: ReadonlyMap<string, Decision>;
}
