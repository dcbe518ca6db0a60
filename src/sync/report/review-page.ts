// The review page: the queue by state, and each planned pick beside what upstream changed; one file, no scripts.
import { escapeHtml } from '../../core/text.ts';
import { readable } from '../git/output.ts';
import { ownCall } from '../own-command.ts';
import { type ParkedCommit, type RunPlan, speaksOf } from '../plan/run-plan.ts';
import { type CommitState, countStates, type Scan, type ScannedCommit, states } from '../scan/scan-result.ts';
import type { DiffLine, DiffRow, FileComparison, PickComparison } from './compare-diffs.ts';
import { reviewStyle } from './review-style.ts';

export interface ReviewInput {
  readonly scan: Scan;
  readonly plan?: RunPlan;
  readonly picks: readonly PickComparison[];
}

/** Newest commits of a state that are listed; the rest is counted. */
const mostListed = 200;
const tab = '    ';

type View = 'plan' | 'courtesy' | CommitState;

/** The page; everything in it that others wrote is text and nothing else. */
export function createReviewPage({ scan, plan, picks }: ReviewInput): string {
  const counts = countStates(scan.commits);
  const planned = plan === undefined ? [] : [['plan', `this run: ${picks.length} picks`] as const];
  const views: readonly (readonly [View, string])[] = [
    ...planned,
    ...states.map((state) => [state, `${state} ${counts[state]}`] as const),
    ['courtesy', `courtesy ${scan.courtesy.length}`],
  ];
  const sections = [
    ...(plan === undefined ? [] : [planSection(plan, picks)]),
    ...states.map((state) =>
      stateSection(
        state,
        scan.commits.filter((commit) => commit.state === state),
      ),
    ),
    courtesySection(scan),
  ];
  const radios = views.map(
    ([view, label], index) =>
      `<input type="radio" name="view" id="v-${view}"${index === 0 ? ' checked' : ''}><label for="v-${view}">${html(label)}</label>`,
  );
  const status =
    plan === undefined
      ? ''
      : `<input type="radio" name="status" id="s-all" checked><label for="s-all">all</label>${['clean', 'review', 'parked'].map((name) => `<input type="radio" name="status" id="s-${name}"><label for="s-${name}">${name}</label>`).join('')}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Review</title><style>${reviewStyle}</style></head><body>
<h1>Review</h1>
<p class="tips">fork ${sha(scan.fork)}${scan.upstream.map((tip) => ` · ${html(tip.branch)} ${sha(tip.sha)}`).join('')}</p>
${scan.notes.map((note) => `<p class="note">${html(note)}</p>`).join('')}
${radios.join('\n')}
<main>${status}${sections.join('\n')}</main>
</body></html>
`;
}

function planSection(plan: RunPlan, picks: readonly PickComparison[]): string {
  const comparisons = new Map(picks.map((one) => [one.pick.upstream, one]));
  const groups = plan.groups.map(
    (group) =>
      `<h3>${html(group.title)}</h3>${group.picks.map((pick) => pickDetails(comparisons.get(pick.upstream))).join('')}`,
  );
  const parked = plan.parked.map(parkedDetails);
  const cancelled = plan.cancelled.map(
    ({ upstream, revertedBy, subject }) =>
      `<li>${sha(upstream)} ${html(subject)} <span class="why">taken back by ${sha(revertedBy)}</span></li>`,
  );
  const left = plan.leftOut.filter((one) => one.why !== 'later');
  const later = plan.leftOut.length - left.length;
  return section(
    'plan',
    'This run',
    [
      ...groups,
      parked.length === 0 ? '' : `<h3 class="parked">Parked: ${parked.length}</h3>${parked.join('')}`,
      list('Cancelled: upstream took it back', cancelled),
      list(
        'Nothing to bring over',
        left.map(
          ({ upstream, subject, reason }) =>
            `<li>${sha(upstream)} ${html(subject)} <span class="why">${html(reason)}</span></li>`,
        ),
      ),
      later === 0 ? '' : `<p>${later} more wait for the next run (at most ${plan.limit} picks a run).</p>`,
    ].join('\n'),
  );
}

function pickDetails(comparison: PickComparison | undefined): string {
  if (comparison === undefined) return '';
  const { pick, files, equal } = comparison;
  const notes = [
    ...pick.doubts.map(
      (doubt) => `<li><b>${html(doubt.rule)}</b> ${html(doubt.path)}: ${html(doubt.why)}</li>`,
    ),
    ...pick.reasons.map((reason) => `<li>${html(reason)}</li>`),
  ];
  const verdict = equal
    ? '<span class="equal">equal after renaming</span>'
    : '<span class="differs">differs</span>';
  return `<details class="pick ${pick.status}" id="p-${pick.upstream}"><summary><span class="badge ${pick.status}">${pick.status}</span> ${html(pick.subject)} ${verdict}</summary>
<p class="meta">upstream ${sha(pick.upstream)} · pick ${sha(pick.commit)} · ${pick.evidence.map(html).join(' · ')}</p>
${notes.length === 0 ? '' : `<ul>${notes.join('')}</ul>`}${files.map(fileTable).join('\n')}</details>`;
}

function fileTable(file: FileComparison): string {
  const name = file.from === file.path ? html(file.path) : `${html(file.from)} → ${html(file.path)}`;
  if (file.notShown !== undefined) return `<h4>${name}</h4><p class="why">${html(file.notShown)}</p>`;
  const head = '<div class="row head"><div>upstream, in the fork&#39;s words</div><div>the pick</div></div>';
  return `<h4>${name}</h4><div class="diff">${head}${file.rows.map(diffRow).join('\n')}</div>`;
}

