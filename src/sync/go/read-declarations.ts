// What one Go file declares, ready to be asked by name.
import { parseGo } from './parse-go.ts';
import type {
  FunctionDeclaration,
  GoSyntax,
  ImportDeclaration,
  TypeDeclaration,
  ValueDeclaration,
} from './syntax.ts';

export interface GoDeclarations {
  readonly path: string;
  readonly folder: string;
  readonly packageName: string;
  readonly imports: readonly ImportDeclaration[];
  /** Built on some systems only, by its name or its first lines. */
  readonly conditional: boolean;
  readonly types: ReadonlyMap<string, TypeDeclaration>;
  readonly functions: ReadonlyMap<string, FunctionDeclaration>;
  /** By type, then by name. */
  readonly methods: ReadonlyMap<string, ReadonlyMap<string, FunctionDeclaration>>;
  readonly values: ReadonlyMap<string, { readonly declaration: ValueDeclaration; readonly index: number }>;
  /** Declared a second time in this very file, with where; `Type.Method` for methods. */
  readonly repeated: readonly { readonly name: string; readonly at: number }[];
}

/**
 * Reads the declarations of a source.
 * @throws {NotGo} where it cannot be read
 */
export function readDeclarations(path: string, source: string): GoDeclarations {
  return declarationsOf(
    path,
    source,
    parseGo(source, () => false),
  );
}

export function declarationsOf(path: string, source: string, syntax: GoSyntax): GoDeclarations {
  const types = new Map<string, TypeDeclaration>();
  const functions = new Map<string, FunctionDeclaration>();
  const methods = new Map<string, Map<string, FunctionDeclaration>>();
  const values = new Map<string, { readonly declaration: ValueDeclaration; readonly index: number }>();
  const repeated: { readonly name: string; readonly at: number }[] = [];
  const seen = new Set<string>();
  const see = (name: string, at: number): void => {
    if (name === '_' || name === 'init') return;
    if (seen.has(name)) repeated.push({ name, at });
    seen.add(name);
  };
  for (const one of syntax.declarations) {
    if (one.kind === 'type') {
      see(one.name, one.at);
      types.set(one.name, one);
    } else if (one.kind === 'values') {
      for (const [index, { name, at }] of one.names.entries()) {
        see(name, at);
        values.set(name, { declaration: one, index });
      }
    } else if (one.receiver === undefined) {
      see(one.name, one.at);
      functions.set(one.name, one);
    } else {
      if (one.name !== '_') see(`${one.receiver.type}.${one.name}`, one.at);
      const known = methods.get(one.receiver.type) ?? new Map<string, FunctionDeclaration>();
      known.set(one.name, one);
      methods.set(one.receiver.type, known);
    }
  }
  return {
    path,
    folder: folderOf(path),
    packageName: syntax.packageName,
    imports: syntax.imports,
    conditional: isConditional(path, source),
    types,
    functions,
    methods,
    values,
    repeated,
  };
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
