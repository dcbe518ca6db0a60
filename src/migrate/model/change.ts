// A change of one value or row of the database, as a plan lists it.

export interface Change {
  readonly table: string;
  readonly rowId: number;
  /** The object that the row belongs to, in words (`instance default/c1`). */
  readonly object: string;
  /** The column, the configuration key that the row holds, or `row`: then the values are the whole row as JSON. */
  readonly what: string;
  /** null: there was, or will be, no such row; or the value was NULL. */
  readonly before: string | null;
  readonly after: string | null;
  /** Which rule asked for it. */
  readonly rule: string;
}
