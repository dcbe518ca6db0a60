// The report as one self-contained page, readable without JavaScript and on a phone.
import { escapeHtml } from '../../core/text.ts';
import type { Answers } from '../model/finding.ts';
import type { Plan } from '../model/plan.ts';
import type { Rehearsal } from '../model/rehearsal.ts';
import type { Verification } from '../model/verification.ts';
import { headline, type Section, sections } from './sections.ts';

const style = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --bad: #c0392b; --warn: #b9770e; --good: #1e8449; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 75rem; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
nav a { margin-right: 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .6rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { background: var(--soft); }
.blocker td:first-child, .failed td:first-child { color: var(--bad); font-weight: 600; }
.loss td:first-child { color: var(--warn); font-weight: 600; } .ok td:first-child { color: var(--good); }
footer { color: #888; margin-top: 3rem; }
`;

export function renderHtml(
  plan: Plan,
  verification: Verification | undefined,
  rehearsal?: Rehearsal,
  answers?: Answers,
): string {
  const parts = sections(plan, verification, rehearsal, answers);
  const title = escapeHtml(headline(verification));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<h1>${title}</h1>
<nav>${parts.map(({ id, title: name }) => `<a href="#${id}">${escapeHtml(name)}</a>`).join('')}</nav>
${parts.map(section).join('\n')}
<footer>Made ${escapeHtml(plan.madeAt)} by lxd-to-incus ${escapeHtml(plan.toolVersion)}. Confidential values are shown as their length and hash.</footer>
</body>
</html>
`;
}

function section({ id, title, text, head, rows }: Section): string {
  const paragraph = text === undefined ? '' : `<p>${escapeHtml(text)}</p>`;
  const table =
    rows.length === 0
      ? ''
      : `<div class="scroll"><table><thead><tr>${head.map((cell) => `<th>${escapeHtml(cell)}</th>`).join('')}</tr></thead><tbody>${rows
          .map(
            (cells) =>
              `<tr class="${/^[a-z]+$/i.test(cells[0] ?? '') ? (cells[0] ?? '').toLowerCase() : ''}">${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`,
          )
          .join('\n')}</tbody></table></div>`;
  return `<section id="${id}"><h2>${escapeHtml(title)}</h2>${paragraph}${table}</section>`;
}
