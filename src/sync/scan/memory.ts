// Everything that earlier imports taught, each piece marked with the import it comes from.
import type { Visible } from '../git/history.ts';
import type { Brand } from '../rewrite/brand.ts';
import { createEvidence, type Evidence } from '../rewrite/evidence.ts';
import type { FileKind } from '../rewrite/file-kind.ts';
import { learnPhrases } from '../rewrite/phrases.ts';
import type { LearnedPlace } from '../rewrite/resolve-path.ts';
import type { MemoryView } from '../rewrite/translate.ts';
import type { ImportCandidate } from './identify-imports.ts';
import type { Lesson } from './lessons.ts';

/** Memory as one pick may see it. */
export interface VisibleMemory {
  view(kind: FileKind): MemoryView;
  learned(path: string): readonly LearnedPlace[];
  learnedIn(folder: string): readonly LearnedPlace[];
}

/** A lesson and the import that it comes from. */
export interface Learned {
  readonly pair: Pick<ImportCandidate, 'fork' | 'upstream' | 'rivals'>;
  readonly lesson: Lesson;
}

export interface Memory {
  /** Only imports that are ancestors of the fork commit, made from ancestors of the upstream commit. */
  asSeenBy(fork: Visible, upstream: Visible): VisibleMemory;
  /** Adds what an import taught that came after all others. */
  append(learned: Learned): void;
  /** Places of the upstream commits that visible imports were made from. */
  importedUpstream(fork: Visible, upstream: Visible): ReadonlySet<number>;
}

/** Builds the memory; lessons must come in the order of the fork's history. */
export function createMemory(first: readonly Learned[], brand: Brand, name: string): Memory {
  const evidence = new Map<FileKind, Evidence>();
  const lines = new Map<string, { readonly value: string; readonly order: number }[]>();
  const phrases = new Map<string, { readonly value: string; readonly order: number }[]>();
  const places = new Map<string, PlaceOfLesson[]>();
  const folders = new Map<string, PlaceOfLesson[]>();
  // What is learned carries the number of its lesson: one fork commit may have several, of which a pick sees one.
  const pairs: Learned['pair'][] = [];
  const learn = ({ pair, lesson }: Learned): void => {
    const number = pairs.length;
    pairs.push(pair);
    for (const path of lesson.paths) {
      const learned = { upstream: path.upstream, fork: path.fork, order: pair.fork, made: path.made };
      const place = { learned, lesson: number };
      push(places, path.upstream, place);
      if (path.made)
        push(folders, path.upstream.slice(0, Math.max(0, path.upstream.lastIndexOf('/'))), place);
    }
    for (const line of lesson.lines) {
      const known = evidence.get(line.kind) ?? createEvidence(brand);
      evidence.set(line.kind, known);
      known.learn(line.upstream, line.fork, number);
      for (const { key, value } of learnPhrases(line.upstream, line.fork, name))
        push(phrases, key, { value, order: number });
      if (brand.inEither(line.upstream))
        push(lines, lineKey(line.kind, line.upstream.trim()), { value: line.fork.trim(), order: number });
    }
  };
  for (const one of first) learn(one);
  const none = createEvidence(brand);
  return {
    append: learn,
    importedUpstream: (fork, upstream) =>
      new Set(pairs.filter((pair) => isSeen(pair, fork, upstream)).map((pair) => pair.upstream)),
    asSeenBy(fork, upstream) {
      const visible = (lesson: number): boolean => {
        const pair = pairs[lesson];
        return pair !== undefined && isSeen(pair, fork, upstream);
      };
      const seen = (list: readonly PlaceOfLesson[] | undefined): readonly LearnedPlace[] =>
        (list ?? []).filter((place) => visible(place.lesson)).map((place) => place.learned);
      return {
        view: (kind) => ({
          evidence: evidence.get(kind) ?? none,
          visible,
          line: (line) => lines.get(lineKey(kind, line))?.findLast((known) => visible(known.order))?.value,
          phrase: (key) => phrases.get(key)?.findLast((known) => visible(known.order))?.value,
        }),
        learned: (path) => seen(places.get(path)),
        learnedIn: (folder) => seen(folders.get(folder)),
      };
    },
  };
}

interface PlaceOfLesson {
  readonly learned: LearnedPlace;
  readonly lesson: number;
}

/** Of the upstream commits that an import may have been made from, the best that can be seen counts. */
function isSeen(pair: Learned['pair'], fork: Visible, upstream: Visible): boolean {
  return (
    fork[pair.fork] === 1 &&
    upstream[pair.upstream] === 1 &&
    pair.rivals.every((rival) => upstream[rival] !== 1)
  );
}

function lineKey(kind: FileKind, line: string): string {
  return `${kind === 'other' ? 'doc' : kind}\0${line}`;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
