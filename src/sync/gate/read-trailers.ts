// The trailers of a commit message: lines of "Name: value" in its last paragraph.

/** A trailer; the name is in small letters. */
export interface Trailer {
  readonly name: string;
  readonly value: string;
}

const trailerLine = /^([A-Za-z][A-Za-z-]{0,60}): ?(.*)$/;
/** A sha, or the address of a commit, as people write it too. */
const pickedFrom = /^\(cherry picked from (?:commit )?(?:https:\/\/[^\s()]{1,300}\/)?[0-9a-f]{40}\)$/;
const longestParagraph = 200;

/** Trailers of the last paragraph, if every line of it is one (or the note of a cherry-pick, or goes on with a blank). */
export function readTrailers(message: string): readonly Trailer[] {
  const lines = message.trimEnd().split('\n');
  const start = lines.findLastIndex((line) => line.trim() === '') + 1;
  // A message of one paragraph is a subject, not trailers.
  if (start === 0 || lines.length - start > longestParagraph) return [];
  const trailers: Trailer[] = [];
  for (const line of lines.slice(start)) {
    const match = trailerLine.exec(line);
    if (match !== null)
      trailers.push({ name: (match[1] ?? '').toLowerCase(), value: (match[2] ?? '').trim() });
    else if (!pickedFrom.test(line) && !(/^[ \t]/.test(line) && trailers.length > 0)) return [];
  }
  return trailers;
}
