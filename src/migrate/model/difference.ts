// How one object of two inventories differs.

export interface Difference {
  readonly change: 'missing' | 'extra' | 'different';
  /** For instance `instance default/c1`: kind and name. */
  readonly object: string;
  readonly kind: string;
  readonly name: string;
  /** For instance `config.limits.cpu`; undefined where the whole object is missing or extra. */
  readonly field: string | undefined;
  /** Confidential values are veiled. */
  readonly expected: string | undefined;
  readonly actual: string | undefined;
}
