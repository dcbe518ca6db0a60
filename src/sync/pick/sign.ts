// Signs that a pick may not be what a person would have done; which of them count as doubts is decided elsewhere.
export type SignName =
  | 'blanks'
  | 'appended'
  | 'put-in-order'
  | 'touching'
  | 'touching-deletion'
  | 'within-line'
  | 'both-inserted'
  | 'fork-deleted'
  | 'upstream-deleted'
  | 'rewritten'
  | 'already-there'
  | 'overlaid'
  | 'new-file'
  | 'new-doc'
  | 'new-code'
  | 'new-generated'
  | 'word-left-in-doc'
  | 'word-by-rule'
  | 'word-kept'
  | 'word-guessed'
  | 'imports-changed'
  | 'import-guessed'
  | 'import-missing'
  | 'name-unknown'
  | 'arguments-differ'
  | 'arguments-cut'
  | 'name-restored'
  | 'not-go'
  | 'removed-subsystem'
  | 'relocated'
  | 'place-guessed'
  | 'dropped'
  | 'left-out'
  | 'renamed-away'
  | 'generated-left'
  | 'generated-merged'
  | 'skipped'
  | 'deleted-changed'
  | 'context-differs'
  | 'line-differs'
  | 'moved';

export interface Sign {
  readonly path: string;
  readonly name: SignName;
  readonly detail: string;
}
