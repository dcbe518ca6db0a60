// What a call of a generic function takes and gives: its type parameters are told by the arguments, where that is simple.
import { defaultType, type FunctionShape, type GoType, type LocalTypes, unknownType } from './go-type.ts';
import type { Expression, FunctionType, Parameter } from './syntax.ts';
import type { TypeReader, TypeRules } from './type-rules.ts';

/** A function with type parameters that nobody has told yet. */
export interface GenericFunction {
  readonly names: readonly Parameter[];
  readonly type: FunctionType;
  readonly reader: TypeReader;
}

/**
 * The function as this call has it. A type parameter with a constraint like `~[]E` is at least a list, whatever is passed;
 * what stays untold is unknown.
 */
export function inferShape(
  { names, type, reader }: GenericFunction,
  passed: readonly GoType[],
  spread: boolean,
  rules: TypeRules,
): FunctionShape {
  const constraints = new Map(names.map((one) => [one.name ?? '', one.type]));
  const told = new Map<string, GoType>();
  const last = type.parameters.length - 1;
  // What has a type says more than a constant.
  for (const untyped of [false, true])
    for (const [at, from] of passed.entries()) {
      if ((from.kind === 'untyped') !== untyped || (spread && at >= last)) continue;
      const parameter = type.parameters[type.variadic ? Math.min(at, last) : at];
      if (parameter !== undefined) match(parameter.type, untyped ? defaultType(from) : from, untyped);
    }
  const local: LocalTypes = (name) => (constraints.has(name) ? (told.get(name) ?? unknownType) : undefined);
  return {
    kind: 'func',
    parameters: type.parameters.map((one) => listOf(one.type) ?? reader.type(one.type, local)),
    results: type.results.map((one) => reader.type(one.type, local)),
    variadic: type.variadic,
  };

  function match(wanted: Expression, from: GoType, untyped: boolean): void {
    if (from.kind === 'unknown') return;
    if (wanted.kind === 'name') {
      tell(wanted.name, from, untyped);
      return;
    }
    const under = rules.underlying(from);
    if (wanted.kind === 'star' && under.kind === 'pointer') match(wanted.of, under.of, untyped);
    if (wanted.kind === 'slice-type' && under.kind === 'slice') match(wanted.of, under.of, untyped);
    if (wanted.kind !== 'map-type' || under.kind !== 'map') return;
    match(wanted.key, under.key, untyped);
    match(wanted.of, under.of, untyped);
  }

  function tell(name: string, from: GoType, untyped: boolean): void {
    const constraint = constraints.get(name);
    if (constraint === undefined) return;
    const known = told.get(name);
    if (known !== undefined) {
      // A compiler may take the interface for both.
      if (!untyped && !rules.isIdentical(known, from) && (isOpen(known) || isOpen(from)))
        told.set(name, unknownType);
      return;
    }
    const core = coreOf(constraint);
    if (core !== undefined && rules.underlying(from).kind !== kindOf(core)) return;
    told.set(name, from);
    if (core !== undefined) match(core, from, untyped);
  }

  function isOpen(type: GoType): boolean {
    return ['interface', 'error', 'unknown'].includes(rules.underlying(type).kind);
  }

  /** The list or map that an argument has to be at least, by the constraint. */
  function listOf(wanted: Expression): GoType | undefined {
    if (wanted.kind !== 'name' || told.has(wanted.name)) return undefined;
    const constraint = constraints.get(wanted.name);
    const core = constraint === undefined ? undefined : coreOf(constraint);
    return core === undefined ? undefined : reader.type(core, local);
  }
}

type Core = Extract<Expression, { kind: 'slice-type' | 'map-type' }>;

/** The one type that a constraint like `~[]E` or `~map[K]V` stands for. */
function coreOf(constraint: Expression): Core | undefined {
  return constraint.kind === 'slice-type' || constraint.kind === 'map-type' ? constraint : undefined;
}

function kindOf(core: Core): 'slice' | 'map' {
  return core.kind === 'slice-type' ? 'slice' : 'map';
}
