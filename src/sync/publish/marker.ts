// Hidden first lines by which the bot finds its own comments and issues again, and sees whether somebody edited them.
import { createHash } from 'node:crypto';
import { syncFailure } from '../problem.ts';

export interface Marker {
  readonly topic: string;
  readonly part: number;
}

/** A later format puts its number behind the name, and its version behind that; the rest of the line is its own. */
const otherLine = /^<!-- fork-sync\/(\d{1,9})(?: ([\w.+-]{1,40}))?[^\n]{0,400}-->\r?\n/;

// Only the very first line counts: text that came from elsewhere can never stand there.
const markerLine = /^<!-- fork-sync ([a-z0-9-]+) (\d+) ([0-9a-f]{16}) -->\r?\n/;

/** The text under its marker; the digest is of the text as it was written, and of the title that goes with it. */
export function withMarker(marker: Marker, text: string, title = ''): string {
  return `<!-- fork-sync ${marker.topic} ${marker.part} ${digest(title + plain(text))} -->\n${text}`;
}

/**
 * The marker of a body, or undefined where it has none; `edited`: text or title are not as they were written.
 * @throws {Failure<SyncProblem>} other-version: a second set of comments beside that one's would help nobody
 */
export function readMarker(body: string, title = ''): (Marker & { readonly edited: boolean }) | undefined {
  const found = markerLine.exec(body);
  if (found === null) {
    refuseOther(body);
    return undefined;
  }
  const [line, topic = '', part, before] = found;
  return { topic, part: Number(part), edited: digest(title + plain(body.slice(line.length))) !== before };
}

function refuseOther(body: string): void {
  const [, format, version] = otherLine.exec(body) ?? [];
  if (format === undefined) return;
  throw syncFailure({
    code: 'other-version',
    what: 'What another fork-sync wrote on the forge under the same account',
    other: { format, writer: version === undefined ? undefined : `fork-sync ${version}` },
    next: 'Or close its pull request and its status issue, and take its comments away.',
  });
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
