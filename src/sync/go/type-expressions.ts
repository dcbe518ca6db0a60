// Tells what Go expressions are, and reports those that no compiler would take.
import { createAnswers } from './answers.ts';
import {
  defaultType,
  describeType,
  type FunctionShape,
  type GoType,
  type LocalTypes,
  predeclared,
  unknownType,
} from './go-type.ts';
import type { GoWorld } from './go-world.ts';
import { inferShape } from './infer-types.ts';
import type { GoDeclarations } from './read-declarations.ts';
import { findLocal, type Scope } from './scope.ts';
import type {
  Composite,
  Expression,
  FunctionDeclaration,
  FunctionType,
  ImportDeclaration,
  ValueDeclaration,
} from './syntax.ts';
import type { Report } from './type-fault.ts';
import type { TypeReader, TypeRules } from './type-rules.ts';

export interface Typer extends TypeReader {
  /** What an expression is; `hint` is the type of a literal that does not say its own. */
  typeOf(expression: Expression, scope: Scope | undefined, hint?: GoType): GoType;
  /** What each of so many places gets from the expressions. */
  valuesOf(
    values: readonly Expression[],
    places: number,
    scope: Scope | undefined,
    at: number,
    what: string,
  ): readonly GoType[];
  /** Reports what cannot go where it is put. */
  expectAssignable(from: GoType, to: GoType, at: number, where: string): void;
  /** The type of a declared name of this file. */
  declaredType(name: string): GoType;
  typeInScope(expression: Expression, scope: Scope | undefined): GoType;
  signatureInScope(type: FunctionType, scope: Scope | undefined): FunctionShape;
}

export interface TyperParts {
  readonly world: GoWorld;
  readonly file: GoDeclarations;
  readonly rules: TypeRules;
  readonly typerOf: (file: GoDeclarations) => Typer;
  readonly report: Report;
  /** Whether somebody hears what is wrong; what only that depends on is not looked at otherwise. */
  readonly judges: boolean;
  /** An import that code of the file needs. */
  readonly useImport: (spec: ImportDeclaration) => void;
  /** Looks into a function literal. */
  readonly enterFunction: (
    literal: Extract<Expression, { kind: 'function' }>,
    shape: FunctionShape,
    scope: Scope | undefined,
  ) => void;
}

const universeHidden: LocalTypes = () => undefined;
const deepestValue = 8;

