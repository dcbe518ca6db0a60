// Parses a Go file into its declarations without what is in its functions, and single declarations with that.
import { intern } from '../git/intern.ts';
import { createExpressionParser, NotGo } from './parse-expressions.ts';
import { createStatementParser } from './parse-statements.ts';
import { scanTokens } from './scan-tokens.ts';
import type {
  Declaration,
  FunctionDeclaration,
  GoSyntax,
  ImportDeclaration,
  Parameter,
  Span,
  Statement,
  TypeDeclaration,
  ValueDeclaration,
} from './syntax.ts';

/**
 * The syntax of a file, without the bodies of its functions.
 * @throws {NotGo} where it cannot be read
 */
export function parseGo(source: string): GoSyntax {
  return openParser(source, false).file();
}

/**
 * What stands in some of the declarations of a file, with the bodies of functions.
 * @throws {NotGo} where it cannot be read
 */
export function parseDeclarations(source: string, spans: readonly Span[]): readonly Declaration[] {
  const { declarationsIn } = openParser(source, true);
  return spans.flatMap(declarationsIn);
}

interface FileParser {
  file(): GoSyntax;
  declarationsIn(span: Span): readonly Declaration[];
}

function openParser(source: string, withBodies: boolean): FileParser {
  const scanner = scanTokens(source);
  const parser = createExpressionParser(scanner, () => statements.block());
  const statements = createStatementParser(scanner, parser, { values: valuesOf, types: typesOf });
  const { is, take, expect, expectName, fail } = parser;

  return { file, declarationsIn };

  function file(): GoSyntax {
    scanner.next();
    expect('package');
    const packageName = expectName();
    take(';');
    const imports: ImportDeclaration[] = [];
    while (take('import')) {
      grouped(() => imports.push(importSpec()));
      take(';');
    }
    const declarations: Declaration[] = [];
    const spans: Span[] = [];
    while (scanner.kind !== 'end') {
      const from = scanner.start;
      declarations.push(...declaration());
      spans.push({ from, to: scanner.lastEnd });
      endDeclaration();
    }
    return { packageName, imports, declarations, spans };
  }

  function declarationsIn({ from, to }: Span): readonly Declaration[] {
    scanner.reset({ kind: 'end', text: '', start: from, end: from, lastEnd: from, ends: false });
    scanner.next();
    const found = declaration();
    const end = scanner.lastEnd;
    endDeclaration();
    if (end !== to) fail('a declaration');
    return found;
  }

  function declaration(): readonly Declaration[] {
    if (is('func')) return [functionOf()];
    if (is('type')) return typesOf();
    if (is('var') || is('const')) return valuesOf();
    return fail('a declaration');
  }

  function endDeclaration(): void {
    if (!take(';') && scanner.kind !== 'end') fail('a new line');
  }

  function grouped(parse: () => void): void {
    if (!take('(')) {
      parse();
      return;
    }
    while (!is(')')) {
      parse();
      if (!take(';')) break;
    }
    expect(')');
  }

  function importSpec(): ImportDeclaration {
    let alias: string | undefined;
    const at = scanner.start;
    if (take('.')) alias = '.';
    else if (scanner.kind === 'name') alias = expectName();
    if ((scanner.kind as string) !== 'string') fail('an import path');
    const path = intern(source.slice(scanner.start + 1, scanner.end - 1));
    scanner.next();
    return { alias, path, at };
  }

  function valuesOf(): readonly ValueDeclaration[] {
    const constant = is('const');
    const out: ValueDeclaration[] = [];
    scanner.next();
    // A constant without a value repeats the one before.
    let last: Pick<ValueDeclaration, 'type' | 'values'> = { type: undefined, values: [] };
    grouped(() => {
      const names = [nameHere()];
      while (take(',')) names.push(nameHere());
      const type = is('=') || is(';') || is(')') ? undefined : parser.type();
      const values = take('=') ? parser.expressions() : [];
      if (constant && values.length === 0 && type === undefined)
        out.push({ kind: 'values', constant, names, ...last });
      else {
        last = { type, values };
        out.push({ kind: 'values', constant, names, type, values });
      }
    });
    return out;
  }

  function nameHere(): { readonly kind: 'name'; readonly name: string; readonly at: number } {
    const at = scanner.start;
    return { kind: 'name', name: expectName(), at };
  }

  function typesOf(): readonly TypeDeclaration[] {
    const out: TypeDeclaration[] = [];
    expect('type');
    grouped(() => {
      const at = scanner.start;
      const name = expectName();
      const parameters: readonly Parameter[] = is('[') && hasTypeParameters() ? parser.typeParameters() : [];
      const alias = take('=');
      out.push({ kind: 'type', name, alias, parameters, type: parser.type(), at });
    });
    return out;
  }

  /** `type Set[K comparable]` against `type Key [size]byte` and `type Names []string`. */
  function hasTypeParameters(): boolean {
    const before = scanner.mark();
    try {
      scanner.next();
      if (scanner.kind !== 'name') return false;
      scanner.next();
      return !is(']') && (scanner.kind === 'name' || is(',') || is('interface') || is('~') || is('['));
    } finally {
      scanner.reset(before);
    }
  }

  function functionOf(): FunctionDeclaration {
    expect('func');
    let receiver: FunctionDeclaration['receiver'];
    if (is('(')) receiver = receiverOf();
    const at = scanner.start;
    const name = expectName();
    const parameters = is('[') ? parser.typeParameters() : [];
    const type = parser.signature();
    let body: readonly Statement[] | undefined;
    if (is('{')) {
      if (withBodies) body = statements.block();
      else scanner.skipBlock();
    }
    return { kind: 'function', name, receiver, parameters, type, body, at };
  }

  function receiverOf(): FunctionDeclaration['receiver'] {
    expect('(');
    let name: string | undefined;
    const before = scanner.mark();
    if (scanner.kind === 'name') {
      name = expectName();
      if (is(')') || is('[')) {
        scanner.reset(before);
        name = undefined;
      }
    }
    const pointer = take('*');
    const type = expectName();
    const parameters: string[] = [];
    if (take('[')) {
      while (!is(']')) {
        parameters.push(expectName());
        if (!take(',')) break;
      }
      expect(']');
    }
    take(',');
    expect(')');
    return { type, pointer, name, parameters };
  }
}

/** Whether reading failed for what the source is: not Go, or nested deeper than any person's. */
export function isUnreadable(error: unknown): boolean {
  return (
    error instanceof NotGo || (error instanceof RangeError && error.message.startsWith('Maximum call stack'))
  );
}
