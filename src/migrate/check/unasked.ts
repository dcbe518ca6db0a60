// Findings about an LXD that did not say how it is: it does not run, may not be asked, hangs, or refuses a question.
import { inline } from '../../core/text.ts';
import type { Unasked } from '../condition/look-at-server.ts';
import type { Finding } from '../model/finding.ts';
import type { Inventory } from '../model/inventory.ts';

/**
 * @param unasked its words without confidential values
 * @param nullValues configuration that the database holds as NULL: rows on which LXD 5.0 fails
 */
export function checkUnasked(
  unasked: Unasked,
  inventory: Pick<Inventory, 'pools' | 'networks'>,
  nullValues: readonly string[],
): Finding[] {
  if (unasked.why === 'refused') return [refuses(unasked.words, nullValues)];
  if (unasked.why === 'silent') return [silent(unasked.words, unasked.pid)];
  const objects = [
    ...inventory.pools.map(({ name }) => `storage pool ${name}`),
    ...inventory.networks.map(({ project, name }) => `network ${project}/${name}`),
  ];
  if (objects.length === 0) return [];
  const rest = 'Whether its pools and networks work is not known, except for what its files tell.';
  const counts = 'What does not work in Incus then counts as a failed check.';
  const [why, action] = {
    'not-listening': ['LXD was not asked, since it does not answer.', 'Start LXD and plan again to know.'],
    forbidden: ['LXD was not asked, since this user may not.', 'Plan as root to know.'],
    late: [
      `LXD did not answer everything in time: ${'words' in unasked ? inline(unasked.words) : ''}`,
      'Plan again to know.',
    ],
  }[unasked.why];
  return [
    {
      id: 'condition-not-known',
      severity: 'note',
      objects,
      what: `${why} ${rest}`,
      action: `${action} ${counts}`,
    },
  ];
}

/** Whoever goes on stops Incus first, and then finds that LXD neither says what runs nor stops it. */
function silent(words: string, pid: number | undefined): Finding {
  const daemon = pid === undefined ? 'its daemon' : `its daemon (process ${pid})`;
  return {
    id: 'source-silent',
    severity: 'blocker',
    objects: [inline(words)],
    what: 'LXD listens, and does not answer. A move must ask it what runs, and have it stop that.',
    action: `Where LXD is starting, wait until it is up. Otherwise look in its log what holds it up, and restart ${daemon} until "lxc list --all-projects" works. Then plan again. Once that process has ended for good, the move does not ask LXD.`,
  };
}

function refuses(words: string, nullValues: readonly string[]): Finding {
  return {
    id: 'source-refuses',
    severity: 'blocker',
    objects: [inline(words), ...nullValues.map((row) => `${inline(row)}: its value is NULL`)],
    what: 'LXD listens, and refuses a question that a move must ask before it stops anything: what runs, what is under way, whether pools and networks work.',
    action:
      'Where LXD is starting, wait until it is up. Otherwise mend what it names (its log says more; rows of its database with lxd sql global "…"), until "lxc list --all-projects" works, then plan again.',
  };
}
