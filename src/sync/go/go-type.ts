// What a Go expression is known to be. Whatever cannot be told is `unknown`, and nothing is concluded from that.
import type { GenericFunction } from './infer-types.ts';
import type { GoDeclarations } from './read-declarations.ts';
import type { InterfaceType, StructType, TypeDeclaration } from './syntax.ts';

export interface NamedType {
  readonly kind: 'named';
  readonly name: string;
  readonly file: GoDeclarations;
  readonly declaration: TypeDeclaration;
  /** Declared in a function: it has no methods, and its underlying type was read there. */
  readonly local: GoType | undefined;
}

export interface FunctionShape {
  readonly kind: 'func';
  readonly parameters: readonly GoType[];
  readonly results: readonly GoType[];
  readonly variadic: boolean;
  /** What each call makes of its type parameters. */
  readonly generic?: GenericFunction;
}

/** Types that a function declares for itself, and type parameters. */
export type LocalTypes = (name: string) => GoType | undefined;

export type UntypedName = 'int' | 'float' | 'complex' | 'rune' | 'string' | 'bool' | 'nil';

export type GoType =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'basic'; readonly name: string }
  | { readonly kind: 'untyped'; readonly name: UntypedName }
  | NamedType
  | { readonly kind: 'pointer'; readonly of: GoType }
  | { readonly kind: 'slice'; readonly of: GoType }
  | { readonly kind: 'array'; readonly of: GoType }
  | { readonly kind: 'map'; readonly key: GoType; readonly of: GoType }
  | { readonly kind: 'chan'; readonly of: GoType }
  | FunctionShape
  | {
      readonly kind: 'struct';
      readonly syntax: StructType;
      readonly file: GoDeclarations;
      readonly local: LocalTypes | undefined;
    }
  | {
      readonly kind: 'interface';
      readonly syntax: InterfaceType;
      readonly file: GoDeclarations;
      readonly local: LocalTypes | undefined;
    }
  | { readonly kind: 'error' }
  /** What a call gives that has not just one result. */
  | { readonly kind: 'results'; readonly of: readonly GoType[] }
  | { readonly kind: 'type'; readonly of: GoType }
  | { readonly kind: 'package'; readonly path: string; readonly folder: string | undefined }
  | { readonly kind: 'builtin'; readonly name: string };

export const unknownType: GoType = { kind: 'unknown' };

const basicNames =
  'bool complex64 complex128 float32 float64 int int8 int16 int32 int64 string uint uint8 uint16 uint32 uint64 uintptr';
const basics = new Map<string, GoType>(basicNames.split(' ').map((name) => [name, { kind: 'basic', name }]));
basics.set('byte', { kind: 'basic', name: 'uint8' });
basics.set('rune', { kind: 'basic', name: 'int32' });

export function basicType(name: string): GoType {
  return basics.get(name) ?? unknownType;
}

const builtins = new Set(
  'append cap clear close complex copy delete imag len make max min new panic print println real recover'.split(
    ' ',
  ),
);

/** What a name means that nobody declared (Go specification, "Predeclared identifiers"). */
export function predeclared(name: string): GoType | undefined {
  const basic = basics.get(name);
  if (basic !== undefined) return { kind: 'type', of: basic };
  if (name === 'true' || name === 'false') return { kind: 'untyped', name: 'bool' };
  if (name === 'nil') return { kind: 'untyped', name: 'nil' };
  if (name === 'iota') return { kind: 'untyped', name: 'int' };
  if (name === 'error') return { kind: 'type', of: { kind: 'error' } };
  if (name === 'any' || name === 'comparable') return { kind: 'type', of: unknownType };
  return builtins.has(name) ? { kind: 'builtin', name } : undefined;
}

/** The type that a variable gets from a constant without one. */
export function defaultType(type: GoType): GoType {
  if (type.kind !== 'untyped') return type;
  const names: Readonly<Record<UntypedName, string>> = {
    int: 'int',
    float: 'float64',
    complex: 'complex128',
    rune: 'int32',
    string: 'string',
    bool: 'bool',
    nil: '',
  };
  return basicType(names[type.name]);
}

/** As a compiler would print it. */
export function describeType(type: GoType): string {
  switch (type.kind) {
    case 'basic':
      return type.name;
    case 'untyped':
      return type.name === 'nil' ? 'nil' : `untyped ${type.name}`;
    case 'named':
      return `${type.file.packageName}.${type.name}`;
    case 'pointer':
      return `*${describeType(type.of)}`;
    case 'slice':
    case 'array':
      return `[]${describeType(type.of)}`;
    case 'map':
      return `map[${describeType(type.key)}]${describeType(type.of)}`;
    case 'chan':
      return `chan ${describeType(type.of)}`;
    case 'func':
      return `func(${type.parameters.map(describeType).join(', ')})`;
    case 'struct':
    case 'interface':
    case 'error':
      return type.kind;
    default:
      return '?';
  }
}