function diffRow(row: DiffRow | undefined): string {
  if (row === undefined) return '<div class="gap">⋯</div>';
  const context = [row.upstream, row.pick].every((line) => line === undefined || line.sign === ' ');
  const style = row.same ? 'same' : context ? 'context' : 'odd';
  return `<div class="row ${style}">${cell(row.upstream, 'left')}${cell(row.pick, 'right')}</div>`;
}

function cell(line: DiffLine | undefined, side: 'left' | 'right'): string {
  if (line === undefined) return `<pre class="${side} none"></pre>`;
  const style = line.sign === '-' ? 'less' : line.sign === '+' ? 'more' : 'around';
  return `<pre class="${side} ${style}">${line.sign}${html(line.text.replace(/\r$/, '').replaceAll('\t', tab))}</pre>`;
}

function parkedDetails(parked: ParkedCommit): string {
  const { upstream, subject, why } = parked;
  const head = (text: string): string =>
    `<details class="pick parked"><summary><span class="badge parked">parked</span> ${html(subject)} <span class="why">${html(text)}</span></summary><p class="meta">upstream ${sha(upstream)}</p>`;
  switch (why.kind) {
    case 'decided':
      return `${head(why.reason)}</details>`;
    case 'incomplete': {
      const missing = why.missing.map(
        (one) => `<li>${sha(one.sha)} ${html(one.subject)} <span class="why">${html(one.reason)}</span></li>`,
      );
      return `${head(why.reason)}<p>missing:</p><ul>${missing.join('')}</ul></details>`;
    }
    case 'blocked':
      return `${head(why.reasons.join('; '))}</details>`;
    case 'speaks':
      return `${head('speaks of what does not come over')}<ul>${speaksOf(why.missing)
        .map((text) => `<li>${html(text)}</li>`)
        .join('')}</ul></details>`;
    case 'depends':
      return `${head('builds on a parked commit')}<p>builds on ${why.on.map(sha).join(' ')}</p></details>`;
    case 'conflict': {
      const conflicts = why.conflicts.map(
        (conflict) =>
          `<li><b>${html(conflict.type)}</b> ${html(conflict.path)}: ${html(conflict.why)}<br><code>${html(conflict.next)}</code>${(
            conflict.hunks ?? []
          )
            .map(
              (hunk) =>
                `<div class="diff"><div class="row head"><div>the fork, from line ${hunk.line}</div><div>upstream, in the fork&#39;s words</div></div><div class="row sides"><pre class="left">${block(hunk.ours)}</pre><pre class="right">${block(hunk.theirs)}</pre></div></div>`,
            )
            .join('')}</li>`,
      );
      return `${head([...new Set(why.conflicts.map((conflict) => conflict.type))].join(', '))}<ul>${conflicts.join('')}</ul></details>`;
    }
  }
}

function block(text: string): string {
  return text
    .split('\n')
    .map((line) => html(line.replaceAll('\t', tab)))
    .join('\n');
}

function stateSection(state: CommitState, commits: readonly ScannedCommit[]): string {
  const byReason = new Map<string, ScannedCommit[]>();
  for (const commit of commits) {
    const list = byReason.get(commit.reason);
    if (list === undefined) byReason.set(commit.reason, [commit]);
    else list.push(commit);
  }
  const groups = [...byReason]
    .toSorted(([, left], [, right]) => right.length - left.length)
    .map(([reason, members], index) => {
      const rows = members
        .slice(-mostListed)
        .reverse()
        .map(
          ({ sha: name, subject, fork, branch }) =>
            `<li>${sha(name)} ${html(subject)} <span class="why">${html(branch)}${fork === undefined ? '' : ` · fork ${sha(fork)}`}</span></li>`,
        );
      const hidden = members.length - rows.length;
      const more =
        hidden === 0
          ? ''
          : `<p class="why">${hidden} older ones: <code>${escapeHtml(ownCall(['scan', '--state', state], 'repositories'))}</code></p>`;
      return `<details${index === 0 && state !== 'blocked' ? ' open' : ''}><summary>${members.length} · ${html(reason)}</summary><ul class="commits">${rows.join('\n')}</ul>${more}</details>`;
    });
  return section(state, `${state}: ${commits.length}`, groups.join('\n') || '<p>None.</p>');
}

function courtesySection(scan: Scan): string {
  const lags = scan.courtesy.map((one) => one.lagDays).toSorted((left, right) => left - right);
  const doubled = scan.courtesy.filter((one) => one.duplicates.length > 0);
  const rows = scan.courtesy
    .toReversed()
    .map(
      ({ fork, upstream, branch, subject, lagDays, duplicates }) =>
        `<li>${sha(fork)} ${html(subject)} <span class="why">upstream ${sha(upstream)} on ${html(branch)} after ${lagDays} days${duplicates.length === 0 ? '' : `; picked before by ${duplicates.map(sha).join(' ')}`}</span></li>`,
    );
  const sum =
    lags.length === 0
      ? '<p>Upstream has picked nothing from the fork.</p>'
      : `<p>Upstream has picked ${lags.length} commits from the fork, half of them within ${lags[lags.length >> 1]} days; ${doubled.length} were picked before.</p>`;
  return section('courtesy', 'Courtesy', `${sum}<ul class="commits">${rows.join('\n')}</ul>`);
}

function section(view: View, title: string, body: string): string {
  return `<section class="v-${view}"><h2>${html(title)}</h2>${body}</section>`;
}

function list(title: string, items: readonly string[]): string {
  return items.length === 0
    ? ''
    : `<details><summary>${html(title)}: ${items.length}</summary><ul class="commits">${items.join('\n')}</ul></details>`;
}

function sha(name: string): string {
  return `<code title="${html(name)}">${html(name.slice(0, 12))}</code>`;
}

/** Bytes of the engine as text of the page. */
function html(text: string): string {
  return escapeHtml(readable(text));
}
