// Hidden first lines by which the bot finds its own comments and issues again, and sees whether somebody edited them.
import { createHash } from 'node:crypto';

export interface Marker {
  readonly topic: string;
  readonly part: number;
}

// Only the very first line counts: text that came from elsewhere can never stand there.
const markerLine = /^<!-- fork-sync ([a-z0-9-]+) (\d+) ([0-9a-f]{16}) -->\r?\n/;

/** The text under its marker; the digest is of the text as it was written, and of the title that goes with it. */
export function withMarker(marker: Marker, text: string, title = ''): string {
  return `<!-- fork-sync ${marker.topic} ${marker.part} ${digest(title + plain(text))} -->\n${text}`;
}

/** The marker of a body, or undefined where it has none; `edited`: text or title are not as they were written. */
export function readMarker(body: string, title = ''): (Marker & { readonly edited: boolean }) | undefined {
  const found = markerLine.exec(body);
  if (found === null) return undefined;
  const [line, topic = '', part, before] = found;
  return { topic, part: Number(part), edited: digest(title + plain(body.slice(line.length))) !== before };
}

/** GitHub stores what people type in its web form with CRLF, and trims the end. */
export function sameText(left: string, right: string): boolean {
  return plain(left) === plain(right);
}

function plain(text: string): string {
  return text.replace(/\r\n/g, '\n').trimEnd();
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
