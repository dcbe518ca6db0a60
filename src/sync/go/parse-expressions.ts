// Parses Go expressions and types, which share one grammar.
import type { TokenScanner } from './scan-tokens.ts';
import type {
  Composite,
  Element,
  Expression,
  Field,
  FunctionType,
  InterfaceType,
  LiteralKind,
  Method,
  Parameter,
  Statement,
  StructType,
} from './syntax.ts';

/** Source that this reading does not understand; nothing is concluded from it. */
export class NotGo extends Error {
  readonly at: number;
  constructor(at: number, wanted: string) {
    super(`expected ${wanted}`);
    this.at = at;
  }
}

export interface ExpressionParser {
  expression(): Expression;
  expressions(): readonly Expression[];
  type(): Expression;
  signature(): FunctionType;
  typeParameters(): readonly Parameter[];
  /** Composite literals have to stand in parentheses in what this parses (the head of an `if`). */
  inHead<T>(parse: () => T): T;
  is(text: string): boolean;
  take(text: string): boolean;
  expect(text: string): number;
  expectName(): string;
  fail(wanted: string): never;
}

const precedence: Readonly<Record<string, number>> = {
  '||': 1,
  '&&': 2,
  '==': 3,
  '!=': 3,
  '<': 3,
  '<=': 3,
  '>': 3,
  '>=': 3,
  '+': 4,
  '-': 4,
  '|': 4,
  '^': 4,
  '*': 5,
  '/': 5,
  '%': 5,
  '<<': 5,
  '>>': 5,
  '&': 5,
  '&^': 5,
};

