// The names that a function declares, block by block.
import type { GoType } from './go-type.ts';

export interface Local {
  readonly name: string;
  type: GoType;
  readonly at: number;
  /** Only variables have to be used. */
  readonly variable: boolean;
  used: boolean;
}

export interface Scope {
  readonly outer: Scope | undefined;
  readonly names: Map<string, Local>;
  /** What the function around gives back. */
  readonly results: readonly GoType[];
  readonly namedResults: boolean;
}

export function innerScope(outer: Scope): Scope {
  return { outer, names: new Map(), results: outer.results, namedResults: outer.namedResults };
}

export function findLocal(scope: Scope | undefined, name: string): Local | undefined {
  for (let at = scope; at !== undefined; at = at.outer) {
    const found = at.names.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}
