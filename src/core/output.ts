// What a program prints: results and events on standard output, messages for people on standard error.
import { watchStandardStreams } from './standard-streams.ts';
import { inert, inertJson } from './text.ts';

export interface Output {
  readonly json: boolean;
  /**
   * A result for a person; nothing in JSON mode. Ends of lines, tabs and the colours of `colour` are printed as they are, whatever
   * else could act on a terminal is not; a foreign part must not bring its own lines: make it inert first.
   */
  line(text: string): void;
  /** A message beside the result (progress, warnings). */
  message(text: string): void;
  /** One JSON value on a line of its own; nothing in the other mode. */
  event(value: Readonly<Record<string, unknown>>): void;
  /** Replaces the last progress line on a terminal; silent elsewhere and in JSON mode. */
  progress(text: string): void;
  colour(style: 'red' | 'green' | 'yellow' | 'dim' | 'bold', text: string): string;
}

const codes = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const;
const ownCodes = new RegExp(`(\u001b\\[(?:0|${Object.values(codes).join('|')})m|[\\n\\t])`);

export function openOutput(options: { json: boolean; colour: boolean }): Output {
  watchStandardStreams();
  const onTerminal = process.stderr.isTTY === true;
  const coloured =
    options.colour && !options.json && process.env['NO_COLOR'] === undefined && process.stdout.isTTY === true;
  let progressShown = false;
  const clear = (): void => {
    if (progressShown) process.stderr.write('\r\x1b[2K');
    progressShown = false;
  };
  const safe = (text: string): string =>
    text
      .split(coloured ? ownCodes : /([\n\t])/)
      .map((part, index) => (index % 2 === 1 ? part : inert(part)))
      .join('');
  return {
    json: options.json,
    line(text) {
      if (options.json) return;
      clear();
      process.stdout.write(`${safe(text)}\n`);
    },
    message(text) {
      clear();
      process.stderr.write(`${safe(text)}\n`);
    },
    event(value) {
      if (options.json) process.stdout.write(`${inertJson(value)}\n`);
    },
    progress(text) {
      if (!onTerminal || options.json) return;
      clear();
      // A terminal that does not know its width says 0.
      process.stderr.write(inert(text).slice(0, (process.stderr.columns || 80) - 1));
      progressShown = true;
    },
    colour: (style, text) => (coloured ? `\x1b[${codes[style]}m${text}\x1b[0m` : text),
  };
}
