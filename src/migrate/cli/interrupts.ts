// Signals during a migration: Ctrl-C and SIGTERM end it after the step that is under way, so that nothing is left half
// done, and a rollback not at all; a terminal that is closed does not end it, for everything would be down then and nobody there.
import type { Output } from '../../core/output.ts';

const answers = {
  move: 'Stopping after the step that is under way …',
  rollback: 'A rollback is not broken off: it goes on until LXD is back.',
} as const;

/** Begins to watch; the answer says whether the person asked to stop. */
export function watchInterrupts(output: Output, during: keyof typeof answers): () => boolean {
  let asked = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (!asked) output.message(answers[during]);
      asked = true;
    });
  }
  process.on('SIGHUP', () =>
    output.message('The terminal is gone. The work goes on; its log says how it ends.'),
  );
  return () => asked;
}
