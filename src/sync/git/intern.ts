// One copy of each short string: a piece cut from a text would keep the whole text in memory.
const pool = new Map<string, string>();

/** The same characters, sharing nothing with the text they were cut from. */
export function intern(text: string): string {
  const known = pool.get(text);
  if (known !== undefined) return known;
  const copy = Buffer.from(text, 'latin1').toString('latin1');
  pool.set(copy, copy);
  return copy;
}
