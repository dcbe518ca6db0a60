// Parts of a list that a command takes as arguments: the kernel limits all of them together, and there may be any number.

/** A part of the 2 MiB that Linux gives where nothing else is set (execve(2)); the environment takes of it as well. */
const mostBytes = 256 * 1024;

export function inArguments(words: readonly string[]): string[][] {
  const parts: string[][] = [];
  let bytes = mostBytes;
  for (const word of words) {
    // Each with its end and a pointer to it.
    const size = Buffer.byteLength(word) + 9;
    if (bytes + size > mostBytes) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(word);
    bytes += size;
  }
  return parts;
}
