// The replay as one HTML page: the score, and every pick that did not come out as people made it, side by side.
import { createTwoFilesPatch } from 'diff';
import { escapeHtml } from '../../core/text.ts';
import type { Objects } from '../git/objects.ts';
import { readable } from '../git/output.ts';
import type { DetailedPick } from '../pick/pick-commit.ts';
import { formatScores } from '../replay/format-score.ts';
import type { Prepared, Replayed, Score } from '../replay/replay-pairs.ts';

export interface ReplayPage {
  add(objects: Objects, replayed: Replayed, pick: DetailedPick, prepared: Prepared): Promise<void>;
  finish(score: Score): string;
}

const largestFile = 400_000;

/** Collects pages of picks that are not exact. */
export function createReplayPage(): ReplayPage {
  const sections: string[] = [];
  return {
    async add(objects, replayed, pick, prepared) {
      if (replayed.exact) return;
      const head =
        `<h2 id="${replayed.fork}">${escapeHtml(readable(replayed.subject))}</h2>` +
        `<p>${replayed.status} · upstream ${replayed.upstream} · people's ${replayed.fork}</p>`;
      const notes = [
        ...pick.result.doubts.map((doubt) => `doubt ${doubt.rule}: ${doubt.path}: ${doubt.why}`),
        ...pick.result.conflicts.map(
          (conflict) => `conflict ${conflict.type}: ${conflict.path}: ${conflict.why}`,
        ),
        ...pick.result.reasons,
      ].map((note) => `<li>${escapeHtml(readable(note))}</li>`);
      const files =
        pick.result.tree === undefined ? [] : await differences(objects, pick.result.tree, prepared);
      const hunks = pick.result.conflicts.flatMap((conflict) =>
        (conflict.hunks ?? []).map((hunk) =>
          sideBySide(
            `${conflict.path}:${hunk.line}`,
            ["fork's lines", "upstream's, rewritten"],
            hunk.ours,
            hunk.theirs,
          ),
        ),
      );
      sections.push(`${head}<ul>${notes.join('')}</ul>${[...files, ...hunks].join('')}`);
    },
    finish: (
      score,
    ) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Replay</title><style>
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em; color: #111; background: #fff }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; font: 12px/1.35 monospace }
table { border-collapse: collapse; width: 100%; table-layout: fixed } td { vertical-align: top; border: 1px solid #ccc; padding: 4px }
.less { background: #fdd } .more { background: #dfd } h2 { font-size: 1.1em; margin-top: 2em }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #111 } .less { background: #522 } .more { background: #252 } }
</style></head><body><h1>Replay</h1><pre>${escapeHtml2(formatScores([{ name: 'all', score }]))}</pre>${sections.join('\n')}</body></html>
`,
  };
}

/** Line ends stay line ends: the text is one of ours. */
function escapeHtml2(text: string): string {
  return text.split('\n').map(escapeHtml).join('\n');
}

async function differences(objects: Objects, tree: string, prepared: Prepared): Promise<readonly string[]> {
  const out: string[] = [];
  for (const change of await objects.compare(tree, prepared.theirs.tree)) {
    const [ours = '', people = ''] = await Promise.all(
      [change.before, change.after].map((entry) => (entry === undefined ? '' : objects.text(entry.sha))),
    );
    if (ours.includes('\0') || people.includes('\0') || ours.length + people.length > largestFile) {
      out.push(`<p>${escapeHtml(readable(change.path))}: not shown</p>`);
      continue;
    }
    const patch = createTwoFilesPatch('pick', 'people', readable(ours), readable(people), '', '', {
      context: 2,
    });
    const lines = patch.split('\n').slice(4);
    const column = (sign: string): string => lines.filter((line) => !line.startsWith(sign)).join('\n');
    out.push(sideBySide(change.path, ['the pick', "people's"], column('+'), column('-'), true));
  }
  return out;
}

function sideBySide(
  path: string,
  heads: readonly [string, string],
  left: string,
  right: string,
  marked = false,
): string {
  const cell = (text: string, sign: string, style: string): string =>
    (marked ? text : readable(text))
      .split('\n')
      .map((line) =>
        marked && line.startsWith(sign)
          ? `<span class="${style}">${escapeHtml(line)}</span>`
          : escapeHtml(line),
      )
      .join('\n');
  return (
    `<h3>${escapeHtml(readable(path))}</h3><table><tr><th>${escapeHtml(heads[0])}</th><th>${escapeHtml(heads[1])}</th></tr>` +
    `<tr><td><pre>${cell(left, '-', 'less')}</pre></td><td><pre>${cell(right, '+', 'more')}</pre></td></tr></table>`
  );
}
