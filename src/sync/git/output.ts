// The engine's text is bytes kept as latin1; on the way out it becomes those bytes again.

/** What people read: the bytes as UTF-8, broken sequences as replacement characters. */
export function readable(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

/** A value as one line of JSON, every text in it readable. */
export function readableJson(value: unknown): string {
  return jsonLine(value, (_key, inner) => (typeof inner === 'string' ? readable(inner) : inner));
}

/** A value as one line of JSON that a terminal shows as it is: what would move its cursor or turn its text is escaped. */
export function jsonLine(value: unknown, replacer?: (key: string, inner: unknown) => unknown): string {
  return JSON.stringify(value, replacer).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
