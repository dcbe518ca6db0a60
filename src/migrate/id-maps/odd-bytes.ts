// Finds the byte by which a line of /etc/subuid or /etc/subgid is not read as it was meant, and what was meant.

export interface OddBytes {
  /** Of the first odd byte, counted from 1. */
  readonly byte: number;
  /** In words, with its value. */
  readonly what: string;
  /** The line as it was meant; empty: none. */
  readonly corrected: string;
}

/** Each as latin1 shows it. What editors and tables put into a line, and nobody sees. */
const names: readonly (readonly [bytes: string, name: string])[] = [
  ['\xef\xbb\xbf', 'a byte order mark'],
  ['\xff\xfe', 'a byte order mark of UTF-16'],
  ['\xfe\xff', 'a byte order mark of UTF-16'],
  ['\xc2\xa0', 'a no-break space'],
  ['\xe2\x80\x8b', 'a space of no width'],
  ['\t', 'a tab'],
  [' ', 'a blank'],
  ['\r', 'a line end of Windows'],
  ['\0', 'a zero byte'],
];

const odd = /\xef\xbb\xbf|\xff\xfe|\xfe\xff|\xc2\xa0|\xe2\x80[\x80-\x8f\xa8-\xaf]|\xe3\x80\x80|[\0-\x20\x7f]/;
const everyOdd = new RegExp(odd.source, 'g');
const plain = /^[^:\s#]+:[0-9]+:[0-9]+$/;

/** No line that anybody means to write is longer. */
const longest = 1_024;

/** @param line read as latin1; undefined where no byte is odd, or nobody can tell what was meant */
export function oddBytesOf(line: string): OddBytes | undefined {
  const found = line.length > longest ? null : odd.exec(line);
  if (found === null) return undefined;
  const corrected = meant(line);
  if (corrected === undefined) return undefined;
  const [bytes] = found;
  const values = [...bytes].map((one) => one.charCodeAt(0).toString(16).padStart(2, '0'));
  const name = names.find(([known]) => known === bytes)?.[1] ?? 'no letter or digit';
  return { byte: found.index + 1, what: `${name} (${values.join(' ')})`, corrected };
}

function meant(line: string): string | undefined {
  const without = line.replaceAll(everyOdd, '');
  if (without === '' || plain.test(without)) return without;
  const begun = line.replace(new RegExp(`^(?:${odd.source})+`), '');
  if (begun.startsWith('#')) return begun === line ? undefined : begun.replace(/\r$/, '');
  // Between the fields stands a tab or a blank, as in a table.
  const fields = line.split(new RegExp(`(?:${odd.source}|:)+`)).filter((field) => field !== '');
  return plain.test(fields.join(':')) ? fields.join(':') : undefined;
}

export function oddBytesInWords({ byte, what, corrected }: OddBytes): string {
  return `byte ${byte} is ${what}; ${corrected === '' ? 'remove the line' : `write the line as ${corrected}`}`;
}
