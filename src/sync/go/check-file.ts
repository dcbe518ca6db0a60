// Looks through one Go file as a compiler would, against the packages that it stands among.
import { codeOnly } from '../rewrite/go/scan-go.ts';
import { createAnswers } from './answers.ts';
import { defaultType, type FunctionShape, type GoType, unknownType } from './go-type.ts';
import type { GoWorld } from './go-world.ts';
import type { GoDeclarations } from './read-declarations.ts';
import { innerScope, type Local, type Scope } from './scope.ts';
import type {
  Clause,
  Declaration,
  Expression,
  FunctionDeclaration,
  ImportDeclaration,
  Name,
  Parameter,
  Span,
  Statement,
  TypeDeclaration,
  ValueDeclaration,
} from './syntax.ts';
import { createTyper, type Typer } from './type-expressions.ts';
import type { FaultKind, TypeFault } from './type-fault.ts';
import { createTypeRules, type TypeRules } from './type-rules.ts';

/** A file, with those of its declarations that are looked at. */
export interface LookedAt {
  readonly file: GoDeclarations;
  readonly text: string;
  /** With what is in their functions. */
  readonly declarations: readonly Declaration[];
  /** Where the others stand: they may use what is imported. */
  readonly others: readonly Span[];
}

export interface GoChecker {
  readonly rules: TypeRules;
  typerOf(file: GoDeclarations): Typer;
  /**
   * What is wrong in the declarations that are looked at, as far as files are read by the time it is asked; nothing where
   * the file's imports hide names.
   */
  look(at: LookedAt): () => readonly TypeFault[];
}

export function createGoChecker(world: GoWorld): GoChecker {
  const silent = new Map<GoDeclarations, Typer>();
  const typerOf = (file: GoDeclarations): Typer => {
    const known = silent.get(file);
    if (known !== undefined) return known;
    const made = createTyper({
      world,
      file,
      rules,
      typerOf,
      report: () => {},
      judges: false,
      useImport: () => {},
      enterFunction: () => {},
    });
    silent.set(file, made);
    return made;
  };
  const rules: TypeRules = createTypeRules(world, typerOf);
  return {
    rules,
    typerOf,
    look: (at) => lookAt({ world, rules, typerOf }, at),
  };
}

function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** Names that stand before a dot in the code of a declaration. */
function qualifiersIn(source: string): ReadonlySet<string> {
  const matches = codeOnly(source).matchAll(/(?<![\w.])([A-Za-z_]\w*)\./g);
  return new Set(Array.from(matches, (match) => match[1] ?? ''));
}

const mostTried = 8;

