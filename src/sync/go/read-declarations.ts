// What one Go file declares, ready to be asked by name.
import { builtOnLinux } from './build-constraint.ts';
import { parseDeclarations, parseGo } from './parse-go.ts';
import { skeletonOf } from './skeleton.ts';
import type {
  Declaration,
  FunctionDeclaration,
  ImportDeclaration,
  Span,
  TypeDeclaration,
  ValueDeclaration,
} from './syntax.ts';

/** What is declared, by name; read when it is asked for. Of its places only those of the names are those in the source. */
export interface Table<T> extends Iterable<readonly [string, T]> {
  has(name: string): boolean;
  get(name: string): T | undefined;
}

export interface DeclaredValue {
  readonly declaration: ValueDeclaration;
  readonly index: number;
}

export interface GoDeclarations {
  readonly path: string;
  readonly folder: string;
  readonly packageName: string;
  readonly imports: readonly ImportDeclaration[];
  /** Built on some systems only, by its name or its first lines. */
  readonly conditional: boolean;
  /** Not built on Linux at all. */
  readonly elsewhere: boolean;
  readonly types: Table<TypeDeclaration>;
  readonly functions: Table<FunctionDeclaration>;
  /** By type, then by name. */
  readonly methods: ReadonlyMap<string, Table<FunctionDeclaration>>;
  readonly values: Table<DeclaredValue>;
  /** Declared a second time in this very file, with where; `Type.Method` for methods. */
  readonly repeated: readonly { readonly name: string; readonly at: number }[];
  /** The skeletons of all that it declares; what is declared in one group is in one of them. */
  skeletons(): readonly string[];
  /** What one of these declares, by its number. */
  declarationsIn(number: number): readonly Declaration[];
  /** Where all of this stands in the source; what is declared in one group stands there together. */
  spans(): readonly Span[];
  /** About how many bytes it takes to keep. */
  readonly weight: number;
}

/** What the tables of a file take, and a name in one of them; as measured. */
const bytesOfFile = 6000;
const bytesOfName = 48;

/**
 * Reads the declarations of a source. What is kept of them is text: of the names of a file few are ever asked for.
 * @throws {NotGo} where it cannot be read
 */
export function readDeclarations(path: string, source: string): GoDeclarations {
  const syntax = parseGo(source);
  const places = placesOf(syntax.declarations);
  const skeleton = skeletonOf(source, syntax.spans);
  const bounds = flat(syntax.spans);
  const inSkeleton = flat(skeleton.spans);
  const { text } = skeleton;
  const conditional = isConditional(path, source);
  const read = new Map<number, readonly Declaration[]>();
  const declarationsIn = (number: number): readonly Declaration[] => {
    const known = read.get(number);
    if (known !== undefined) return known;
    const span = { from: inSkeleton[2 * number] ?? 0, to: inSkeleton[2 * number + 1] ?? 0 };
    const made = parseDeclarations(text, [span]).map((one) => placed(one, places));
    read.set(number, made);
    return made;
  };
  /** What is declared around a place of the source. */
  const around = (at: number): readonly Declaration[] => {
    let number = 0;
    while (2 * number < bounds.length && (bounds[2 * number + 1] ?? 0) <= at) number += 1;
    return declarationsIn(number);
  };
  const tableOf = <T>(names: ReadonlyMap<string, number>, isIt: Finder<T>): Table<T> => {
    const get = (name: string): T | undefined => {
      const at = names.get(name);
      return at === undefined ? undefined : last(around(at), (one) => isIt(one, name));
    };
    return {
      has: (name) => names.has(name),
      get,
      *[Symbol.iterator]() {
        for (const name of names.keys()) {
          const found = get(name);
          if (found !== undefined) yield [name, found] as const;
        }
      },
    };
  };
  const { types, functions, methods, values, repeated } = places;
  return {
    path,
    folder: folderOf(path),
    packageName: syntax.packageName,
    imports: syntax.imports,
    conditional,
    elsewhere: conditional && builtOnLinux(path, source) === 'no',
    types: tableOf(types, typeNamed),
    functions: tableOf(functions, functionNamed),
    methods: new Map([...methods].map(([type, names]) => [type, tableOf(names, methodOf(type))])),
    values: tableOf(values, valueNamed),
    repeated,
    skeletons: () => spansOf(inSkeleton).map(({ from, to }) => text.slice(from, to)),
    declarationsIn,
    spans: () => spansOf(bounds),
    weight: bytesOfFile + text.length + bytesOfName * places.count,
  };
}

