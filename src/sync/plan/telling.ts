// What a commit brings that tests and pages can speak of (names, settings, messages), and which of its lines speak of it.
import { once } from '../../core/once.ts';
import type { Objects } from '../git/objects.ts';
import { diffSequences } from '../merge/diff-sequences.ts';
import { findFileChanges } from '../pick/file-change.ts';
import { definition } from '../pick/uses-left-out.ts';
import { isMissingObject } from '../problem.ts';
import type { Brand } from '../rewrite/brand.ts';
import { fileKind } from '../rewrite/file-kind.ts';
import { createLineStore } from '../rewrite/line-store.ts';
import { longestLine } from '../rewrite/longest-line.ts';

/** Lines that a commit exchanged, names of both projects folded. */
export interface ToldHunk {
  readonly removed: string;
  readonly added: string;
}

export interface Told {
  readonly paths: readonly string[];
  /** Whether it changes nothing but tests and pages. */
  readonly speaksOnly: boolean;
  /** In lines that it added, and nowhere in those files before. */
  readonly brings: ReadonlySet<string>;
  /** In lines that it removed, and nowhere in those files afterwards. */
  readonly takes: ReadonlySet<string>;
  readonly hunks: readonly ToldHunk[];
}

export type Teller = (sha: string) => Promise<Told>;

const nothing: Told = {
  paths: [],
  speaksOnly: false,
  brings: new Set(),
  takes: new Set(),
  hunks: [],
};

/** Reads commits whose files may be read; others must not be given to it. */
export function openTeller(objects: Objects, brand: Brand): Teller {
  const told = new Map<string, Promise<Told>>();
  return (sha) => {
    const known = told.get(sha) ?? readTold(objects, brand, sha);
    told.set(sha, known);
    return known;
  };
}

/** Tests and pages say what other files do. */
export function isSpeaker(path: string): boolean {
  const kind = fileKind(path);
  return kind === 'doc' || path.endsWith('_test.go') || path.startsWith('test/');
}

async function readTold(objects: Objects, brand: Brand, sha: string): Promise<Told> {
  try {
    const commit = await objects.commit(sha);
    const [parent] = commit.parents;
    const before = parent === undefined ? undefined : await objects.commit(parent);
    const changes = await findFileChanges(objects, before?.tree, commit.tree);
    const paths = changes.flatMap(({ path, toPath }) => (path === toPath ? [path] : [path, toPath]));
    const store = createLineStore((line) => line);
    const textOf = async (entry: (typeof changes)[number]['before']): Promise<string> =>
      entry === undefined || entry.mode === '160000' ? '' : textOnly(await objects.text(entry.sha));
    const hunks: ToldHunk[] = [];
    const [had, has] = [new Set<string>(), new Set<string>()];
    for (const change of changes) {
      const [old, now] = [await textOf(change.before), await textOf(change.after)];
      const [a, b] = [store.split(old), store.split(now)];
      const folded = (ids: ArrayLike<number>): string =>
        Array.from(ids, (id) => brand.foldLine(store.line(id), 'text')).join('\n');
      const whole = once(() => folded(a));
      const wholeAfter = once(() => folded(b));
      for (const edit of diffSequences(a, b)) {
        const [removed, added] = [
          folded(a.subarray(edit.aStart, edit.aEnd)),
          folded(b.subarray(edit.bStart, edit.bEnd)),
        ];
        hunks.push({ removed, added });
        if (isSpeaker(change.path)) continue;
        for (const piece of tellingPieces(added)) if (!mentions(whole(), piece)) has.add(piece);
        for (const piece of tellingPieces(removed)) if (!mentions(wholeAfter(), piece)) had.add(piece);
      }
    }
    // What only went to another of its files is neither new nor gone.
    const brings = new Set([...has].filter((piece) => !had.has(piece)));
    const takes = new Set([...had].filter((piece) => !has.has(piece)));
    return { paths, speaksOnly: paths.length > 0 && paths.every(isSpeaker), brings, takes, hunks };
  } catch (error) {
    // The pick itself says what is missing.
    if (isMissingObject(error)) return nothing;
    throw error;
  }
}

/** What is no text says nothing, as git has it too: a zero byte tells. */
function textOnly(text: string): string {
  return text.includes('\0') ? '' : text;
}

const declared =
  /^(?:func (?:\([^)]*\) )?|type |const |var )([A-Za-z_]\w*)|^([A-Z]\w*) [*[\]\w.]+(?: [`"].*| \/\/.*)?$/;
const literal = /"((?:[^"\\]|\\.)*)"|`([^`]*)`/g;
const key = /^[a-z]\w*(?:[._-]\w+)+$/;
/** Shorter names and sentences are in every text. */
const fewestOfName = 6;
const fewestOfMessage = 8;

/**
 * Names of two words and more that lines declare, settings and extensions in quotes, and what messages say between the
 * values that are put into them.
 */
export function tellingPieces(lines: string): readonly string[] {
  const pieces: string[] = [];
  for (const line of lines.split('\n')) {
    if (line.length > longestLine || /^\s*(?:\/\/|#|\*)/.test(line)) continue;
    const found = declared.exec(line.trim());
    const name = found?.[1] ?? found?.[2] ?? definition.exec(line)?.[1];
    if (name !== undefined && name.length >= fewestOfName && /[a-z0-9][A-Z]|\w_\w/.test(name))
      pieces.push(name);
    for (const [, quoted, raw] of line.matchAll(literal)) {
      const text = quoted ?? raw ?? '';
      if (key.test(text) && text.length >= fewestOfName) pieces.push(text);
      for (const part of text.split(/%[-+#0-9.*[\]]*[a-zA-Z]|\\[nrt"\\]|\$\{[^}]*\}|\$\w+/)) {
        const said = part.trim();
        if (said.length >= fewestOfMessage && /[a-z] [a-z]/i.test(said)) pieces.push(said);
      }
    }
  }
  // git looks for none with control characters in it.
  return pieces.filter((piece) => !/\p{Cc}/u.test(piece));
}

/** Whether text has a piece, as whole words. */
export function mentions(text: string, piece: string): boolean {
  const [first, last] = [/^\w/.test(piece), /\w$/.test(piece)];
  for (let at = text.indexOf(piece); at >= 0; at = text.indexOf(piece, at + 1)) {
    const before = first && /\w/.test(text[at - 1] ?? ' ');
    const after = last && /\w/.test(text[at + piece.length] ?? ' ');
    if (!before && !after) return true;
  }
  return false;
}

/** Of what another commit brought or took, the pieces that are new or gone in these lines. */
export function spokenOf({ removed, added }: ToldHunk, { brings, takes }: Told): Spoken {
  return {
    brought: [...brings].filter((piece) => mentions(added, piece) && !mentions(removed, piece)),
    taken: [...takes].filter((piece) => mentions(removed, piece) && !mentions(added, piece)),
  };
}

export interface Spoken {
  readonly brought: readonly string[];
  readonly taken: readonly string[];
}
