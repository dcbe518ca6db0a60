// The engine's text is bytes kept as latin1; on the way out it becomes those bytes again.

/** What people read: the bytes as UTF-8, broken sequences as replacement characters. */
export function readable(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

/** A value as one line of JSON, every text in it readable. */
export function readableJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'string' ? readable(inner) : inner,
  );
}
