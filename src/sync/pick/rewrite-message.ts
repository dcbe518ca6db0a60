// The message of a pick: upstream's own words, with references that would act on the wrong repository made harmless.
import type { MessageRule, PackInfo } from '../rules/model.ts';
import { applySpans, compileWords } from '../rules/words.ts';

// What GitHub takes for an order to close: a keyword with a reference right behind it.
export const closingReference =
  /\b(close[sd]?|fix(?:e[sd])?|resolve[sd]?)(:?[ \t]+)((?:[\w.-]+\/[\w.-]+)?#\d+|GH-\d+|https?:\/\/github\.com\/[\w.-]+\/[\w.-]+\/(?:issues|pull)\/\d+)/gi;
export const bareReference = /(?<![\w/#&])(?:#|GH-)(\d+)\b/g;
const trailerLine = /^(?:[A-Za-z][\w-]*: |\(cherry picked from commit )/;

/** Rewrites a message (bytes as latin1). The author's sign-off stays; nobody signs for anybody. */
export function rewriteMessage(
  message: string,
  info: PackInfo,
  rules: readonly MessageRule[],
  upstream: string,
): string {
  const [subject = '', ...rest] = message.replace(/\n+$/, '').split('\n');
  const tagged = info.subjectPrefix + withoutTag(subject, info.subjectPrefix);
  const ruled = [
    applyRules(tagged, rules, 'subject'),
    ...rest.map((line) => applyRules(line, rules, 'body')),
  ];
  const lines = ruled.map((line) => defuse(line, info.upstream.repository));
  const trailer = `(cherry picked from commit ${upstream})`;
  const last = lines.at(-1) ?? '';
  const gap = lines.length > 1 && trailerLine.test(last) ? [] : [''];
  return `${[...lines, ...gap, trailer].join('\n')}\n`;
}

function withoutTag(subject: string, tag: string): string {
  return tag !== '' && subject.startsWith(tag) ? withoutTag(subject.slice(tag.length), tag) : subject;
}

function defuse(line: string, repository: string): string {
  return line
    .replace(
      closingReference,
      (_, keyword: string, _gap: string, reference: string) => `${keyword} upstream: ${reference}`,
    )
    .replace(bareReference, `${repository}#$1`);
}

function applyRules(line: string, rules: readonly MessageRule[], where: 'subject' | 'body'): string {
  const fitting = rules.filter((rule) => rule.where === where || rule.where === 'all');
  if (fitting.length === 0) return line;
  const words = compileWords(
    fitting.map(({ id, description, from, to, left, right }) => ({
      id,
      description,
      from,
      to,
      ...(left === undefined ? {} : { left }),
      ...(right === undefined ? {} : { right }),
    })),
    [],
  );
  return applySpans(
    line,
    words.match(line, '', () => 'prose'),
  );
}
