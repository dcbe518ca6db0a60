// Facts of commits, from the cache where it has them: a night reads what is new.
import { type CommitFacts, factsOf } from './commit-facts.ts';
import { isText } from './scan-cache.ts';
import type { ScanSources } from './scan-sources.ts';

type Packed = readonly [
  parents: string,
  time: number,
  identity: string,
  subject: string,
  pickedFrom: string,
  reverts: string,
  madeAfter: string,
];

function isPacked(value: unknown): value is Packed {
  if (!Array.isArray(value) || value.length !== 7) return false;
  const [parents, time, ...texts] = value;
  return isText(parents) && typeof time === 'number' && texts.every(isText);
}

/** Facts of commits, from the cache where it has them. */
export function openFacts({ objects, cache }: ScanSources) {
  const remembered = cache.read('facts', isPacked);
  const known = new Map<string, CommitFacts>();
  const fresh = new Map<string, CommitFacts>();
  const list = (text: string): readonly string[] => (text === '' ? [] : text.split(' '));
  return {
    read(sha: string): CommitFacts | undefined | Promise<CommitFacts | undefined> {
      const before = known.get(sha);
      if (before !== undefined) return before;
      const packed = remembered(sha);
      if (packed !== undefined) {
        const [parents, time, identity, subject, pickedFrom, reverts, madeAfter] = packed;
        const unpacked: CommitFacts = {
          sha,
          parents: list(parents),
          committer: { time },
          identity,
          subject,
          pickedFrom: list(pickedFrom),
          reverts: list(reverts),
          madeAfter: list(madeAfter),
        };
        known.set(sha, unpacked);
        return unpacked;
      }
      // Tens of thousands of messages are not kept: of most commits nothing more is asked.
      return objects.commitInPassing(sha).then((commit) => {
        if (commit === undefined) return undefined;
        const made = factsOf(commit);
        known.set(sha, made);
        fresh.set(sha, made);
        return made;
      });
    },
    save(): void {
      if (fresh.size === 0) return;
      const pack = (one: CommitFacts): Packed => [
        one.parents.join(' '),
        one.committer.time,
        one.identity,
        one.subject,
        one.pickedFrom.join(' '),
        one.reverts.join(' '),
        one.madeAfter.join(' '),
      ];
      cache.add('facts', new Map([...fresh].map(([sha, one]) => [sha, pack(one)])));
    },
  };
}
