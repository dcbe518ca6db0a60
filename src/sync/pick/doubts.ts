// Which signs make a pick a review: those that were wrong more often than not, each with its sentence for people.
import type { DoubtRule } from '../rules/model.ts';
import type { Doubt } from './pick-result.ts';
import type { Sign, SignName } from './sign.ts';

/** What a person is told; a sign without a sentence is only counted (docs/fork-sync/doubts.md has the figures). */
const sentences: Partial<Record<SignName, (detail: string) => string>> = {
  'within-line': () =>
    'both sides changed other words of the same lines; the result was put together word by word',
  blanks: () => 'one side changed only blanks where the other changed text',
  'touching-deletion': () =>
    "upstream changed lines that the fork deleted; upstream's change of them was left out",
  'upstream-deleted': () =>
    'upstream deleted lines that the fork had changed, and has some like them elsewhere; they were deleted',
  rewritten: () =>
    "upstream wrote lines anew of which the fork had deleted some; upstream's new ones were taken",
  'generated-left': (detail) =>
    `a generated file did not merge and was left as it is: make it anew${by(detail)}`,
  'new-generated': (detail) =>
    `a generated file is new; upstream's was taken as it is: make it anew${by(detail)}`,
  'generated-word': (detail) =>
    `a word of a generated file is spelt as in what it is made from, which says something else, or nothing: ${detail}`,
  'command-list': (detail) =>
    `upstream lists the words that follow a command, and the fork has others there: ${detail}`,
  'new-code': () => 'a new file of code: its names and imports were all put into the words of the fork',
  'new-doc': () => 'a new page of documentation: its words were put into the words of the fork by rule',
  'word-by-rule': (detail) =>
    `nothing in the fork shows how this word is spelt here; a rule decided: ${detail}`,
  'word-kept': (detail) => `this word names upstream and stayed, since nothing says otherwise: ${detail}`,
  'word-guessed': (detail) => `this word was spelt so elsewhere, in other surroundings: ${detail}`,
  'word-left-in-doc': (detail) => `documentation goes on naming upstream, as the fork's page does: ${detail}`,
  'word-left': (detail) =>
    `this goes on naming upstream beside text that was not renamed with the rest of the fork: ${detail}`,
  'word-in-two-spellings': (detail) =>
    `the fork's page has this word in two spellings, upstream's among them: ${detail}`,
  'spelling-unsure': (detail) =>
    `the fork's file has this otherwise in several places, and in others, or in these lines, as upstream does: ${detail}`,
  'import-guessed': (detail) => `the package of this import was guessed: ${detail}`,
  'place-guessed': (detail) =>
    `the fork took the file apart; what upstream adds to it was put where its neighbour is: ${detail}`,
  'place-unknown': (detail) =>
    `this begins like a path of upstream's and names none; the fork has that folder elsewhere: ${detail}`,
  'name-unknown': (detail) => `the fork does not have this name: ${detail}`,
  'arguments-differ': (detail) => `no function of this name in the fork takes so many arguments: ${detail}`,
  'arguments-cut': (detail) =>
    `the fork's function takes fewer arguments: the last ones were left out: ${detail}`,
  'not-go': (detail) => `no compiler would take the merged code: ${detail}`,
  undeclared: (detail) => `nothing declares or imports this name any more, or never did: ${detail}`,
  'no-member': (detail) => `the fork's type does not have this: ${detail}`,
  'counts-differ': (detail) => `arguments or results are not as many as the fork's function has: ${detail}`,
  'types-differ': (detail) => `these are two types in the fork: ${detail}`,
  'not-implemented': (detail) => `an interface of the fork is not implemented any more: ${detail}`,
  'declared-twice': (detail) => `the fork declares this already: ${detail}`,
  unused: (detail) => `no compiler takes what is not used: ${detail}`,
  'not-parsed': (detail) => `the merged file is no Go: ${detail}`,
  'not-settled': (detail) => `whether it compiles was not found out: ${detail}`,
  unbalanced: (detail) => `the merge left something without its other half: ${detail}`,
  'names-fell-together': (detail) =>
    `two names of upstream's are one in the fork, which stands twice in a list now: ${detail}`,
  'uses-left-out': (detail) =>
    `this uses what upstream has in a file that was left out, and the fork nowhere: ${detail}`,
  'left-out': (detail) =>
    `upstream changed what came with a commit that a rule leaves out; its change of that was left out (${detail})`,
  'renamed-away': (detail) =>
    `upstream renamed a name that the fork does not use in this place; the fork's text stands: ${detail}`,
  'deleted-changed': () => 'upstream deleted a file that the fork had changed; it was deleted',
};

function by(remake: string): string {
  return remake === '' ? '' : ` (${remake})`;
}

/** The doubts that signs amount to, each once. */
export function doubtsOf(signs: readonly Sign[]): readonly Doubt[] {
  const doubts = new Map<string, Doubt>();
  for (const { path, name, detail } of signs) {
    const why = sentences[name]?.(detail);
    if (why !== undefined) doubts.set(`${path}\0${name}\0${why}`, { path, rule: name, why });
  }
  return [...doubts.values()];
}

/** What a pick makes of a file, as far as words in it are asked for. */
export interface NamedIn {
  readonly path: string;
  /** Upstream's new lines. */
  readonly added: readonly string[];
  /** The fork's file before and after the pick. */
  readonly texts: () => Promise<{ readonly before: string; readonly after: string }>;
}

/**
 * Doubts that the pack asks for: words for what the fork no longer has, or never had, in lines that upstream added. Where
 * the file has such a word no more often than before, the fork has kept that line, and something else changed in it.
 */
export async function packDoubts(
  rules: readonly DoubtRule[],
  file: NamedIn,
  listed: (path: string) => string | undefined = () => undefined,
): Promise<readonly Doubt[]> {
  const named = rules.filter(({ words }) =>
    words.some((word) => file.added.some((line) => line.includes(word))),
  );
  if (named.length === 0) return [];
  const { before, after } = await file.texts();
  return named.flatMap((rule): readonly Doubt[] => {
    const word =
      rule.unlistedIn === undefined
        ? rule.words.find((one) => timesIn(after, one) > timesIn(before, one))
        : unlistedWord(rule.words, file.added, rule.unlistedIn.map(listed));
    if (word === undefined) return [];
    return [
      { path: file.path, rule: rule.id, why: `upstream's new lines name ${word}: ${rule.description}` },
    ];
  });
}

/** The first quoted word, of lines with one of some words, that no list has; without any list nothing is known. */
function unlistedWord(
  words: readonly string[],
  added: readonly string[],
  lists: readonly (string | undefined)[],
): string | undefined {
  const here = lists.filter((list) => list !== undefined);
  if (here.length === 0) return undefined;
  for (const line of added)
    if (words.some((word) => line.includes(word)))
      for (const [quoted, name = ''] of line.matchAll(/"([\w-]+)"/g))
        if (!here.some((list) => list.includes(quoted))) return name;
  return undefined;
}

function timesIn(text: string, word: string): number {
  return text.split(word).length - 1;
}
