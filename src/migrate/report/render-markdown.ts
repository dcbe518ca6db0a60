// The report as Markdown.
import { escapeMarkdown } from '../../core/text.ts';
import type { Answers } from '../model/finding.ts';
import type { Plan } from '../model/plan.ts';
import type { Rehearsal } from '../model/rehearsal.ts';
import type { Verification } from '../model/verification.ts';
import { headline, sections } from './sections.ts';

export function renderMarkdown(
  plan: Plan,
  verification: Verification | undefined,
  rehearsal?: Rehearsal,
  answers?: Answers,
): string {
  const parts = [`# ${headline(verification)}`];
  for (const { title, text, head, rows } of sections(plan, verification, rehearsal, answers)) {
    parts.push(`## ${title}`);
    if (text !== undefined) parts.push(escapeMarkdown(text));
    if (rows.length > 0) {
      parts.push(
        [row(head), row(head.map(() => '---')), ...rows.map((cells) => row(cells.map(escapeMarkdown)))].join(
          '\n',
        ),
      );
    }
  }
  return `${parts.join('\n\n')}\n`;
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
