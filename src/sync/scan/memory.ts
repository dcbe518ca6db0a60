// Everything that earlier imports taught, each piece marked with the import it comes from.
import type { Visible } from '../git/history.ts';
import type { Brand } from '../rewrite/brand.ts';
import { createEvidence, type Evidence } from '../rewrite/evidence.ts';
import type { FileKind } from '../rewrite/file-kind.ts';
import { learnPhrases } from '../rewrite/phrases.ts';
import type { LearnedPlace } from '../rewrite/resolve-path.ts';
import type { MemoryView } from '../rewrite/translate.ts';
import type { ImportPair } from './identify-imports.ts';
import type { Lesson } from './lessons.ts';

/** Memory as one pick may see it. */
export interface VisibleMemory {
  view(kind: FileKind): MemoryView;
  learned(path: string): readonly LearnedPlace[];
  learnedIn(folder: string): readonly LearnedPlace[];
}

/** A lesson and the import that it comes from. */
export interface Learned {
  readonly pair: Pick<ImportPair, 'fork' | 'upstream'>;
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
  const places = new Map<string, LearnedPlace[]>();
  const folders = new Map<string, LearnedPlace[]>();
  const upstreamOf = new Map<number, number>();
  const learn = ({ pair, lesson }: Learned): void => {
    upstreamOf.set(pair.fork, pair.upstream);
    for (const path of lesson.paths) {
      const place = { upstream: path.upstream, fork: path.fork, order: pair.fork, made: path.made };
      push(places, path.upstream, place);
      if (path.made)
        push(folders, path.upstream.slice(0, Math.max(0, path.upstream.lastIndexOf('/'))), place);
    }
    for (const line of lesson.lines) {
      const known = evidence.get(line.kind) ?? createEvidence(brand);
      evidence.set(line.kind, known);
      known.learn(line.upstream, line.fork, pair.fork);
      for (const { key, value } of learnPhrases(line.upstream, line.fork, name))
        push(phrases, key, { value, order: pair.fork });
      if (brand.inEither(line.upstream))
        push(lines, lineKey(line.kind, line.upstream.trim()), { value: line.fork.trim(), order: pair.fork });
    }
  };
  for (const one of first) learn(one);
  const none = createEvidence(brand);
  return {
    append: learn,
    importedUpstream: (fork, upstream) =>
      new Set(
        [...upstreamOf]
          .filter(([ours, theirs]) => fork[ours] === 1 && upstream[theirs] === 1)
          .map(([, theirs]) => theirs),
      ),
    asSeenBy(fork, upstream) {
      const visible = (order: number): boolean =>
        fork[order] === 1 && upstream[upstreamOf.get(order) ?? -1] === 1;
      const seen = (list: readonly LearnedPlace[] | undefined): readonly LearnedPlace[] =>
        (list ?? []).filter((place) => visible(place.order));
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

function lineKey(kind: FileKind, line: string): string {
  return `${kind === 'other' ? 'doc' : kind}\0${line}`;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
