// Here-documents of a script: each goes on until its word stands alone on a line.

const opening = /(?<!<)<<(-?)[ \t]*(?:"([^"\n]+)"|'([^'\n]+)'|\\?([A-Za-z_]\w*))/g;

/** The word of a here-document that does not end, or that stands alone where none is open. */
export function looseHereDocument(script: string, words: ReadonlySet<string>): string | undefined {
  let open: { readonly word: string; readonly isIndented: boolean }[] = [];
  for (const line of script.split('\n')) {
    const [first] = open;
    if (first !== undefined) {
      const text = first.isIndented ? line.replace(/^\t+/, '') : line;
      if (text === first.word) open = open.slice(1);
      continue;
    }
    const alone = line.trim();
    if (words.has(alone)) return alone;
    open = openedIn(line);
  }
  return open[0]?.word;
}

/** All words that end here-documents of a script, but those that are commands as well. */
export function hereDocumentWords(script: string): ReadonlySet<string> {
  return new Set(
    script
      .split('\n')
      .flatMap((line) => openedIn(line).map(({ word }) => word))
      .filter((word) => /^[A-Z_]+$/.test(word)),
  );
}

function openedIn(line: string): { readonly word: string; readonly isIndented: boolean }[] {
  // A comment opens none, nor does a shift in arithmetic.
  if (/^[ \t]*#/.test(line)) return [];
  return Array.from(line.matchAll(opening), ([, dash, double, single, plain]) => ({
    word: double ?? single ?? plain ?? '',
    isIndented: dash === '-',
  }));
}