export function createExpressionParser(
  scanner: TokenScanner,
  block: () => readonly Statement[],
): ExpressionParser {
  /** Below zero in the head of a statement, where `{` begins its body. */
  let level = 0;

  const is = (text: string): boolean => scanner.text === text && scanner.kind !== 'string';
  const fail = (wanted: string): never => {
    throw new NotGo(scanner.start, wanted);
  };
  const take = (text: string): boolean => {
    if (!is(text)) return false;
    scanner.next();
    return true;
  };
  const expect = (text: string): number => {
    const at = scanner.start;
    if (!take(text)) fail(text);
    return at;
  };
  const expectName = (): string => {
    const { text, kind } = scanner;
    if (kind !== 'name') fail('a name');
    scanner.next();
    return text;
  };
  const atLevel = <T>(inner: number, parse: () => T): T => {
    const outer = level;
    level = inner;
    try {
      return parse();
    } finally {
      level = outer;
    }
  };
  const list = <T>(close: string, parse: () => T): readonly T[] => {
    const out: T[] = [];
    while (!is(close)) {
      out.push(parse());
      if (!take(',')) break;
    }
    expect(close);
    return out;
  };

  function expressions(): readonly Expression[] {
    const out = [expression()];
    while (take(',')) out.push(expression());
    return out;
  }

  function expression(above = 0): Expression {
    let left = unary();
    for (;;) {
      const operator = scanner.text;
      const rank = scanner.kind === 'operator' ? (precedence[operator] ?? 0) : 0;
      if (rank <= above) return left;
      const at = scanner.start;
      scanner.next();
      left = { kind: 'binary', operator, left, right: expression(rank), at };
    }
  }

  function unary(): Expression {
    const at = scanner.start;
    if (scanner.kind === 'operator') {
      if (take('*')) return { kind: 'star', of: unary(), at };
      if (is('<-')) {
        const before = scanner.mark();
        scanner.next();
        if (is('chan')) {
          scanner.reset(before);
          return suffixes(type());
        }
        return { kind: 'unary', operator: '<-', of: unary(), at };
      }
      const operator = scanner.text;
      if (['+', '-', '!', '^', '&', '~'].includes(operator)) {
        scanner.next();
        return { kind: 'unary', operator, of: unary(), at };
      }
    }
    return suffixes(operand());
  }

  function operand(): Expression {
    const { kind, text, start: at, end } = scanner;
    if (kind === 'name') {
      scanner.next();
      return { kind: 'name', name: text, at };
    }
    if (kind === 'number' || kind === 'string' || kind === 'rune') {
      scanner.next();
      return { kind: 'literal', literal: literalKind(kind, text), at, end };
    }
    if (text === '(') {
      scanner.next();
      const inner = atLevel(Math.max(0, level) + 1, expression);
      expect(')');
      return inner;
    }
    if (text === 'func') {
      scanner.next();
      const found = signature();
      if (!is('{')) return found;
      return { kind: 'function', type: found, body: atLevel(0, block), at };
    }
    if (text === '[' || text === 'struct' || text === 'map' || text === 'chan' || text === 'interface')
      return type();
    return fail('an operand');
  }

  function suffixes(first: Expression): Expression {
    let of = first;
    for (;;) {
      const at = scanner.start;
      if (take('.')) {
        if (take('(')) {
          const asserted = take('type') ? undefined : type();
          expect(')');
          of = { kind: 'assertion', of, type: asserted, at };
        } else {
          const nameAt = scanner.start;
          of = { kind: 'selector', of, name: expectName(), at: nameAt };
        }
      } else if (is('[')) of = brackets(of);
      else if (is('(')) of = call(of);
      else if (is('{') && mayBeLiteral(of)) of = composite(of);
      else return of;
    }
  }

  function mayBeLiteral(of: Expression): boolean {
    if (['slice-type', 'array-type', 'map-type', 'struct'].includes(of.kind)) return true;
    if (level < 0) return false;
    if (of.kind === 'name') return true;
    if (of.kind === 'selector') return of.of.kind === 'name';
    return of.kind === 'index' && (of.of.kind === 'name' || of.of.kind === 'selector');
  }

  function brackets(of: Expression): Expression {
    const at = expect('[');
    return atLevel(Math.max(0, level) + 1, () => {
      const parts: Expression[] = [];
      let slices = false;
      while (!is(']')) {
        if (take(':')) slices = true;
        else if (!take(',')) parts.push(expression());
      }
      expect(']');
      return slices ? { kind: 'slice', of, parts, at } : { kind: 'index', of, indices: parts, at };
    });
  }

  function call(callee: Expression): Expression {
    const at = expect('(');
    return atLevel(Math.max(0, level) + 1, () => {
      let spread = false;
      const given = list(')', () => {
        const one = expression();
        if (take('...')) spread = true;
        return one;
      });
      return { kind: 'call', callee, arguments: given, spread, at };
    });
  }

  function composite(of: Expression | undefined): Composite {
    const at = expect('{');
    const element = (): Expression => (is('{') ? composite(undefined) : expression());
    const elements = atLevel(Math.max(0, level) + 1, () =>
      list('}', (): Element => {
        const first = element();
        return take(':') ? { key: first, value: element() } : { key: undefined, value: first };
      }),
    );
    return { kind: 'composite', type: of, elements, at };
  }

  function type(): Expression {
    const at = scanner.start;
    if (scanner.kind === 'name') {
      let of: Expression = { kind: 'name', name: expectName(), at };
      if (take('.')) {
        const nameAt = scanner.start;
        of = { kind: 'selector', of, name: expectName(), at: nameAt };
      }
      if (!is('[')) return of;
      // `names []string` is a name and a slice.
      const before = scanner.mark();
      scanner.next();
      if (is(']')) {
        scanner.reset(before);
        return of;
      }
      scanner.reset(before);
      return brackets(of);
    }
    if (take('*')) return { kind: 'star', of: type(), at };
    if (take('(')) {
      const inner = type();
      expect(')');
      return inner;
    }
    if (take('[')) {
      if (take(']')) return { kind: 'slice-type', of: type(), at };
      const length = take('...')
        ? undefined
        : atLevel(Math.max(0, level) + 1, (): Expression => expression());
      expect(']');
      return { kind: 'array-type', length, of: type(), at };
    }
    if (take('map')) {
      expect('[');
      const key = type();
      expect(']');
      return { kind: 'map-type', key, of: type(), at };
    }
    if (take('<-')) {
      expect('chan');
      return { kind: 'chan-type', of: type(), at };
    }
    if (take('chan')) {
      take('<-');
      return { kind: 'chan-type', of: type(), at };
    }
    if (take('func')) return signature();
    if (is('struct')) return struct();
    if (is('interface')) return interfaceType();
    return fail('a type');
  }

  function signature(): FunctionType {
    const at = scanner.start;
    const given = parameters('(', ')');
    let results: readonly Parameter[] = [];
    if (is('(')) results = parameters('(', ')').list;
    else if (beginsType()) results = [{ name: undefined, at: scanner.start, type: type() }];
    return { kind: 'func', parameters: given.list, variadic: given.variadic, results, at };
  }

  function beginsType(): boolean {
    return (
      scanner.kind === 'name' ||
      ['*', '[', 'map', 'chan', 'func', 'struct', 'interface', '<-', '('].some((text) => is(text))
    );
  }

  function typeParameters(): readonly Parameter[] {
    return parameters('[', ']').list;
  }

  /** Either all have names or none has; a name without a type has the type of the next one. */
  function parameters(
    open: string,
    close: string,
  ): { readonly list: readonly Parameter[]; readonly variadic: boolean } {
    expect(open);
    return atLevel(0, () => {
      const entries: { readonly first: Expression; readonly second: Expression | undefined }[] = [];
      let variadic = false;
      const variable = (): Expression => {
        if (take('...')) variadic = true;
        return union();
      };
      while (!is(close)) {
        const first = variable();
        if (is(',') || is(close)) entries.push({ first, second: undefined });
        else if (first.kind === 'index' && first.of.kind === 'name') {
          // `key [32]byte`: what looked like arguments of a type is a length.
          const [length] = first.indices;
          entries.push({
            first: first.of,
            second: { kind: 'array-type', length, of: type(), at: first.at },
          });
        } else entries.push({ first, second: variable() });
        if (!take(',')) break;
      }
      expect(close);
      const named = entries.some((entry) => entry.second !== undefined);
      const out: Parameter[] = [];
      let following: Expression | undefined;
      for (const { first, second } of entries.toReversed()) {
        following = second ?? following;
        if (!named || following === undefined) out.push({ name: undefined, type: first, at: first.at });
        else if (first.kind === 'name') out.push({ name: first.name, type: following, at: first.at });
        else fail('a parameter');
      }
      return { list: out.reverse(), variadic };
    });
  }

  /** A type, or what a constraint may list. */
  function union(): Expression {
    take('~');
    let of = type();
    while (is('|')) {
      const at = scanner.start;
      scanner.next();
      take('~');
      of = { kind: 'binary', operator: '|', left: of, right: type(), at };
    }
    return of;
  }

  function struct(): StructType {
    const at = expect('struct');
    expect('{');
    const fields: Field[] = [];
    while (!is('}')) {
      fields.push(...field());
      if (scanner.kind === 'string') scanner.next();
      if (!take(';')) break;
    }
    expect('}');
    return { kind: 'struct', fields, at };
  }

  function field(): readonly Field[] {
    const at = scanner.start;
    const before = scanner.mark();
    const isEnd = (): boolean => is(';') || is('}') || scanner.kind === 'string';
    if (scanner.kind === 'name') {
      const first = expectName();
      if (is('[')) return [bracketedField(first, at, isEnd)];
      if (!isEnd() && !is('.')) {
        const names = [{ name: first, at }];
        while (take(',')) names.push({ at: scanner.start, name: expectName() });
        const of = atLevel(0, type);
        return names.map((name) => ({ ...name, type: of, embedded: false }));
      }
      scanner.reset(before);
    }
    const of = type();
    return [{ name: typeName(of), type: of, embedded: true, at }];
  }

  /** `names []string`, `sum [32]byte`, or `List[int]` embedded: read once, whatever it turns out to be. */
  function bracketedField(name: string, at: number, isEnd: () => boolean): Field {
    const open = expect('[');
    if (take(']'))
      return { name, type: { kind: 'slice-type', of: atLevel(0, type), at: open }, embedded: false, at };
    const indices = is('...') ? [] : atLevel(1, expressions);
    take('...');
    expect(']');
    if (isEnd()) {
      const of: Expression = { kind: 'index', of: { kind: 'name', name, at }, indices, at: open };
      return { name, type: of, embedded: true, at };
    }
    const [length] = indices;
    return {
      name,
      type: { kind: 'array-type', length, of: atLevel(0, type), at: open },
      embedded: false,
      at,
    };
  }

  function interfaceType(): InterfaceType {
    const at = expect('interface');
    expect('{');
    const methods: Method[] = [];
    const embedded: Expression[] = [];
    let constraint = false;
    while (!is('}')) {
      const before = scanner.mark();
      const nameAt = scanner.start;
      const name = scanner.kind === 'name' ? expectName() : undefined;
      if (name !== undefined && is('(')) methods.push({ name, at: nameAt, type: signature() });
      else {
        scanner.reset(before);
        if (is('~')) constraint = true;
        const of = union();
        if (of.kind === 'binary') constraint = true;
        embedded.push(of);
      }
      if (!take(';')) break;
    }
    expect('}');
    return { kind: 'interface', methods, embedded, constraint, at };
  }

  function literalKind(kind: 'number' | 'string' | 'rune', text: string): LiteralKind {
    if (kind !== 'number') return kind;
    if (text.endsWith('i')) return 'complex';
    if (/^0[xX]/.test(text)) return /[.pP]/.test(text) ? 'float' : 'int';
    return /[.eE]/.test(text) ? 'float' : 'int';
  }

  return {
    expression: () => expression(),
    expressions,
    type,
    signature,
    typeParameters,
    inHead: (parse) => atLevel(-1, parse),
    is,
    take,
    expect,
    expectName,
    fail,
  };
}

/** What an embedded type is called as a field. */
export function typeName(type: Expression): string | undefined {
  if (type.kind === 'name' || type.kind === 'selector') return type.name;
  if (type.kind === 'star' || type.kind === 'index') return typeName(type.of);
  return undefined;
}
