// Parses the statements of Go functions.
import type { ExpressionParser } from './parse-expressions.ts';
import type { TokenScanner } from './scan-tokens.ts';
import type { Clause, Expression, Name, Statement, TypeDeclaration, ValueDeclaration } from './syntax.ts';

export interface StatementParser {
  block(): readonly Statement[];
}

const assignments = new Set(['=', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '<<=', '>>=', '&^=']);

export function createStatementParser(
  scanner: TokenScanner,
  parser: ExpressionParser,
  declarations: {
    values(): readonly ValueDeclaration[];
    types(): readonly TypeDeclaration[];
  },
): StatementParser {
  const { is, take, expect, fail } = parser;

  function block(): readonly Statement[] {
    expect('{');
    const body = statements();
    expect('}');
    return body;
  }

  function statements(): readonly Statement[] {
    const out: Statement[] = [];
    while (!is('}') && !is('case') && !is('default') && scanner.kind !== 'end') {
      const one = statement();
      if (one.kind !== 'nothing') out.push(one);
      if (take(';') || is('}') || is('case') || is('default')) continue;
      fail('a new line');
    }
    return out;
  }

  function statement(): Statement {
    const at = scanner.start;
    if (scanner.kind === 'keyword') {
      if (is('var') || is('const')) return { kind: 'declare', declarations: declarations.values() };
      if (is('type')) return { kind: 'declare', declarations: declarations.types() };
      if (take('return'))
        return { kind: 'return', values: is(';') || is('}') ? [] : parser.expressions(), at };
      if (take('go') || take('defer')) return { kind: 'call', of: parser.expression() };
      if (is('if')) return ifStatement();
      if (take('switch')) return switchStatement();
      if (take('select')) return { kind: 'select', clauses: selectClauses() };
      if (take('for')) return forStatement();
      if (take('break') || take('continue') || take('goto') || take('fallthrough')) {
        if (scanner.kind === ('name' as string)) scanner.next();
        return { kind: 'nothing' };
      }
    }
    if (is('{')) return { kind: 'block', body: block() };
    if (is(';') || is('}')) return { kind: 'nothing' };
    return simple(true);
  }

  function simple(mayBeLabel = false): Statement {
    const at = scanner.start;
    if (is('range')) return rangeOver([], false, at);
    const left = parser.expressions();
    const [first] = left;
    if (first === undefined) return fail('an expression');
    if (mayBeLabel && left.length === 1 && first.kind === 'name' && take(':')) {
      if (is('}')) return { kind: 'nothing' };
      return statement();
    }
    const { text } = scanner;
    if (text === ':=' || assignments.has(text)) {
      const operatorAt = scanner.start;
      scanner.next();
      if (is('range')) return rangeOver(left, text === ':=', operatorAt);
      return { kind: 'assign', left, operator: text, right: parser.expressions(), at: operatorAt };
    }
    if (take('<-')) return { kind: 'send', channel: first, value: parser.expression() };
    if (take('++') || take('--')) return { kind: 'step', of: first };
    return { kind: 'expression', of: first };
  }

  /** The body is read by the `for` that this stands in. */
  function rangeOver(left: readonly Expression[], defines: boolean, at: number): Statement {
    expect('range');
    return { kind: 'range', left, defines, over: parser.expression(), body: [], at };
  }

  function ifStatement(): Statement {
    expect('if');
    const { before, last } = parser.inHead(() => {
      const first = is(';') ? undefined : simple();
      if (!take(';')) return { before: undefined, last: first };
      return { before: first, last: simple() };
    });
    if (last?.kind !== 'expression') return fail('a condition');
    const then = block();
    let otherwise: Statement | undefined;
    if (take('else')) otherwise = is('if') ? ifStatement() : { kind: 'block', body: block() };
    return { kind: 'if', before, condition: last.of, then, otherwise };
  }

  function switchStatement(): Statement {
    const { before, last } = parser.inHead(() => {
      if (is('{')) return { before: undefined, last: undefined };
      const first = is(';') ? undefined : simple();
      if (!take(';')) return { before: undefined, last: first };
      return { before: first, last: is('{') ? undefined : simple() };
    });
    const clauses = caseClauses();
    const bound = boundIn(last);
    if (bound !== undefined) return { kind: 'type-switch', before, ...bound, clauses };
    if (last !== undefined && last.kind !== 'expression') return fail('a tag');
    return { kind: 'switch', before, tag: last?.of, clauses };
  }

  function boundIn(
    statement: Statement | undefined,
  ): { readonly bound: Name | undefined; readonly of: Expression } | undefined {
    if (statement?.kind === 'expression' && isTypeSwitch(statement.of))
      return { bound: undefined, of: statement.of.of };
    if (statement?.kind !== 'assign' || statement.operator !== ':=') return undefined;
    const [left] = statement.left;
    const [right] = statement.right;
    if (left?.kind !== 'name' || right === undefined || !isTypeSwitch(right)) return undefined;
    return { bound: left, of: right.of };
  }

  function caseClauses(): readonly Clause[] {
    expect('{');
    const clauses: Clause[] = [];
    while (!is('}')) {
      const at = scanner.start;
      let cases: readonly Expression[] | undefined;
      if (take('case')) cases = caseList();
      else expect('default');
      expect(':');
      clauses.push({ cases, body: statements(), at });
    }
    expect('}');
    return clauses;
  }

  function caseList(): readonly Expression[] {
    const out = [parser.expression()];
    while (take(',')) out.push(parser.expression());
    return out;
  }

  function selectClauses(): readonly Clause[] {
    expect('{');
    const clauses: Clause[] = [];
    while (!is('}')) {
      const at = scanner.start;
      if (take('default')) {
        expect(':');
        clauses.push({ cases: undefined, body: statements(), at });
        continue;
      }
      expect('case');
      const communication = simple();
      expect(':');
      clauses.push({ cases: [], communication, body: statements(), at });
    }
    expect('}');
    return clauses;
  }

  function forStatement(): Statement {
    const head = parser.inHead(() => {
      if (is('{')) return { first: undefined, condition: undefined, after: undefined };
      const first = is(';') ? undefined : simple();
      if (!take(';')) return { first: undefined, condition: first, after: undefined };
      const condition = is(';') || is('{') ? undefined : simple();
      take(';');
      return { first, condition, after: is('{') ? undefined : simple() };
    });
    const body = block();
    if (head.condition?.kind === 'range') return { ...head.condition, body };
    const { condition } = head;
    if (condition !== undefined && condition.kind !== 'expression') return fail('a condition');
    return { kind: 'for', before: head.first, condition: condition?.of, after: head.after, body };
  }

  return { block };
}

function isTypeSwitch(of: Expression): of is Extract<Expression, { kind: 'assertion' }> {
  return of.kind === 'assertion' && of.type === undefined;
}
