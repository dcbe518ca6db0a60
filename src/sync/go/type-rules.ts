// Members, identity and assignment of Go types; each answer is given only where it is certain.
import { type Answers, createAnswers } from './answers.ts';
import { basicType, type FunctionShape, type GoType, type NamedType, unknownType } from './go-type.ts';
import type { GoWorld } from './go-world.ts';
import type { GoDeclarations } from './read-declarations.ts';
import type { Expression, FunctionDeclaration, FunctionType } from './syntax.ts';

/** Reads type expressions of a file; other files' are read without a word about what is wrong in them. */
export interface TypeReader {
  type(expression: Expression, local?: (name: string) => GoType | undefined): GoType;
  signature(type: FunctionType, local?: (name: string) => GoType | undefined): FunctionShape;
}

export interface MissingMethod {
  readonly name: string;
  /** It is there, and is another one. */
  readonly differs: boolean;
}

export interface TypeRules {
  underlying(type: GoType): GoType;
  /** The type of a field, or of a method as a function; undefined where there certainly is none. */
  member(type: GoType, name: string): GoType | undefined;
  /** The methods that an interface asks for, as far as they are known. */
  methodNames(type: GoType): readonly string[];
  /** The first method that keeps a type from being an interface, with why. */
  missingMethod(type: GoType, wanted: GoType): MissingMethod | undefined;
  /** False only where no compiler would take it. */
  isAssignable(from: GoType, to: GoType): boolean;
  isIdentical(left: GoType, right: GoType): boolean;
  methodOf(file: GoDeclarations, method: FunctionDeclaration): FunctionShape;
}

const errorMethod: FunctionShape = {
  kind: 'func',
  parameters: [],
  results: [basicType('string')],
  variadic: false,
};
const deepest = 12;

/** What is the same for one type wherever it stands; a type of a function's own has no such thing. */
function declarationOf(type: GoType): NamedType['declaration'] | 'error' | undefined {
  if (type.kind === 'error') return 'error';
  return type.kind === 'named' && type.local === undefined ? type.declaration : undefined;
}

