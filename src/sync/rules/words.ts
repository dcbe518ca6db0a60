// Applies the word rules of a pack to text: leftmost place first, first rule first, and no character twice.
import { matchesAnyGlob } from './glob.ts';
import type { Boundary, ProtectedRule, Scope, WordRule } from './model.ts';

/** Characters [start, end) of the input and what stands in their place. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly to: string;
  readonly rule: string;
  /** A protected word: it stays, whatever else is known. */
  readonly fixed: boolean;
}

export interface WordMatcher {
  /** Spans of a line, in order; `scopeAt` is asked only where a rule is limited to scopes. */
  match(line: string, path: string, scopeAt: (position: number) => Scope): readonly Span[];
  /** Whether any rule's word occurs at all: a cheap test before the dear one. */
  mayMatch(line: string): boolean;
}

interface Compiled {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly left: Boundary;
  readonly right: Boundary;
  readonly scopes: ReadonlySet<Scope> | undefined;
  readonly files: readonly string[] | undefined;
  readonly fixed: boolean;
}

/** Protected words come before every rule; since characters that a rule took are not looked at again, applying
 * the rules once is final, and no rule can see what another one wrote. */
export function compileWords(rules: readonly WordRule[], protections: readonly ProtectedRule[]): WordMatcher {
  const compiled: readonly Compiled[] = [
    ...protections.flatMap((rule) =>
      rule.words.map((word) => ({
        id: rule.id,
        from: word,
        to: word,
        left: rule.left ?? 'any',
        right: 'any' as const,
        scopes: undefined,
        files: undefined,
        fixed: true,
      })),
    ),
    ...rules.map((rule) => ({
      id: rule.id,
      from: rule.from,
      to: rule.to,
      left: rule.left ?? 'any',
      right: rule.right ?? 'any',
      scopes: rule.scopes === undefined ? undefined : new Set(rule.scopes),
      files: rule.files,
      fixed: false,
    })),
  ];
  // Only words between escaped literals: nothing in this expression can repeat, so it is linear.
  const heads = [...new Set(compiled.map((rule) => rule.from))].map(escapeLiteral).join('|');
  const anyHead = new RegExp(heads === '' ? '(?!)' : `(?=${heads})`, 'g');
  const byFirst = new Map<string, Compiled[]>();
  for (const rule of compiled) {
    const first = rule.from.charAt(0);
    const list = byFirst.get(first);
    if (list === undefined) byFirst.set(first, [rule]);
    else list.push(rule);
  }
  return {
    mayMatch(line) {
      anyHead.lastIndex = 0;
      return anyHead.test(line);
    },
    match(line, path, scopeAt) {
      const spans: Span[] = [];
      let position = 0;
      for (;;) {
        anyHead.lastIndex = position;
        const at = anyHead.exec(line)?.index;
        if (at === undefined) return spans;
        const rule = byFirst
          .get(line.charAt(at))
          ?.find((candidate) => applies(candidate, line, at, path, scopeAt));
        if (rule === undefined) {
          position = at + 1;
          continue;
        }
        position = at + rule.from.length;
        spans.push({ start: at, end: position, to: rule.to, rule: rule.id, fixed: rule.fixed });
      }
    },
  };
}

function applies(
  rule: Compiled,
  line: string,
  at: number,
  path: string,
  scopeAt: (position: number) => Scope,
): boolean {
  if (!line.startsWith(rule.from, at)) return false;
  if (!boundaryHolds(rule.left, line.slice(0, at), 'left')) return false;
  if (!boundaryHolds(rule.right, line.slice(at + rule.from.length), 'right')) return false;
  if (rule.files !== undefined && !matchesAnyGlob(rule.files, path)) return false;
  return rule.scopes === undefined || rule.scopes.has(scopeAt(at));
}

function boundaryHolds(boundary: Boundary, rest: string, side: 'left' | 'right'): boolean {
  if (boundary === 'any') return true;
  const next = side === 'left' ? rest.slice(-1) : rest.slice(0, 1);
  if (boundary === 'word') return !/\w/.test(next);
  if (boundary === 'letter') return !/[A-Za-z]/.test(next);
  return boundary.some((literal) =>
    literal === '' ? rest === '' : side === 'left' ? rest.endsWith(literal) : rest.startsWith(literal),
  );
}

function escapeLiteral(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** The line with its spans replaced. */
export function applySpans(line: string, spans: readonly Span[]): string {
  let out = '';
  let position = 0;
  for (const span of spans) {
    out += line.slice(position, span.start) + span.to;
    position = span.end;
  }
  return out + line.slice(position);
}
