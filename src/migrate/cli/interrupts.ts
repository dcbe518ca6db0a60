// Ctrl-C and SIGTERM during a migration: the step that is being carried out ends first, so that nothing is left half done.
import type { Output } from '../../core/output.ts';

/** Begins to watch; the answer says whether the person asked to stop. */
export function watchInterrupts(output: Output): () => boolean {
  let asked = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!asked) output.message('Stopping after the step that is under way …');
      asked = true;
    });
  }
  return () => asked;
}
