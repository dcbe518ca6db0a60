// The state of a commit that a person decided about.
import type { Decision } from '../decide/decision.ts';
import type { ScannedCommit } from './scan-result.ts';

export function decided(
  decision: Exclude<Decision, { readonly decision: 'alone' }>,
): Pick<ScannedCommit, 'state' | 'by' | 'reason' | 'fork'> {
  const { by, on, why } = decision;
  switch (decision.decision) {
    case 'skip':
      return {
        state: 'skipped',
        by: 'decision',
        reason: `${decision.reason}: ${latin1(why)} (${latin1(by)}, ${on})`,
      };
    case 'park':
      return { state: 'parked', by: 'decision', reason: `${latin1(why)} (${latin1(by)}, ${on})` };
    case 'take':
      return {
        state: 'imported',
        by: 'decision',
        reason: `by hand: ${latin1(why)} (${latin1(by)}, ${on})`,
        fork: decision.fork,
      };
  }
}

/** Everything in a scan is bytes kept as latin1, as in the rest of the engine. */
export function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
