// Verdicts of the licence gate, from the cache where it has them.
import { judgeWhole } from '../gate/judge-whole.ts';
import { createGate, type Verdict } from '../gate/licence-gate.ts';
import { isText, isTexts } from './scan-cache.ts';
import type { ScanSources } from './scan-sources.ts';

export interface Judge {
  verdict(sha: string): Promise<Verdict>;
  save(): void;
}

export async function openJudge({ pack, objects, cache }: ScanSources): Promise<Judge> {
  const gate = createGate(objects, pack.info.licence);
  const remembered = cache.read('verdicts', isVerdict);
  const fresh = new Map<string, Verdict>();
  const passing = new Map<string, Verdict>();
  const verdict = async (sha: string): Promise<Verdict> => {
    const known = remembered(sha) ?? fresh.get(sha) ?? passing.get(sha);
    if (known !== undefined) return known;
    const made = await judgeWhole(gate, objects, await objects.commit(sha));
    (made.whole ? fresh : passing).set(sha, made.verdict);
    return made.verdict;
  };
  return {
    verdict,
    save() {
      if (fresh.size > 0) cache.add('verdicts', fresh);
    },
  };
}

function isVerdict(value: unknown): value is Verdict {
  if (typeof value !== 'object' || value === null || !('cleared' in value)) return false;
  if (value.cleared === false) return 'reason' in value && isText(value.reason);
  const whole = 'evidence' in value && isTexts(value.evidence) && 'scope' in value;
  return value.cleared === true && whole && (value.scope === 'tree' || isTexts(value.scope));
}
