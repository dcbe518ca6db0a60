// A replay's score as a table for people.
import { formatTable } from '../../core/text.ts';
import { readable } from '../git/output.ts';
import { states } from '../scan/scan-result.ts';
import type { Ablation } from './ablate.ts';
import type { BuildFigures } from './measure-builds.ts';
import type { Score } from './replay-pairs.ts';
import type { ScanFigures } from './scan-figures.ts';

/** One column a score: the whole, and its parts by time where asked for. */
export function formatScores(scores: readonly { readonly name: string; readonly score: Score }[]): string {
  const share = (part: number, whole: number): string =>
    whole === 0 ? '-' : `${part} (${((100 * part) / whole).toFixed(1)} %)`;
  const status = (score: Score, name: string): number => score.byStatus[name] ?? 0;
  const rows: readonly (readonly [string, (score: Score) => string])[] = [
    ['pairs', (score) => String(score.pairs)],
    ['exact', (score) => share(score.exact, score.pairs)],
    ['clean', (score) => share(status(score, 'clean'), score.pairs)],
    ['  of these exact', (score) => share(score.cleanExact, status(score, 'clean'))],
    ['review', (score) => share(status(score, 'review'), score.pairs)],
    ['  of these exact', (score) => share(score.reviewExact, status(score, 'review'))],
    ['empty', (score) => share(status(score, 'empty'), score.pairs)],
    ['skipped', (score) => share(status(score, 'skipped'), score.pairs)],
    ['  nothing came, and people changed something', (score) => share(score.wrongNothing, score.pairs)],
    ['conflict', (score) => share(status(score, 'conflict'), score.pairs)],
    ['blocked', (score) => share(status(score, 'blocked'), score.pairs)],
    ['equal but for blanks', (score) => share(score.equalButBlanks, score.pairs)],
  ];
  const main = formatTable(
    ['', ...scores.map(({ name }) => name)],
    rows.map(([name, value]) => [name, ...scores.map(({ score }) => value(score))]),
  );
  const [whole] = scores;
  if (whole === undefined) return main;
  const files = Object.entries(whole.score.wrongFiles).toSorted((left, right) => right[1] - left[1]);
  const doubts = Object.entries(whole.score.doubts).toSorted((left, right) => right[1].wrong - left[1].wrong);
  return [
    main,
    formatTable(
      ['wrong files by class', 'files'],
      files.map(([name, count]) => [name, String(count)]),
    ),
    formatTable(
      ['doubt (in reviews)', 'wrong', 'exact'],
      doubts.map(([name, count]) => [name, String(count.wrong), String(count.exact)]),
    ),
  ].join('\n\n');
}

/** What the figures lose without each rule, the dearest first; rules that change nothing are counted in one line. */
export function formatAblations(ablations: readonly Ablation[]): string {
  const signed = (count: number): string => (count > 0 ? `+${count}` : String(count));
  const telling = ablations.filter((one) => one.changed > 0);
  const table = formatTable(
    ['without rule', 'exact', 'clean', 'conflicts', 'changed', 'concerned'],
    telling
      .toSorted((left, right) => left.exact - right.exact || right.changed - left.changed)
      .map((one) => [
        one.rule,
        ...[one.exact, one.clean, one.conflicts].map(signed),
        String(one.changed),
        String(one.concerned),
      ]),
  );
  const idle = ablations.length - telling.length;
  return idle === 0 ? table : `${table}\n${idle} rules change nothing in these pairs.`;
}

/** What a scan recognises, and where commits stand branch by branch. */
export function formatScanFigures(figures: ScanFigures): string {
  const leftOut = Object.entries(figures.pairsLeftOut);
  const named = leftOut.map(([rule, count]) => `${rule} ${count}`).join(', ');
  const total = leftOut.reduce((sum, [, count]) => sum + count, 0);
  const rows: readonly (readonly [string, string])[] = [
    [
      `imports found on ${readable(figures.branch)} without trailers`,
      `${figures.found} of ${figures.imports}`,
    ],
    ['  with several candidates, told apart', `${figures.toldApart} of ${figures.doubled}`],
    ['known pairs found as people made them', `${figures.pairsRight} of ${figures.pairs}`],
    ['known pairs that a rule would leave out', named === '' ? '0' : `${total} (${named})`],
    [
      "commits with a licence trailer that are the fork's own",
      `${figures.claimingOwn} of ${figures.claiming}`,
    ],
  ];
  return [
    formatTable(['scan', ''], rows),
    formatTable(
      ['branch', ...states],
      Object.entries(figures.branches).map(([branch, counts]) => [
        readable(branch),
        ...states.map((state) => String(counts[state])),
      ]),
    ),
  ].join('\n\n');
}

/** How many picks build, and which do not. */
export function formatBuilds({ built, broken, unknown, why }: BuildFigures): string {
  const alone = broken.filter(({ half }) => !half).length;
  const lines = [
    `built with Go: ${built} picks build; ${broken.length} do not (${broken.length - alone} of them halves that their pull request finishes); of ${unknown} nothing is known`,
    ...(why === undefined ? [] : [`  not known, for one: ${readable(why).split('\n')[0]}`]),
    ...broken.map((one) => {
      const kind = `${one.status}${one.exact ? ', exact' : ''}${one.half ? ', half' : ''}`;
      return `  ${one.upstream.slice(0, 12)} (${kind}): ${readable(one.folder)}: ${readable(one.why).split('\n')[0]}`;
    }),
  ];
  return lines.join('\n');
}