export function createTyper(parts: TyperParts): Typer {
  const { world, file, rules, report, judges } = parts;
  const values = createAnswers<string, GoType>(world.progress);
  const underWay = new Set<string>();

  function nameType(name: string, at: number, scope: Scope | undefined, local: LocalTypes): GoType {
    if (name === '_') return unknownType;
    const own = findLocal(scope, name);
    if (own !== undefined) {
      own.used = true;
      return own.type;
    }
    const parameter = local(name);
    if (parameter !== undefined) return { kind: 'type', of: parameter };
    const home = world.declaring(file.folder, name);
    if (home === 'unknown') return unknownType;
    if (home !== undefined) return parts.typerOf(home).declaredType(name);
    const spec = world.importCalled(file.imports, name);
    if (spec !== undefined) {
      parts.useImport(spec);
      return { kind: 'package', path: spec.path, folder: world.folderOf(spec.path, file) };
    }
    const known = predeclared(name);
    if (known !== undefined) return known;
    report('undeclared', at, name, name);
    return unknownType;
  }

  function declaredType(name: string): GoType {
    const type = file.types.get(name);
    if (type !== undefined) {
      if (type.parameters.length > 0) return { kind: 'type', of: unknownType };
      if (type.alias)
        return {
          kind: 'type',
          of: once(`type ${name}`, () => readType(type.type, undefined, universeHidden)),
        };
      return { kind: 'type', of: { kind: 'named', name, file, declaration: type, local: undefined } };
    }
    const found = file.functions.get(name);
    if (found !== undefined) return once(name, () => functionShape(found));
    const value = file.values.get(name);
    if (value === undefined) return unknownType;
    return once(name, () => valueType(value.declaration, value.index));
  }

  function once(key: string, make: () => GoType): GoType {
    if (underWay.has(key) || (underWay.size > deepestValue && !values.has(key))) return unknownType;
    return values.find(key, () => {
      underWay.add(key);
      const made = make();
      underWay.delete(key);
      return made;
    });
  }

  function functionShape(found: FunctionDeclaration): FunctionShape {
    const names = new Set(found.parameters.map((parameter) => parameter.name));
    const shape = signature(found.type, undefined, (name) => (names.has(name) ? unknownType : undefined));
    if (names.size === 0) return shape;
    return { ...shape, generic: { names: found.parameters, type: found.type, reader: parts.typerOf(file) } };
  }

  function valueType(declaration: ValueDeclaration, index: number): GoType {
    if (declaration.type !== undefined) return readType(declaration.type, undefined, universeHidden);
    const silent = parts.typerOf(file);
    const [only] = declaration.values;
    if (declaration.values.length === 1 && declaration.names.length > 1 && only !== undefined) {
      const all = silent.typeOf(only, undefined);
      return all.kind === 'results' ? (all.of[index] ?? unknownType) : unknownType;
    }
    const value = declaration.values[index];
    if (value === undefined) return unknownType;
    const type = silent.typeOf(value, undefined);
    return declaration.constant ? type : defaultType(type);
  }

  function signature(type: FunctionType, scope: Scope | undefined, local: LocalTypes): FunctionShape {
    return {
      kind: 'func',
      parameters: type.parameters.map((one) => readType(one.type, scope, local)),
      results: type.results.map((one) => readType(one.type, scope, local)),
      variadic: type.variadic,
    };
  }

  function localTypes(scope: Scope | undefined, local: LocalTypes): LocalTypes | undefined {
    if (scope === undefined) return local === universeHidden ? undefined : local;
    return (name) => {
      const found = findLocal(scope, name)?.type;
      if (found === undefined) return local(name);
      return found.kind === 'type' ? found.of : unknownType;
    };
  }

  /** The type that an expression stands for; unknown where it is no type. */
  function readType(expression: Expression, scope: Scope | undefined, local: LocalTypes): GoType {
    switch (expression.kind) {
      case 'name': {
        const found = nameType(expression.name, expression.at, scope, local);
        return found.kind === 'type' ? found.of : unknownType;
      }
      case 'selector': {
        const found = typeOf(expression, scope, undefined, local);
        return found.kind === 'type' ? found.of : unknownType;
      }
      case 'star':
        return { kind: 'pointer', of: readType(expression.of, scope, local) };
      case 'slice-type':
        return { kind: 'slice', of: readType(expression.of, scope, local) };
      case 'array-type':
        if (judges && expression.length !== undefined) typeOf(expression.length, scope, undefined, local);
        return { kind: 'array', of: readType(expression.of, scope, local) };
      case 'map-type':
        return {
          kind: 'map',
          key: readType(expression.key, scope, local),
          of: readType(expression.of, scope, local),
        };
      case 'chan-type':
        return { kind: 'chan', of: readType(expression.of, scope, local) };
      case 'func':
        return signature(expression, scope, local);
      case 'struct':
        if (judges) for (const field of expression.fields) readType(field.type, scope, local);
        return { kind: 'struct', syntax: expression, file, local: localTypes(scope, local) };
      case 'interface':
        if (judges) {
          for (const method of expression.methods) signature(method.type, scope, local);
          for (const embedded of expression.embedded) readType(embedded, scope, local);
        }
        return { kind: 'interface', syntax: expression, file, local: localTypes(scope, local) };
      case 'index':
        if (judges) {
          readType(expression.of, scope, local);
          for (const index of expression.indices) readType(index, scope, local);
        }
        return unknownType;
      case 'binary':
        if (judges) {
          readType(expression.left, scope, local);
          readType(expression.right, scope, local);
        }
        return unknownType;
      default:
        return unknownType;
    }
  }

  function typeOf(
    expression: Expression,
    scope: Scope | undefined,
    hint?: GoType,
    local: LocalTypes = universeHidden,
  ): GoType {
    const of = (inner: Expression): GoType => single(typeOf(inner, scope, undefined, local));
    switch (expression.kind) {
      case 'name':
        return nameType(expression.name, expression.at, scope, local);
      case 'literal':
        return { kind: 'untyped', name: expression.literal };
      case 'composite':
        return composite(expression, scope, hint, local);
      case 'function': {
        const shape = signature(expression.type, scope, local);
        parts.enterFunction(expression, shape, scope);
        return shape;
      }
      case 'selector':
        return selector(expression, of(expression.of));
      case 'index':
        return index(expression, scope, local);
      case 'slice': {
        const base = of(expression.of);
        if (judges) for (const part of expression.parts) of(part);
        const under = rules.underlying(base);
        if (under.kind === 'array') return { kind: 'slice', of: under.of };
        if (base.kind === 'untyped') return defaultType(base);
        return under.kind === 'slice' || under.kind === 'basic' ? base : unknownType;
      }
      case 'assertion':
        if (judges) of(expression.of);
        return expression.type === undefined ? unknownType : readType(expression.type, scope, local);
      case 'call':
        return call(expression, scope, local);
      case 'star': {
        const base = of(expression.of);
        if (base.kind === 'type') return { kind: 'type', of: { kind: 'pointer', of: base.of } };
        const under = rules.underlying(base);
        return under.kind === 'pointer' ? under.of : unknownType;
      }
      case 'unary': {
        const base = single(typeOf(expression.of, scope, addressedHint(expression.operator, hint), local));
        if (expression.operator === '&') return { kind: 'pointer', of: base };
        if (expression.operator !== '<-') return base;
        const under = rules.underlying(base);
        return under.kind === 'chan' ? under.of : unknownType;
      }
      case 'binary':
        return binary(expression, of(expression.left), of(expression.right));
      default:
        return { kind: 'type', of: readType(expression, scope, local) };
    }
  }

  function addressedHint(operator: string, hint: GoType | undefined): GoType | undefined {
    return operator === '&' && hint?.kind === 'pointer' ? hint.of : undefined;
  }

  /** A call that gives one result is that result. */
  function single(type: GoType): GoType {
    if (type.kind !== 'results') return type;
    return type.of.length === 1 ? (type.of[0] ?? unknownType) : unknownType;
  }

  function selector(expression: Extract<Expression, { kind: 'selector' }>, base: GoType): GoType {
    const { name, at } = expression;
    if (base.kind === 'package') {
      if (base.folder === undefined) return unknownType;
      const home = world.declaring(base.folder, name);
      if (home === 'unknown') return unknownType;
      if (home !== undefined) return parts.typerOf(home).declaredType(name);
      report(
        'undeclared',
        at,
        name,
        `${expression.of.kind === 'name' ? expression.of.name : base.path}.${name}`,
      );
      return unknownType;
    }
    if (base.kind === 'type' || base.kind === 'untyped' || base.kind === 'results') return unknownType;
    const found = rules.member(base, name);
    if (found !== undefined) return found;
    report('no-member', at, name, `${describeType(base)} has no field or method ${name}`);
    return unknownType;
  }

  function index(
    expression: Extract<Expression, { kind: 'index' }>,
    scope: Scope | undefined,
    local: LocalTypes,
  ): GoType {
    const base = single(typeOf(expression.of, scope, undefined, local));
    for (const one of judges ? expression.indices : []) {
      const type = single(typeOf(one, scope, undefined, local));
      const under = rules.underlying(base);
      if (under.kind === 'map') expectAssignable(type, under.key, expression.at, 'a key');
    }
    if (base.kind === 'type') return { kind: 'type', of: unknownType };
    // Somebody tells its type parameters, or some of them.
    if (base.kind === 'func') return withoutGeneric(base);
    const under = rules.underlying(base);
    const list = under.kind === 'pointer' ? rules.underlying(under.of) : under;
    if (list.kind === 'map' || list.kind === 'slice' || list.kind === 'array') return list.of;
    return unknownType;
  }

  function call(
    expression: Extract<Expression, { kind: 'call' }>,
    scope: Scope | undefined,
    local: LocalTypes,
  ): GoType {
    const callee = single(typeOf(expression.callee, scope, undefined, local));
    const given = judges ? expression.arguments : [];
    if (callee.kind === 'builtin') return builtin(callee.name, expression, scope, local);
    const under = rules.underlying(callee);
    if (callee.kind === 'type' || under.kind !== 'func') {
      for (const one of given) typeOf(one, scope, undefined, local);
      return callee.kind === 'type' ? callee.of : unknownType;
    }
    const types = given.map((one) => typeOf(one, scope, undefined, local));
    const [first] = types;
    const passed =
      types.length === 1 && first?.kind === 'results' && first.of.length !== 1 ? first.of : types.map(single);
    const shape =
      judges && under.generic !== undefined
        ? inferShape(under.generic, passed, expression.spread, rules)
        : under;
    if (judges) checkArguments(expression, shape, passed, given);
    return shape.results.length === 1
      ? (shape.results[0] ?? unknownType)
      : { kind: 'results', of: shape.results };
  }

  function checkArguments(
    expression: Extract<Expression, { kind: 'call' }>,
    shape: FunctionShape,
    passed: readonly GoType[],
    given: readonly Expression[],
  ): void {
    const name = calleeName(expression.callee);
    const { parameters, variadic } = shape;
    const fits =
      variadic && !expression.spread
        ? passed.length >= parameters.length - 1
        : passed.length === parameters.length;
    if (!fits) {
      report(
        'counts-differ',
        expression.at,
        lastPart(name),
        `${name} takes ${parameters.length}${variadic ? ' or more' : ''} arguments, not ${passed.length}`,
      );
      return;
    }
    for (const [at, type] of passed.entries()) {
      const rest = variadic && at >= parameters.length - 1;
      const parameter = rest ? parameters.at(-1) : parameters[at];
      if (parameter === undefined) continue;
      const wanted: GoType = rest && expression.spread ? { kind: 'slice', of: parameter } : parameter;
      expectAssignable(type, wanted, startOf(given[at]) ?? expression.at, `argument ${at + 1} of ${name}`);
    }
  }

  function builtin(
    name: string,
    expression: Extract<Expression, { kind: 'call' }>,
    scope: Scope | undefined,
    local: LocalTypes,
  ): GoType {
    const [first, ...rest] = expression.arguments;
    const type = first === undefined ? unknownType : single(typeOf(first, scope, undefined, local));
    const others = (judges ? rest : []).map((one) => single(typeOf(one, scope, undefined, local)));
    if (name === 'make') return type.kind === 'type' ? type.of : unknownType;
    if (name === 'new') return { kind: 'pointer', of: type.kind === 'type' ? type.of : defaultType(type) };
    if (name === 'len' || name === 'cap' || name === 'copy') return { kind: 'basic', name: 'int' };
    if (name === 'append') {
      const list = rules.underlying(type);
      if (list.kind === 'slice' && !expression.spread)
        for (const [at, one] of others.entries())
          expectAssignable(one, list.of, startOf(rest[at]) ?? expression.at, 'an element');
      return type;
    }
    if (name === 'recover' || name === 'min' || name === 'max') return unknownType;
    return ['real', 'imag', 'complex'].includes(name) ? unknownType : { kind: 'results', of: [] };
  }

  function composite(
    expression: Composite,
    scope: Scope | undefined,
    hint: GoType | undefined,
    local: LocalTypes,
  ): GoType {
    const stated = expression.type === undefined ? undefined : readType(expression.type, scope, local);
    const whole = stated ?? hint ?? unknownType;
    if (!judges) return whole;
    const type = stated === undefined && whole.kind === 'pointer' ? whole.of : whole;
    const under = rules.underlying(type);
    if (under.kind === 'struct') structLiteral(expression, type, scope, local);
    else {
      const element =
        under.kind === 'slice' || under.kind === 'array' || under.kind === 'map' ? under.of : unknownType;
      const keyHint = under.kind === 'map' ? under.key : undefined;
      for (const { key, value } of expression.elements) {
        if (key !== undefined && under.kind === 'map')
          expectAssignable(
            single(typeOf(key, scope, keyHint, local)),
            under.key,
            startOf(key) ?? expression.at,
            'a key',
          );
        // What is unknown may be a struct, and the key its field.
        else if (key !== undefined && !(under.kind === 'unknown' && key.kind === 'name'))
          typeOf(key, scope, undefined, local);
        else if (key?.kind === 'name') useQuietly(key.name, scope);
        const made = single(typeOf(value, scope, element, local));
        expectAssignable(made, element, startOf(value) ?? expression.at, 'an element');
      }
    }
    return whole;
  }

  function useQuietly(name: string, scope: Scope | undefined): void {
    const own = findLocal(scope, name);
    if (own !== undefined) own.used = true;
  }

  function structLiteral(
    expression: Composite,
    type: GoType,
    scope: Scope | undefined,
    local: LocalTypes,
  ): void {
    const under = rules.underlying(type);
    if (under.kind !== 'struct') return;
    const reader = parts.typerOf(under.file);
    for (const [at, { key, value }] of expression.elements.entries()) {
      const field =
        key === undefined
          ? under.syntax.fields[at]
          : under.syntax.fields.find((one) => key.kind === 'name' && one.name === key.name);
      if (field === undefined && key?.kind === 'name' && !world.mayLack(under.file.folder))
        report('no-member', key.at, key.name, `${describeType(type)} has no field ${key.name}`);
      const wanted = field === undefined ? unknownType : reader.type(field.type, under.local);
      const made = single(typeOf(value, scope, wanted, local));
      expectAssignable(made, wanted, startOf(value) ?? expression.at, `field ${field?.name ?? '?'}`);
    }
  }

  function binary(expression: Extract<Expression, { kind: 'binary' }>, left: GoType, right: GoType): GoType {
    const { operator, at } = expression;
    if (operator === '<<' || operator === '>>') return left.kind === 'untyped' ? unknownType : left;
    if (!agree(left, right))
      report('types-differ', at, operator, `${describeType(left)} ${operator} ${describeType(right)}`);
    if (['==', '!=', '<', '<=', '>', '>=', '&&', '||'].includes(operator))
      return operator === '&&' || operator === '||'
        ? left.kind === 'untyped'
          ? right
          : left
        : { kind: 'untyped', name: 'bool' };
    if (left.kind === 'unknown' || right.kind === 'unknown')
      return [left, right].find(({ kind }) => kind !== 'unknown' && kind !== 'untyped') ?? unknownType;
    if (left.kind !== 'untyped') return left;
    if (right.kind !== 'untyped') return right;
    const order = ['int', 'rune', 'float', 'complex'];
    return order.indexOf(left.name) >= order.indexOf(right.name) ? left : right;
  }

  function agree(left: GoType, right: GoType): boolean {
    if (left.kind === 'untyped') return right.kind === 'untyped' || rules.isAssignable(left, right);
    if (right.kind === 'untyped') return rules.isAssignable(right, left);
    return rules.isAssignable(left, right) || rules.isAssignable(right, left);
  }

  function expectAssignable(from: GoType, to: GoType, at: number, where: string): void {
    if (from.kind === 'results' || rules.isAssignable(from, to)) return;
    const under = rules.underlying(to);
    if (under.kind !== 'interface' && under.kind !== 'error') {
      report(
        'types-differ',
        at,
        lastPart(where),
        `${where} is ${describeType(from)}, not ${describeType(to)}`,
      );
      return;
    }
    const missing = rules.missingMethod(from, to);
    report(
      'not-implemented',
      at,
      missing?.name ?? '',
      `${describeType(from)} is no ${describeType(to)}: ` +
        (missing?.differs === true
          ? `its method ${missing.name} is another`
          : `it has no method ${missing?.name ?? '?'}`),
    );
  }

  function valuesOf(
    given: readonly Expression[],
    places: number,
    scope: Scope | undefined,
    at: number,
    what: string,
  ): readonly GoType[] {
    const [only] = given;
    if (given.length === 1 && places > 1 && only !== undefined) {
      const type = typeOf(only, scope);
      if (type.kind === 'results' && type.of.length === places) return type.of;
      const pairs = places === 2 && ['index', 'assertion', 'unary'].includes(only.kind);
      const fixed = type.kind !== 'unknown' && (type.kind === 'results' || only.kind !== 'name');
      if (pairs && type.kind !== 'results') return [type, { kind: 'untyped', name: 'bool' }];
      if (fixed && type.kind !== 'type' && type.kind !== 'results') {
        report('counts-differ', at, what, `${what}: ${places} wanted, 1 given`);
        return [];
      }
      if (fixed && type.kind !== 'type')
        report(
          'counts-differ',
          at,
          calledName(only),
          countText(only, type.kind === 'results' ? type.of.length : 1, places),
        );
      return [];
    }
    if (given.length !== places) {
      for (const one of given) typeOf(one, scope);
      report('counts-differ', at, what, `${what}: ${places} wanted, ${given.length} given`);
      return [];
    }
    return given.map((one) => {
      const type = typeOf(one, scope);
      if (type.kind !== 'results') return type;
      report('counts-differ', at, calledName(one), countText(one, type.of.length, 1));
      return unknownType;
    });
  }

  function countText(of: Expression, count: number, places: number): string {
    const name = of.kind === 'call' ? calleeName(of.callee) : 'this';
    return `${name} gives ${count} results, not ${places}`;
  }

  return {
    type: (expression, local) => readType(expression, undefined, local ?? universeHidden),
    signature: (type, local) => signature(type, undefined, local ?? universeHidden),
    typeOf,
    valuesOf,
    expectAssignable,
    declaredType,
    typeInScope: (expression, scope) => readType(expression, scope, universeHidden),
    signatureInScope: (type, scope) => signature(type, scope, universeHidden),
  };
}

function withoutGeneric({ kind, parameters, results, variadic }: FunctionShape): FunctionShape {
  return { kind, parameters, results, variadic };
}

function calledName(of: Expression): string {
  return of.kind === 'call' ? lastPart(calleeName(of.callee)) : '';
}

function lastPart(name: string): string {
  return name.slice(Math.max(name.lastIndexOf('.'), name.lastIndexOf(' ')) + 1);
}

function calleeName(callee: Expression): string {
  if (callee.kind === 'name') return callee.name;
  if (callee.kind === 'selector')
    return callee.of.kind === 'name' ? `${callee.of.name}.${callee.name}` : callee.name;
  return 'the function';
}

function startOf(expression: Expression | undefined): number | undefined {
  if (expression === undefined) return undefined;
  return 'of' in expression && typeof expression.of === 'object' && expression.kind !== 'star'
    ? (startOf(expression.of as Expression) ?? expression.at)
    : expression.at;
}
