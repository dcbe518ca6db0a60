// Tests and pages of a pull request that speak of what another commit of it brings, where that one does not come over.
import { grepTree, literalExpression } from '../git/grep-tree.ts';
import type { Brand } from '../rewrite/brand.ts';
import type { MissingCommit } from '../scan/scan-result.ts';
import { isSpeaker, mentions, type Spoken, spokenOf, type Teller, type Told } from './telling.ts';

export interface CommitName {
  readonly sha: string;
  readonly subject: string;
}

export interface MissingCode {
  /** The commits, each with what it would bring. */
  readonly missing: readonly MissingCommit[];
  /** Whether all of the tests and pages speaks of it, or only a part. */
  readonly whole: boolean;
}

export interface CodeLookup {
  readonly gitDir: string;
  readonly brand: Brand;
  readonly tell: Teller;
  /** The fork commit under the first pick. */
  readonly fork: string;
}

const mostNamed = 3;

/** `present`: what was picked of the same pull request; what one of those brings too is not missing. */
export async function findMissingCode(
  lookup: CodeLookup,
  commit: string,
  absent: readonly CommitName[],
  present: readonly string[],
): Promise<MissingCode | undefined> {
  if (absent.length === 0) return undefined;
  const own = await lookup.tell(commit);
  if (!own.speaksOnly) return undefined;
  const there = await Promise.all(present.map(lookup.tell));
  const isThere = (piece: string): boolean => there.some(({ brings }) => brings.has(piece));
  const hunks = own.hunks.filter(({ removed, added }) => `${removed}${added}`.trim() !== '');
  const said: { readonly by: CommitName; readonly hunk: number; readonly spoken: Spoken }[] = [];
  for (const by of absent) {
    const told = await lookup.tell(by.sha);
    if (told.speaksOnly) continue;
    for (const [hunk, lines] of hunks.entries()) {
      const { brought, taken } = spokenOf(lines, told);
      const spoken = {
        brought: brought.filter((piece) => !isThere(piece)),
        // A name or a setting may go from one place and stay in others; a sentence is in one.
        taken: taken.filter((piece) => piece.includes(' ')),
      };
      if (spoken.brought.length + spoken.taken.length > 0) said.push({ by, hunk, spoken });
    }
  }
  if (said.length === 0) return undefined;
  const pieces = new Set(said.flatMap(({ spoken }) => [...spoken.brought, ...spoken.taken]));
  const has = await inCode(lookup, pieces);
  const open = said.flatMap(({ by, hunk, spoken }) => {
    const what = [
      ...spoken.brought.filter((piece) => !has.has(piece)),
      ...spoken.taken.filter((piece) => has.has(piece)),
    ];
    return what.length === 0 ? [] : [{ by, hunk, what }];
  });
  if (open.length === 0) return undefined;
  const missing = [...Map.groupBy(open, ({ by }) => by)].map(([{ sha, subject }, parts]) => {
    const what = [...new Set(parts.flatMap((part) => part.what))].slice(0, mostNamed);
    return { sha, subject, reason: `what it says of ${what.map((piece) => `"${piece}"`).join(', ')}` };
  });
  return { missing, whole: new Set(open.map(({ hunk }) => hunk)).size === hunks.length };
}

/** Expressions that git is asked for at once. */
const mostAsked = 1_000;
/** What folding makes of names of both projects: of `an LXD`, of the home of a repository, of the name alone (brand.ts). */
const foldedName = /(?:\ba )?(?:home\/)?@/;
/** Shorter parts are in every file. */
const tellingPart = 4;

/** For lines that may have a piece: as folding is not undone, its longest part without a name; the folded line tells. */
function expressionOf(piece: string): string {
  const parts = piece.split(foldedName).map((part) => part.trim());
  const longest = parts.reduce((one, other) => (other.length > one.length ? other : one), '');
  const looked =
    longest.length >= tellingPart || !piece.includes('@')
      ? literalExpression(longest)
      : literalExpression(piece).replaceAll('@', '[A-Za-z]+');
  return looked.replaceAll(' ', '[ \t]+');
}

/** Those pieces that the fork's code has, tests and pages aside. */
export async function inCode(
  { gitDir, brand, fork }: Pick<CodeLookup, 'gitDir' | 'brand' | 'fork'>,
  pieces: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  // More come from generated files alone; what is not asked for counts as there, and holds nothing back.
  const asked = [...pieces].slice(0, mostAsked);
  for (const piece of pieces) if (!asked.includes(piece)) found.add(piece);
  const expressions = asked.map(expressionOf);
  for (const { path, line } of await grepTree(gitDir, fork, expressions)) {
    if (isSpeaker(path)) continue;
    const folded = brand.foldLine(line, 'text');
    for (const piece of pieces) if (mentions(folded, piece)) found.add(piece);
  }
  return found;
}

/**
 * The commits of a pull request with tests and pages behind the last commit that brings what they speak of, where no commit
 * in between changes their files: what comes of that one is known then.
 */
export async function codeFirst<T extends { readonly sha: string }>(
  tell: Teller,
  commits: readonly T[],
  mayRead: (commit: T) => boolean,
): Promise<readonly T[]> {
  if (commits.length < 2) return commits;
  const told = new Map<T, Told>();
  for (const commit of commits) if (mayRead(commit)) told.set(commit, await tell(commit.sha));
  const order = [...commits];
  for (const commit of commits) {
    const own = told.get(commit);
    if (own?.speaksOnly !== true) continue;
    const at = order.indexOf(commit);
    let behind = at;
    for (let place = at + 1; place < order.length; place += 1) {
      const other = order[place];
      const theirs = other === undefined ? undefined : told.get(other);
      if (theirs === undefined) continue;
      if (theirs.paths.some((path) => own.paths.includes(path))) break;
      if (theirs.speaksOnly) continue;
      const speaks = own.hunks.some((lines) => {
        const { brought, taken } = spokenOf(lines, theirs);
        return brought.length + taken.length > 0;
      });
      if (speaks) behind = place;
    }
    if (behind > at) {
      order.splice(at, 1);
      order.splice(behind, 0, commit);
    }
  }
  return order;
}
