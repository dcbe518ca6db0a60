// A rehearsal that begins while the plan still waits for LXD's answers: Incus comes up meanwhile.
import { Failure, systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import type { Output } from '../../core/output.ts';
import { type Answers, type Finding, isOpen } from '../model/finding.ts';
import type { FreshRehearsal } from '../model/rehearsal.ts';
import type { Converted } from '../plan/plan-material.ts';
import { rehearse } from '../rehearse/index.ts';

export interface EarlyRehearsal {
  /** For makePlan. Begins nothing where a finding stands in the way already. */
  begin(converted: Converted, findings: readonly Finding[]): void;
  /** Begins it where that has not been done. Its progress is shown from now on. */
  result(converted: Converted): Promise<FreshRehearsal>;
  /** Ends it, where nobody asked for its result. Returns when nothing of it is left. */
  abandon(): Promise<void>;
}

export function earlyRehearsal(host: Host, answers: Answers, output: Output): EarlyRehearsal {
  const controller = new AbortController();
  let begun: Promise<FreshRehearsal> | undefined;
  let isWanted = false;
  let stage: string | undefined;
  const show = (): void => {
    if (isWanted && stage !== undefined) output.progress(`  rehearsal: ${stage}`);
  };
  const start = (material: Converted): Promise<FreshRehearsal> =>
    rehearse({
      host,
      material,
      abandoned: controller.signal,
      say: (text) => {
        stage = text;
        show();
      },
    });
  return {
    begin(converted, findings) {
      if (findings.some((finding) => isOpen(finding, answers))) return;
      begun = start(converted);
      // Whoever asks for the result learns of its failure.
      begun.catch(() => {});
    },
    async result(converted) {
      isWanted = true;
      show();
      begun ??= start(converted);
      return begun;
    },
    async abandon() {
      if (begun === undefined || isWanted) return;
      controller.abort();
      try {
        await begun;
      } catch (error) {
        // Whatever it was doing failed since its namespaces are gone; that they are not is another thing.
        const isFailure = error instanceof Failure;
        if (isFailure && error.problem.code === 'wait-limit') output.message(error.message);
        else if (!isFailure && systemErrorCode(error) === undefined) throw error;
      }
    },
  };
}
