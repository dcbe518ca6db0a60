// What a compiler would refuse, as a check reports it.
import { isUnreadable } from './parse-go.ts';

export type FaultKind =
  | 'undeclared'
  | 'no-member'
  | 'counts-differ'
  | 'types-differ'
  | 'not-implemented'
  | 'declared-twice'
  | 'unused'
  | 'not-settled'
  | 'not-parsed';

export interface TypeFault {
  readonly kind: FaultKind;
  /** Offset in the source. */
  readonly at: number;
  /** The one name that it is about, as upstream and the fork both call it. */
  readonly name: string;
  /** The same words before and after, wherever it stands. */
  readonly text: string;
}

export type Report = (kind: FaultKind, at: number, name: string, text: string) => void;

/** What is parsed, or why it cannot be. */
export function orFault<T>(parse: () => T): T | TypeFault {
  try {
    return parse();
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    const at = error instanceof Error && 'at' in error && typeof error.at === 'number' ? error.at : 0;
    return { kind: 'not-parsed', at, name: '', text: error instanceof Error ? error.message : '' };
  }
}