/** For one tree: what it found out about types holds, once all files are read that it hangs on. */
export function createTypeRules(world: GoWorld, readerOf: (file: GoDeclarations) => TypeReader): TypeRules {
  const known = createAnswers<NamedType['declaration'], GoType>(world.progress);

  function underlying(type: GoType, depth = 0): GoType {
    if (type.kind !== 'named') return type;
    if (type.local !== undefined) return underlying(type.local, depth + 1);
    if (depth > deepest) return unknownType;
    return known.find(type.declaration, () =>
      underlying(readerOf(type.file).type(type.declaration.type), depth + 1),
    );
  }

  const shapes = createAnswers<FunctionDeclaration, FunctionShape>(world.progress);
  const methodOf = (file: GoDeclarations, method: FunctionDeclaration): FunctionShape =>
    shapes.find(method, () => readMethod(file, method));

  const readMethod = (file: GoDeclarations, method: FunctionDeclaration): FunctionShape => {
    const names = new Set([
      ...(method.receiver?.parameters ?? []),
      ...method.parameters.map((parameter) => parameter.name),
    ]);
    return readerOf(file).signature(method.type, (name) => (names.has(name) ? unknownType : undefined));
  };

  const members = new Map<unknown, Answers<string, GoType | undefined>>();

  function member(of: GoType, name: string): GoType | undefined {
    const type = of.kind === 'pointer' ? of.of : of;
    const declaration = declarationOf(type);
    if (declaration === undefined) return findMember(type, name);
    const found = members.get(declaration) ?? createAnswers<string, GoType | undefined>(world.progress);
    members.set(declaration, found);
    return found.find(name, () => findMember(type, name));
  }

  function findMember(first: GoType, name: string): GoType | undefined {
    const seen = new Set<unknown>();
    // A pointer to an interface has nothing, and people hardly write one.
    let level: readonly GoType[] = [first];
    for (let depth = 0; level.length > 0 && depth < deepest; depth += 1) {
      const next: GoType[] = [];
      let unsure = false;
      for (const type of level) {
        const found = ownMember(type, name, next, seen);
        if (found === 'unsure') unsure = true;
        else if (found !== undefined) return found;
      }
      if (unsure) return unknownType;
      level = next;
    }
    return undefined;
  }

  function ownMember(
    type: GoType,
    name: string,
    embedded: GoType[],
    seen: Set<unknown>,
  ): GoType | 'unsure' | undefined {
    if (type.kind === 'unknown') return 'unsure';
    if (type.kind === 'error') return name === 'Error' ? errorMethod : undefined;
    if (type.kind === 'named') {
      if (seen.has(type.declaration)) return undefined;
      seen.add(type.declaration);
      if (type.local === undefined) {
        const method = world.method(type.file.folder, type.name, name);
        if (method === 'unknown') return 'unsure';
        if (method !== undefined) return methodOf(method.file, method.method);
      }
    }
    const under = underlying(type);
    if (under.kind === 'unknown') return 'unsure';
    if (under.kind === 'error') return name === 'Error' ? errorMethod : undefined;
    if (under.kind === 'struct') {
      const reader = readerOf(under.file);
      for (const field of under.syntax.fields) {
        if (field.name === name) return reader.type(field.type, under.local);
        if (!field.embedded) continue;
        const inner = reader.type(field.type, under.local);
        embedded.push(inner.kind === 'pointer' ? inner.of : inner);
      }
    }
    if (under.kind === 'interface') {
      if (under.syntax.constraint) return 'unsure';
      const reader = readerOf(under.file);
      const method = under.syntax.methods.find((one) => one.name === name);
      if (method !== undefined) return reader.signature(method.type, under.local);
      for (const inner of under.syntax.embedded) embedded.push(reader.type(inner, under.local));
    }
    return undefined;
  }

  const methodSets = createAnswers<unknown, ReadonlyMap<string, FunctionShape>>(world.progress);

  /** The methods that an interface asks for, as far as they are known. */
  function methodsOf(type: GoType, depth = 0): ReadonlyMap<string, FunctionShape> {
    const declaration = declarationOf(type);
    if (declaration === undefined || depth > 0) return findMethods(type, depth);
    return methodSets.find(declaration, () => findMethods(type, 0));
  }

  function findMethods(type: GoType, depth: number): ReadonlyMap<string, FunctionShape> {
    const methods = new Map<string, FunctionShape>();
    const under = underlying(type);
    if (under.kind === 'error') return methods.set('Error', errorMethod);
    if (under.kind !== 'interface' || depth > deepest) return methods;
    const reader = readerOf(under.file);
    for (const method of under.syntax.methods)
      methods.set(method.name, reader.signature(method.type, under.local));
    for (const inner of under.syntax.embedded)
      for (const [name, shape] of methodsOf(reader.type(inner, under.local), depth + 1))
        methods.set(name, shape);
    return methods;
  }

  /** The same few types are put where an interface is wanted again and again. */
  const missing = new Map<unknown, Answers<unknown, MissingMethod | undefined>>();

  function missingMethod(type: GoType, wanted: GoType): MissingMethod | undefined {
    const [one, other] = [declarationOf(type.kind === 'pointer' ? type.of : type), declarationOf(wanted)];
    if (one === undefined || other === undefined) return findMissing(type, wanted);
    const found = missing.get(one) ?? createAnswers<unknown, MissingMethod | undefined>(world.progress);
    missing.set(one, found);
    return found.find(other, () => findMissing(type, wanted));
  }

  function findMissing(type: GoType, wanted: GoType): MissingMethod | undefined {
    for (const [name, shape] of methodsOf(wanted)) {
      const found = member(type, name);
      if (found === undefined) return { name, differs: false };
      if (!isIdentical(found, shape)) return { name, differs: true };
    }
    return undefined;
  }

  function isInterface(type: GoType): boolean {
    return type.kind === 'interface' || type.kind === 'error';
  }

  function isIdentical(left: GoType, right: GoType, depth = 0): boolean {
    if (left.kind === 'unknown' || right.kind === 'unknown' || depth > deepest) return true;
    if (left.kind === 'named' || right.kind === 'named') {
      if (left.kind !== right.kind) return false;
      return right.kind === 'named' && left.kind === 'named' && isSameName(left, right);
    }
    if (left.kind === 'basic' && right.kind === 'basic') return left.name === right.name;
    if (left.kind === 'untyped' || right.kind === 'untyped') return true;
    if (isInterface(left) && isInterface(right)) {
      const [one, two] = [methodsOf(left), methodsOf(right)];
      return left.kind === right.kind ? one.size === two.size : true;
    }
    if (left.kind !== right.kind) return false;
    if (left.kind === 'map' && right.kind === 'map')
      return isIdentical(left.key, right.key, depth + 1) && isIdentical(left.of, right.of, depth + 1);
    if (left.kind === 'func' && right.kind === 'func') return isSameShape(left, right, depth + 1);
    if (
      (left.kind === 'pointer' || left.kind === 'slice' || left.kind === 'array' || left.kind === 'chan') &&
      (right.kind === 'pointer' || right.kind === 'slice' || right.kind === 'array' || right.kind === 'chan')
    )
      return isIdentical(left.of, right.of, depth + 1);
    return true;
  }

  function isSameName(left: NamedType, right: NamedType): boolean {
    if (left.local !== undefined || right.local !== undefined) return left.declaration === right.declaration;
    return left.name === right.name && left.file.folder === right.file.folder;
  }

  function isSameShape(left: FunctionShape, right: FunctionShape, depth: number): boolean {
    const same = (one: readonly GoType[], two: readonly GoType[]): boolean =>
      one.length === two.length && one.every((type, at) => isIdentical(type, two[at] ?? unknownType, depth));
    return (
      left.variadic === right.variadic &&
      same(left.parameters, right.parameters) &&
      same(left.results, right.results)
    );
  }

  function isAssignable(from: GoType, to: GoType): boolean {
    if (from.kind === 'unknown' || to.kind === 'unknown') return true;
    if (['results', 'type', 'package', 'builtin'].includes(from.kind)) return true;
    const target = underlying(to);
    if (target.kind === 'unknown') return true;
    if (from.kind === 'untyped') return holdsConstant(from.name, target);
    if (isInterface(target)) {
      if (target.kind === 'interface' && target.syntax.constraint) return true;
      // Behind a pointer to an interface there is nothing to ask.
      if (from.kind === 'pointer' && isInterface(underlying(from.of))) return true;
      return missingMethod(from, to) === undefined;
    }
    if (isIdentical(from, to)) return true;
    if (from.kind === 'named' && to.kind === 'named') return false;
    const source = underlying(from);
    if (source.kind === 'unknown') return true;
    // A named basic type is another one than its basic type.
    if (source.kind === 'basic' || target.kind === 'basic') return false;
    return isIdentical(source, target);
  }

  function holdsConstant(name: string, target: GoType): boolean {
    if (isInterface(target)) return name === 'nil' || methodsOf(target).size === 0;
    if (name === 'nil') return ['pointer', 'slice', 'map', 'chan', 'func'].includes(target.kind);
    if (target.kind !== 'basic') return false;
    if (name === 'string') return target.name === 'string';
    if (name === 'bool') return target.name === 'bool';
    return target.name !== 'string' && target.name !== 'bool';
  }

  return {
    underlying: (type) => underlying(type),
    member,
    methodNames: (type) => [...methodsOf(type).keys()],
    missingMethod,
    isAssignable,
    isIdentical: (left, right) => isIdentical(left, right),
    methodOf,
  };
}