interface Places {
  readonly types: ReadonlyMap<string, number>;
  readonly functions: ReadonlyMap<string, number>;
  readonly methods: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly values: ReadonlyMap<string, number>;
  readonly repeated: GoDeclarations['repeated'];
  readonly count: number;
}

function placesOf(declarations: readonly Declaration[]): Places {
  const types = new Map<string, number>();
  const functions = new Map<string, number>();
  const methods = new Map<string, Map<string, number>>();
  const values = new Map<string, number>();
  const repeated: { readonly name: string; readonly at: number }[] = [];
  const seen = new Set<string>();
  const see = (name: string, at: number): void => {
    if (name === '_' || name === 'init') return;
    if (seen.has(name)) repeated.push({ name, at });
    seen.add(name);
  };
  for (const one of declarations) {
    if (one.kind === 'type') {
      see(one.name, one.at);
      types.set(one.name, one.at);
    } else if (one.kind === 'values') {
      for (const { name, at } of one.names) {
        see(name, at);
        values.set(name, at);
      }
    } else if (one.receiver === undefined) {
      see(one.name, one.at);
      functions.set(one.name, one.at);
    } else {
      if (one.name !== '_') see(`${one.receiver.type}.${one.name}`, one.at);
      const known = methods.get(one.receiver.type) ?? new Map<string, number>();
      known.set(one.name, one.at);
      methods.set(one.receiver.type, known);
    }
  }
  return { types, functions, methods, values, repeated, count: seen.size };
}

/** With the places of its names in the source. */
function placed(one: Declaration, { types, functions, methods, values }: Places): Declaration {
  if (one.kind === 'values')
    return { ...one, names: one.names.map((name) => ({ ...name, at: values.get(name.name) ?? 0 })) };
  if (one.kind === 'type') return { ...one, at: types.get(one.name) ?? 0 };
  const names = one.receiver === undefined ? functions : methods.get(one.receiver.type);
  return { ...one, at: names?.get(one.name) ?? 0 };
}

type Finder<T> = (one: Declaration, name: string) => T | undefined;

const typeNamed: Finder<TypeDeclaration> = (one, name) =>
  one.kind === 'type' && one.name === name ? one : undefined;

const functionNamed: Finder<FunctionDeclaration> = (one, name) =>
  one.kind === 'function' && one.receiver === undefined && one.name === name ? one : undefined;

const methodOf =
  (type: string): Finder<FunctionDeclaration> =>
  (one, name) =>
    one.kind === 'function' && one.receiver?.type === type && one.name === name ? one : undefined;

const valueNamed: Finder<DeclaredValue> = (one, name) => {
  if (one.kind !== 'values') return undefined;
  const index = one.names.findLastIndex((found) => found.name === name);
  return index < 0 ? undefined : { declaration: one, index };
};

function last<T>(of: readonly Declaration[], find: (one: Declaration) => T | undefined): T | undefined {
  for (const one of of.toReversed()) {
    const found = find(one);
    if (found !== undefined) return found;
  }
  return undefined;
}

function flat(spans: readonly Span[]): Uint32Array {
  return Uint32Array.from(spans.flatMap(({ from, to }) => [from, to]));
}

function spansOf(bounds: Uint32Array): readonly Span[] {
  return Array.from({ length: bounds.length / 2 }, (_, number) => ({
    from: bounds[2 * number] ?? 0,
    to: bounds[2 * number + 1] ?? 0,
  }));
}

export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

export function declares(file: GoDeclarations, name: string): boolean {
  return file.types.has(name) || file.functions.has(name) || file.values.has(name);
}

const systems =
  /_(?:aix|android|darwin|dragonfly|freebsd|illumos|ios|js|linux|netbsd|openbsd|plan9|solaris|wasip1|windows|unix|386|amd64|arm|arm64|loong64|mips\w*|ppc64\w*|riscv64|s390x|wasm)(?:_test)?\.go$/;

function isConditional(path: string, source: string): boolean {
  return systems.test(path) || /^\/\/(?:go:build| \+build) /m.test(source.slice(0, 4000));
}