/** Whether a name stands before a dot where nothing can be a string or a comment: true for most that are used at all. */
function isPlainly(source: string, name: string): boolean {
  const wanted = `${name}.`;
  if (source.includes('`') || source.includes('/*')) return false;
  let at = source.indexOf(wanted);
  for (let tried = 0; at >= 0 && tried < mostTried; tried += 1) {
    const line = source.slice(source.lastIndexOf('\n', at) + 1, at);
    if (!/[\w.]$|["']|\/\//.test(line)) return true;
    at = source.indexOf(wanted, at + 1);
  }
  return false;
}

interface Parts {
  readonly world: GoWorld;
  readonly rules: TypeRules;
  readonly typerOf: (file: GoDeclarations) => Typer;
}

/** What is found in a declaration; nothing more can be once no file is missing. */
interface Seen {
  readonly faults: readonly TypeFault[];
  readonly used: ReadonlySet<ImportDeclaration>;
}

function lookAt(parts: Parts, { file, text, declarations, others }: LookedAt): () => readonly TypeFault[] {
  if (file.imports.some(({ alias }) => alias === '.')) return () => [];
  const { progress } = parts.world;
  let faults: TypeFault[] = [];
  let used = new Set<ImportDeclaration>();
  const seen = createAnswers<Declaration, Seen>(progress);
  const report = (kind: FaultKind, at: number, name: string, text: string): void =>
    void faults.push({ kind, at, name, text });
  const typer = createTyper({
    ...parts,
    file,
    report,
    judges: true,
    useImport: (spec) => used.add(spec),
    enterFunction: (literal, shape, scope) =>
      enter(literal.type.parameters, literal.type.results, shape, literal.body, scope),
  });
  const { rules } = parts;
  const unseen = once(() =>
    others.map((span) => {
      const source = text.slice(span.from, span.to);
      return { text: source, qualifiers: once(() => qualifiersIn(source)) };
    }),
  );

  return () => {
    const found = declarations.map((one) => seen.find(one, () => see(one)));
    return [
      ...file.repeated.map(({ name, at }) => ({ kind: 'declared-twice' as const, at, name, text: name })),
      ...found.flatMap((one) => one.faults),
      ...file.imports.filter((spec) => !found.some((one) => one.used.has(spec))).flatMap(unusedImport),
    ];
  };

  function see(one: Declaration): Seen {
    faults = [];
    used = new Set();
    if (one.kind === 'function') checkFunction(one);
    else if (one.kind === 'type') checkType(one);
    else packageValues(one);
    return { faults, used };
  }

  function unusedImport(spec: ImportDeclaration): readonly TypeFault[] {
    const { alias, path, at } = spec;
    if (alias === '_' || path === 'C' || isNamed(spec)) return [];
    const name = path.slice(path.lastIndexOf('/') + 1);
    return [{ kind: 'unused', at, name, text: `the import ${path} is not used` }];
  }

  /** Whether code that was not looked at may use an import. */
  function isNamed(spec: ImportDeclaration): boolean {
    const { name, guessed } = parts.world.importName(spec);
    if (unseen().some((one) => isPlainly(one.text, name))) return true;
    if (unseen().some((one) => one.text.includes(`${name}.`) && one.qualifiers().has(name))) return true;
    if (!guessed) return false;
    const isMeant = (qualifier: string): boolean =>
      parts.world.importCalled(file.imports, qualifier) === spec;
    return unseen().some((one) => [...one.qualifiers()].some(isMeant));
  }

  function checkType(one: TypeDeclaration): void {
    const names = new Set(one.parameters.map(({ name }) => name));
    const local = (name: string): GoType | undefined => (names.has(name) ? unknownType : undefined);
    for (const { type } of one.parameters) typer.type(type, local);
    typer.type(one.type, local);
    const fields = one.type.kind === 'struct' ? one.type.fields : [];
    const methods = one.type.kind === 'interface' ? one.type.methods : [];
    reportTwice(
      [...fields, ...methods].map(({ name, at }) => ({ name, at })),
      `${one.name}.`,
    );
  }

  function reportTwice(
    names: readonly { readonly name: string | undefined; readonly at: number }[],
    before: string,
  ): void {
    const seen = new Set<string>();
    for (const { name, at } of names) {
      if (name === undefined || name === '_') continue;
      if (seen.has(name)) report('declared-twice', at, name, before + name);
      seen.add(name);
    }
  }

  function packageValues(one: ValueDeclaration): void {
    const type = one.type === undefined ? undefined : typer.type(one.type);
    values(one, type, undefined);
  }

  function values(
    one: ValueDeclaration,
    type: GoType | undefined,
    scope: Scope | undefined,
  ): readonly GoType[] {
    if (one.values.length === 0) return [];
    // Constants that repeat the line above have as many.
    const given =
      type === undefined || one.values.length !== one.names.length
        ? typer.valuesOf(one.values, one.names.length, scope, one.names[0]?.at ?? 0, 'declaration')
        : one.values.map((value) => typer.typeOf(value, scope, type));
    if (type !== undefined)
      for (const [at, from] of given.entries())
        typer.expectAssignable(from, type, one.names[at]?.at ?? 0, one.names[at]?.name ?? '');
    return given;
  }

  function checkFunction(one: FunctionDeclaration): void {
    const names = new Set([...one.parameters.map(({ name }) => name), ...(one.receiver?.parameters ?? [])]);
    const outer: Scope = { outer: undefined, names: new Map(), results: [], namedResults: false };
    for (const name of names)
      if (name !== undefined) declare(outer, name, { kind: 'type', of: unknownType }, one.at, false);
    for (const { type } of one.parameters) typer.typeInScope(type, outer);
    if (one.receiver?.name !== undefined) {
      const found = parts.world.declaring(file.folder, one.receiver.type);
      const type =
        found === undefined || found === 'unknown'
          ? unknownType
          : parts.typerOf(found).declaredType(one.receiver.type);
      const of = type.kind === 'type' ? type.of : unknownType;
      declare(outer, one.receiver.name, one.receiver.pointer ? { kind: 'pointer', of } : of, one.at, false);
    }
    const shape = typer.signatureInScope(one.type, outer);
    enter(one.type.parameters, one.type.results, shape, one.body ?? [], outer);
  }

  function enter(
    parameters: readonly Parameter[],
    results: readonly Parameter[],
    shape: FunctionShape,
    body: readonly Statement[],
    outer: Scope | undefined,
  ): void {
    const scope: Scope = {
      outer,
      names: new Map(),
      results: shape.results,
      namedResults: results.some(({ name }) => name !== undefined),
    };
    for (const [at, { name, at: place }] of parameters.entries()) {
      const type = shape.parameters[at] ?? unknownType;
      const last = shape.variadic && at === parameters.length - 1;
      if (name !== undefined) declare(scope, name, last ? { kind: 'slice', of: type } : type, place, false);
    }
    for (const [at, { name, at: place }] of results.entries())
      if (name !== undefined) declare(scope, name, shape.results[at] ?? unknownType, place, false);
    block(body, scope);
  }

  function declare(scope: Scope, name: string, type: GoType, at: number, variable: boolean): void {
    if (name !== '_') scope.names.set(name, { name, type, at, variable, used: false });
  }

  function block(body: readonly Statement[], scope: Scope): void {
    for (const one of body) statement(one, scope);
    reportUnused(scope.names.values());
  }

  function reportUnused(locals: Iterable<Local>): void {
    for (const { name, at, variable, used: isUsed } of locals)
      if (variable && !isUsed) report('unused', at, name, `${name} is not used`);
  }

  function inner(body: readonly Statement[], scope: Scope): void {
    block(body, innerScope(scope));
  }

  function statement(one: Statement, scope: Scope): void {
    switch (one.kind) {
      case 'expression':
      case 'step':
      case 'call':
        typer.typeOf(one.of, scope);
        break;
      case 'send':
        typer.typeOf(one.channel, scope);
        typer.typeOf(one.value, scope);
        break;
      case 'assign':
        if (one.operator === ':=') define(one, scope);
        else assign(one, scope);
        break;
      case 'range':
        rangeOver(one, scope);
        break;
      case 'return':
        returnFrom(one, scope);
        break;
      case 'block':
        inner(one.body, scope);
        break;
      case 'if': {
        const head = innerScope(scope);
        if (one.before !== undefined) statement(one.before, head);
        typer.typeOf(one.condition, head);
        inner(one.then, head);
        if (one.otherwise !== undefined) statement(one.otherwise, head);
        reportUnused(head.names.values());
        break;
      }
      case 'switch': {
        const head = innerScope(scope);
        if (one.before !== undefined) statement(one.before, head);
        if (one.tag !== undefined) typer.typeOf(one.tag, head);
        for (const clause of one.clauses) {
          for (const value of clause.cases ?? []) typer.typeOf(value, head);
          inner(clause.body, head);
        }
        reportUnused(head.names.values());
        break;
      }
      case 'type-switch':
        typeSwitch(one, scope);
        break;
      case 'select':
        for (const clause of one.clauses) {
          const head = innerScope(scope);
          if (clause.communication !== undefined) statement(clause.communication, head);
          inner(clause.body, head);
          reportUnused(head.names.values());
        }
        break;
      case 'for': {
        const head = innerScope(scope);
        if (one.before !== undefined) statement(one.before, head);
        if (one.condition !== undefined) typer.typeOf(one.condition, head);
        if (one.after !== undefined) statement(one.after, head);
        inner(one.body, head);
        reportUnused(head.names.values());
        break;
      }
      case 'declare':
        for (const declaration of one.declarations) declareLocally(declaration, scope);
        break;
      case 'nothing':
        break;
    }
  }

  function define(one: Extract<Statement, { kind: 'assign' }>, scope: Scope): void {
    const given = typer.valuesOf(one.right, one.left.length, scope, one.at, 'assignment');
    const names = one.left.filter((left): left is Name => left.kind === 'name');
    const fresh = names.filter(({ name }) => name !== '_' && !scope.names.has(name));
    if (fresh.length === 0)
      report(
        'declared-twice',
        one.at,
        names[0]?.name ?? '',
        `no new variable: ${names.map(({ name }) => name).join(', ')}`,
      );
    for (const [at, left] of one.left.entries()) {
      if (left.kind !== 'name' || left.name === '_') continue;
      const type = given[at] ?? unknownType;
      const known = scope.names.get(left.name);
      if (known === undefined) declare(scope, left.name, defaultType(type), left.at, true);
      else typer.expectAssignable(type, known.type, left.at, left.name);
    }
  }

  function assign(one: Extract<Statement, { kind: 'assign' }>, scope: Scope): void {
    if (one.operator !== '=') {
      for (const side of [...one.left, ...one.right]) typer.typeOf(side, scope);
      return;
    }
    const places = one.left.map((left) => placeOf(left, scope));
    const given = typer.valuesOf(one.right, one.left.length, scope, one.at, 'assignment');
    for (const [at, place] of places.entries()) {
      const left = one.left[at];
      const from = given[at];
      if (place === undefined || left === undefined || from === undefined) continue;
      typer.expectAssignable(from, place, left.at, placeName(left));
    }
  }

  /** What is only given a value is not used by that. */
  function placeOf(left: Expression, scope: Scope): GoType | undefined {
    if (left.kind !== 'name') return typer.typeOf(left, scope);
    if (left.name === '_') return undefined;
    const before = localNamed(scope, left.name);
    const wasUsed = before?.used ?? true;
    const type = typer.typeOf(left, scope);
    if (before !== undefined) before.used = wasUsed;
    return type;
  }

  function localNamed(scope: Scope | undefined, name: string): Local | undefined {
    for (let at = scope; at !== undefined; at = at.outer) {
      const found = at.names.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  function rangeOver(one: Extract<Statement, { kind: 'range' }>, scope: Scope): void {
    const over = rules.underlying(typer.typeOf(one.over, scope));
    const head = innerScope(scope);
    const given = rangeTypes(over);
    for (const [at, left] of one.left.entries()) {
      if (!one.defines) placeOf(left, scope);
      else if (left.kind === 'name') declare(head, left.name, given[at] ?? unknownType, left.at, true);
    }
    inner(one.body, head);
    reportUnused(head.names.values());
  }

  function rangeTypes(over: GoType): readonly GoType[] {
    const whole: GoType = { kind: 'basic', name: 'int' };
    const list = over.kind === 'pointer' ? rules.underlying(over.of) : over;
    if (list.kind === 'slice' || list.kind === 'array') return [whole, list.of];
    if (list.kind === 'map') return [list.key, list.of];
    if (list.kind === 'chan') return [list.of];
    return [];
  }

  function returnFrom(one: Extract<Statement, { kind: 'return' }>, scope: Scope): void {
    const { results, namedResults } = scope;
    if (one.values.length === 0) {
      if (results.length > 0 && !namedResults)
        report('counts-differ', one.at, 'return', `return: ${results.length} wanted, none given`);
      return;
    }
    if (results.length === 0) {
      for (const value of one.values) typer.typeOf(value, scope);
      report('counts-differ', one.at, 'return', `return: none wanted, ${one.values.length} given`);
      return;
    }
    const given = typer.valuesOf(one.values, results.length, scope, one.at, 'return');
    for (const [at, type] of given.entries())
      typer.expectAssignable(type, results[at] ?? unknownType, one.at, 'a result');
  }

  function typeSwitch(one: Extract<Statement, { kind: 'type-switch' }>, scope: Scope): void {
    const head = innerScope(scope);
    if (one.before !== undefined) statement(one.before, head);
    const whole = typer.typeOf(one.of, head);
    let isUsed = false;
    for (const clause of one.clauses) {
      const types = (clause.cases ?? []).map((value) => caseType(value, head));
      const body = innerScope(head);
      const [first] = types;
      if (one.bound !== undefined)
        declare(
          body,
          one.bound.name,
          types.length === 1 && first !== undefined ? first : whole,
          one.bound.at,
          false,
        );
      block(clause.body, body);
      if (one.bound !== undefined && body.names.get(one.bound.name)?.used === true) isUsed = true;
    }
    if (one.bound !== undefined && one.bound.name !== '_' && !isUsed && hasBodies(one.clauses))
      report('unused', one.bound.at, one.bound.name, `${one.bound.name} is not used`);
    reportUnused(head.names.values());
  }

  function hasBodies(clauses: readonly Clause[]): boolean {
    return clauses.length > 0;
  }

  function caseType(value: Expression, scope: Scope): GoType {
    const type = typer.typeOf(value, scope);
    return type.kind === 'type' ? type.of : unknownType;
  }

  function declareLocally(one: ValueDeclaration | TypeDeclaration, scope: Scope): void {
    if (one.kind === 'type') {
      const local: Local = {
        name: one.name,
        type: { kind: 'type', of: unknownType },
        at: one.at,
        variable: false,
        used: false,
      };
      scope.names.set(one.name, local);
      const of = one.parameters.length > 0 ? unknownType : typer.typeInScope(one.type, scope);
      if (one.parameters.length > 0) return;
      local.type = {
        kind: 'type',
        of: one.alias ? of : { kind: 'named', name: one.name, file, declaration: one, local: of },
      };
      return;
    }
    const type = one.type === undefined ? undefined : typer.typeInScope(one.type, scope);
    const given = values(one, type, scope);
    for (const [at, { name, at: place }] of one.names.entries()) {
      if (scope.names.has(name)) report('declared-twice', place, name, name);
      const own = type ?? given[at] ?? unknownType;
      declare(scope, name, one.constant ? own : defaultType(own), place, !one.constant);
    }
  }
}

function placeName(left: Expression): string {
  if (left.kind === 'name') return left.name;
  return left.kind === 'selector' ? left.name : 'an element';
}
