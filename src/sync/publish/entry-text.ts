// What the plan comment and the status issue say of single commits: what a person has to do, and what stays away and why.
import { inertCode } from './inert-markdown.ts';
import { isPick, type ListedEntry, type PickEntry, type PlanEntry } from './publish-plan.ts';

/** Addresses at which commits can be looked at, without the sha. */
export interface CommitLinks {
  readonly upstream: string | undefined;
  readonly fork: string | undefined;
}

export const noLinks: CommitLinks = { upstream: undefined, fork: undefined };

/** Groups of one reason, and commits of one group: what is beyond is counted. */
const mostGroups = 40;
const mostOfGroup = 12;

/** A short sha, linked to where the commit can be looked at. */
export function linkedSha(sha: string, address: string | undefined): string {
  const text = `\`${sha.slice(0, 12)}\``;
  return address === undefined ? text : `[${text}](${address}${sha})`;
}

/** Upstream's commit of an entry; of what the licence bars, nothing is linked to. */
export function entrySha(entry: PlanEntry, links: CommitLinks): string {
  return linkedSha(entry.upstream, entry.state === 'blocked' ? undefined : links.upstream);
}

/** A pick that a person has to finish, or to look at. */
export function needsLook(entry: PlanEntry): entry is PickEntry {
  return isPick(entry) && entry.state !== 'clean';
}

/** Foreign words in which the plan's own commits are linked. */
export function reasonText(
  text: string,
  entries: ReadonlyMap<string, PlanEntry>,
  links: CommitLinks,
  limit = 300,
): string {
  const characters = [...text];
  const shown = characters.length <= limit ? text : `${characters.slice(0, limit - 1).join('')}…`;
  return shown
    .split(/\b([0-9a-f]{12})[0-9a-f]{0,28}\b/)
    .flatMap((part, index) => {
      if (index % 2 === 0) return part.trim() === '' ? [] : [inertCode(part, limit)];
      const entry = entries.get(part);
      return [entry === undefined ? `\`${part}\`` : entrySha(entry, links)];
    })
    .join(' ');
}

/** By the first twelve digits, as reasons name commits. */
export function byShortSha(entries: readonly PlanEntry[]): ReadonlyMap<string, PlanEntry> {
  return new Map(entries.map((entry) => [entry.upstream.slice(0, 12), entry]));
}

/** What does not come over, folded into one line; each reason is said once. */
export function foldedRest(entries: readonly PlanEntry[], links: CommitLinks): string | undefined {
  const rest = entries.filter((entry): entry is ListedEntry => !isPick(entry));
  if (rest.length === 0) return undefined;
  const known = byShortSha(entries);
  const groups = [...Map.groupBy(rest, ({ state, reasons }) => JSON.stringify([state, reasons])).values()];
  const lines = groups.slice(0, mostGroups).flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const why = first.reasons.map((text) => reasonText(text, known, links)).join('; ');
    const shown = group.slice(0, mostOfGroup).map((entry) => {
      const subject = inertCode(entry.subject, 120);
      return `  - ${entrySha(entry, links)} ${subject}`;
    });
    const more = group.length - shown.length;
    return [
      `- **${first.state}**${why === '' ? '' : ` ${why}`}: ${group.length}`,
      ...shown,
      ...(more > 0 ? [`  - and ${more} more`] : []),
    ];
  });
  const others = groups.slice(mostGroups).reduce((sum, group) => sum + group.length, 0);
  const counts = [...Map.groupBy(rest, ({ state }) => state)]
    .map(([state, all]) => `${all.length} ${state}`)
    .join(', ');
  return [
    '<details>',
    `<summary>What stays away: ${counts}</summary>`,
    '',
    ...lines,
    ...(others > 0 ? [`- and ${others} more; \`fork-sync status\` lists them all`] : []),
    '',
    '</details>',
  ].join('\n');
}
