// Compares the whole fork with upstream's fork point put into the fork's words: what do rules not explain?
import type { Engine } from '../pick/open-engine.ts';
import { alignLines } from '../rewrite/align.ts';
import { substitutions } from '../rewrite/evidence.ts';
import { fileKind } from '../rewrite/file-kind.ts';
import { isWord, tokenize } from '../rewrite/tokens.ts';
import { applySpans } from '../rules/words.ts';

export interface DriftedFile {
  readonly upstream: string;
  /** Undefined: the fork does not have it. */
  readonly fork: string | undefined;
  /** Lines that are not equal after the rules; 0 is identical. */
  readonly lines: number;
}

export interface Drift {
  readonly files: readonly DriftedFile[];
  readonly identical: number;
  readonly differing: number;
  readonly gone: number;
  readonly substitutions: readonly {
    readonly from: string;
    readonly to: string;
    readonly count: number;
    readonly files: number;
  }[];
}

/** Measures one fork commit. */
export async function measureDrift(engine: Engine, tip: string): Promise<Drift> {
  const { pack, objects } = engine;
  const shop = await engine.workshop([{ upstream: pack.info.forkPoint, onto: tip }]);
  const [base, fork] = await Promise.all([objects.commit(pack.info.forkPoint), objects.commit(tip)]);
  const visible = shop.fork.visibleFrom(tip);
  const files: DriftedFile[] = [];
  const counts = new Map<string, { from: string; to: string; count: number; files: Set<string> }>();
  for (const { path, after } of await objects.compare(undefined, base.tree)) {
    if (after === undefined || after.mode !== '100644') continue;
    const place = shop.forkMoves.follow(path, visible);
    const entry = await objects.entry(fork.tree, place.path);
    if (entry === undefined) {
      files.push({ upstream: path, fork: undefined, lines: 0 });
      continue;
    }
    const [theirs, ours] = await Promise.all([objects.text(after.sha), objects.text(entry.sha)]);
    if (theirs.includes('\0')) continue;
    const kind = fileKind(path);
    const rewritten = theirs
      .split('\n')
      .map((line) =>
        applySpans(
          line,
          shop.words.match(line, path, () => (kind === 'doc' ? 'prose' : 'code')),
        ),
      )
      .join('\n');
    const left = shop.store.split(rewritten);
    const right = shop.store.split(ours);
    const alignment = alignLines(shop.store, left, right, kind === 'go' ? 'go' : 'text');
    let lines = 0;
    const look = (one: number, two: number): void => {
      if (left[one] === right[two]) return;
      lines += 1;
      const [before, now] = [shop.store.line(left[one] ?? 0), shop.store.line(right[two] ?? 0)].map(tokenize);
      for (const [, from, to] of substitutions(before ?? [], now ?? [])) {
        if (from === to || !isWord(from)) continue;
        const key = `${from}\0${to}`;
        const known = counts.get(key) ?? { from, to, count: 0, files: new Set<string>() };
        known.count += 1;
        known.files.add(path);
        counts.set(key, known);
      }
    };
    for (const [one, two] of alignment.exact.entries()) if (two >= 0) look(one, two);
    for (const [one, two] of alignment.alike) look(one, two);
    lines += alignment.exact.filter((two, one) => two < 0 && !alignment.alike.has(one)).length;
    files.push({ upstream: path, fork: place.path, lines });
  }
  return {
    files,
    identical: files.filter((file) => file.fork !== undefined && file.lines === 0).length,
    differing: files.filter((file) => file.lines > 0).length,
    gone: files.filter((file) => file.fork === undefined).length,
    substitutions: [...counts.values()]
      .map((one) => ({ ...one, files: one.files.size }))
      .toSorted((left, right) => right.files - left.files || right.count - left.count),
  };
}
