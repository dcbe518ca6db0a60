// Checks that LXD stays away: nothing of it may have appeared in the place that its data has left.
import type { Host } from '../../core/host.ts';
import { sourceCameBack } from '../apply/source-came-back.ts';
import type { Journal } from '../journal/journal.ts';
import type { Check } from '../model/verification.ts';

export function sourceChecks(host: Host, journal: Journal, run: string): Check[] {
  // Whoever installs LXD again after it was removed for good means to.
  if (journal.latest()?.phase === 'purged') return [];
  const { source } = journal.plan(run);
  const back = sourceCameBack(host, journal, run);
  return [
    {
      id: 'source-stays-away',
      object: source.dataDirectory,
      what: 'nothing of LXD has appeared there since its data left',
      ok: back.length === 0,
      ...(back.length === 0 ? {} : { detail: back.join('; ') }),
    },
  ];
}
