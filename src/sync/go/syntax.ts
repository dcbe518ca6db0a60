// The syntax tree of a Go file, as far as its names and types need it; `at` is an offset in the source.

export interface Name {
  readonly kind: 'name';
  readonly name: string;
  readonly at: number;
}

export interface Parameter {
  readonly name: string | undefined;
  readonly type: Expression;
  readonly at: number;
}

export interface FunctionType {
  readonly kind: 'func';
  readonly parameters: readonly Parameter[];
  readonly results: readonly Parameter[];
  readonly variadic: boolean;
  readonly at: number;
}

export interface Field {
  /** The name of its type for one that is embedded; undefined where that has none. */
  readonly name: string | undefined;
  readonly type: Expression;
  readonly embedded: boolean;
  readonly at: number;
}

export interface StructType {
  readonly kind: 'struct';
  readonly fields: readonly Field[];
  readonly at: number;
}

export interface Method {
  readonly name: string;
  readonly type: FunctionType;
  readonly at: number;
}

export interface InterfaceType {
  readonly kind: 'interface';
  readonly methods: readonly Method[];
  readonly embedded: readonly Expression[];
  /** It has a union or `~`: only a constraint. */
  readonly constraint: boolean;
  readonly at: number;
}

export interface Element {
  readonly key: Expression | undefined;
  readonly value: Expression;
}

export interface Composite {
  readonly kind: 'composite';
  /** Undefined within another literal that says what its elements are. */
  readonly type: Expression | undefined;
  readonly elements: readonly Element[];
  readonly at: number;
}

export type LiteralKind = 'int' | 'float' | 'complex' | 'rune' | 'string';

export type Expression =
  | Name
  | {
      readonly kind: 'literal';
      readonly literal: LiteralKind;
      readonly at: number;
      readonly end: number;
    }
  | Composite
  | {
      readonly kind: 'function';
      readonly type: FunctionType;
      readonly body: readonly Statement[];
      readonly at: number;
    }
  | { readonly kind: 'selector'; readonly of: Expression; readonly name: string; readonly at: number }
  | {
      readonly kind: 'index';
      readonly of: Expression;
      readonly indices: readonly Expression[];
      readonly at: number;
    }
  | {
      readonly kind: 'slice';
      readonly of: Expression;
      readonly parts: readonly Expression[];
      readonly at: number;
    }
  /** Without a type: `.(type)`. */
  | {
      readonly kind: 'assertion';
      readonly of: Expression;
      readonly type: Expression | undefined;
      readonly at: number;
    }
  | {
      readonly kind: 'call';
      readonly callee: Expression;
      readonly arguments: readonly Expression[];
      readonly spread: boolean;
      readonly at: number;
    }
  | { readonly kind: 'star'; readonly of: Expression; readonly at: number }
  | { readonly kind: 'unary'; readonly operator: string; readonly of: Expression; readonly at: number }
  | {
      readonly kind: 'binary';
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
      readonly at: number;
    }
  | { readonly kind: 'slice-type'; readonly of: Expression; readonly at: number }
  | {
      readonly kind: 'array-type';
      readonly length: Expression | undefined;
      readonly of: Expression;
      readonly at: number;
    }
  | { readonly kind: 'map-type'; readonly key: Expression; readonly of: Expression; readonly at: number }
  | { readonly kind: 'chan-type'; readonly of: Expression; readonly at: number }
  | FunctionType
  | StructType
  | InterfaceType;

export interface Clause {
  /** Undefined for `default`. */
  readonly cases: readonly Expression[] | undefined;
  /** What a `select` sends or receives. */
  readonly communication?: Statement;
  readonly body: readonly Statement[];
  readonly at: number;
}

export interface ValueDeclaration {
  readonly kind: 'values';
  readonly constant: boolean;
  readonly names: readonly Name[];
  readonly type: Expression | undefined;
  readonly values: readonly Expression[];
}

export interface TypeDeclaration {
  readonly kind: 'type';
  readonly name: string;
  readonly alias: boolean;
  readonly parameters: readonly Parameter[];
  readonly type: Expression;
  readonly at: number;
}

export type Statement =
  | { readonly kind: 'expression'; readonly of: Expression }
  | { readonly kind: 'send'; readonly channel: Expression; readonly value: Expression }
  | { readonly kind: 'step'; readonly of: Expression }
  | {
      readonly kind: 'assign';
      readonly left: readonly Expression[];
      readonly operator: string;
      readonly right: readonly Expression[];
      readonly at: number;
    }
  | {
      readonly kind: 'range';
      readonly left: readonly Expression[];
      readonly defines: boolean;
      readonly over: Expression;
      readonly body: readonly Statement[];
      readonly at: number;
    }
  | { readonly kind: 'call'; readonly of: Expression }
  | { readonly kind: 'return'; readonly values: readonly Expression[]; readonly at: number }
  | { readonly kind: 'block'; readonly body: readonly Statement[] }
  | {
      readonly kind: 'if';
      readonly before: Statement | undefined;
      readonly condition: Expression;
      readonly then: readonly Statement[];
      readonly otherwise: Statement | undefined;
    }
  | {
      readonly kind: 'switch';
      readonly before: Statement | undefined;
      readonly tag: Expression | undefined;
      readonly clauses: readonly Clause[];
    }
  | {
      readonly kind: 'type-switch';
      readonly before: Statement | undefined;
      readonly bound: Name | undefined;
      readonly of: Expression;
      readonly clauses: readonly Clause[];
    }
  | { readonly kind: 'select'; readonly clauses: readonly Clause[] }
  | {
      readonly kind: 'for';
      readonly before: Statement | undefined;
      readonly condition: Expression | undefined;
      readonly after: Statement | undefined;
      readonly body: readonly Statement[];
    }
  | { readonly kind: 'declare'; readonly declarations: readonly (ValueDeclaration | TypeDeclaration)[] }
  | { readonly kind: 'nothing' };

export interface FunctionDeclaration {
  readonly kind: 'function';
  readonly name: string;
  /** The type that it is a method of, its variable, and the names of that type's parameters. */
  readonly receiver:
    | {
        readonly type: string;
        readonly pointer: boolean;
        readonly name: string | undefined;
        readonly parameters: readonly string[];
      }
    | undefined;
  readonly parameters: readonly Parameter[];
  readonly type: FunctionType;
  /** Undefined where it has none, or where bodies were not asked for. */
  readonly body: readonly Statement[] | undefined;
  readonly at: number;
}

export interface ImportDeclaration {
  readonly alias: string | undefined;
  readonly path: string;
  readonly at: number;
}

export interface GoSyntax {
  readonly packageName: string;
  readonly imports: readonly ImportDeclaration[];
  readonly declarations: readonly Declaration[];
  /** Where these stand in the source; those of one group stand there together. */
  readonly spans: readonly Span[];
}

export type Declaration = ValueDeclaration | TypeDeclaration | FunctionDeclaration;

export interface Span {
  readonly from: number;
  readonly to: number;
}
