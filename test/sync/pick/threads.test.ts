import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeTinyFork, type TinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import type { FixtureCommit } from '../../../fixtures/histories/write-history.ts';
import { type EngineOptions, openEngine, type PickOptions } from '../../../src/sync/pick/open-engine.ts';
import { openMailbox, share } from '../../../src/sync/pick/partner.ts';
import { claimBlocks } from '../../../src/sync/pick/pick-batches.ts';
import type { PickResult } from '../../../src/sync/pick/pick-result.ts';
import { loadPack } from '../../../src/sync/rules/load-pack.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const count = 60;

/** Many upstream commits, some of them imported already, so that there are lessons to share. */
function makeManyCommits(): TinyFork {
  const upstream: FixtureCommit[] = [];
  const fork: FixtureCommit[] = [];
  for (let index = 0; index < count; index += 1) {
    const files = {
      [`quartz/gem${index}.go`]: `package quartz\n\n// Gem${index} is of Quartz.\ntype Gem${index} int\n`,
    };
    const from = index === 0 ? 'base' : `u${index - 1}`;
    upstream.push({ name: `u${index}`, from, time: 2100 + index, files });
    if (index % 4 === 0)
      fork.push({
        name: `f${index}`,
        from: index === 0 ? 'rename' : `f${index - 4}`,
        time: 3000 + index,
        authorTime: 2100 + index,
        files: {
          [`internal/gem${index}.go`]: `package internal\n\n// Gem${index} is of Onyx.\ntype Gem${index} int\n`,
        },
      });
  }
  return makeTinyFork(temporaryFolder(), { upstream, fork });
}

async function pickAll(
  tiny: TinyFork,
  options: Partial<EngineOptions>,
  how: PickOptions = { keep: true },
  see: (result: PickResult) => void = () => {},
): Promise<readonly PickResult[]> {
  const pack = loadPack(tiny.rules);
  const engine = await openEngine({ ...tiny, pack, program: 'engine.ts', ...options });
  const requests = Array.from({ length: count }, (_, index) => ({
    upstream: tiny.sha(`u${index}`),
    onto: tiny.sha(`f${4 * Math.floor((index * 3) / count)}`),
  }));
  const results: PickResult[] = [];
  try {
    for await (const { result } of engine.pick(requests, how)) {
      results.push(result);
      see(result);
    }
    return results;
  } finally {
    await engine.close();
  }
}

describe('two threads', () => {
  it('give the same picks in the same order as one, every commit where it can be fetched', async () => {
    const tiny = makeManyCommits();
    const cache = (name: string) => ({ cache: join(tiny.cache, name) });
    const one = await pickAll(tiny, { threads: 1, ...cache('one') });
    const two = await pickAll(tiny, { threads: 2, ...cache('two') });
    expect(two).toEqual(one);
    expect(one.filter((result) => result.commit !== undefined).length).toBeGreaterThan(count / 2);
    const [scratch = ''] = execFileSync('find', [join(tiny.cache, 'two'), '-name', '*.git'], {
      encoding: 'utf8',
    }).split('\n');
    const refs = execFileSync('git', [`--git-dir=${scratch}`, 'for-each-ref', '--format=%(objectname)'], {
      encoding: 'utf8',
    });
    const kept = new Set(refs.trim().split('\n'));
    for (const { commit } of two) if (commit !== undefined) expect(kept).toContain(commit);
    expect(() =>
      execFileSync('git', [`--git-dir=${scratch}`, 'fsck', '--connectivity-only', ...kept]),
    ).not.toThrow();
  });

  it('share the cache with one: what two made, one finds', async () => {
    const tiny = makeManyCommits();
    const program = join(tiny.cache, '..', 'program.js');
    writeFileSync(program, 'any');
    const two = await pickAll(tiny, { threads: 2, program });
    const one = await pickAll(tiny, { threads: 1, program });
    expect(one).toEqual(two);
  });

  it('stop when told, and everything given by then is kept', async () => {
    const tiny = makeManyCommits();
    const stop = new AbortController();
    const results = await pickAll(tiny, { threads: 2 }, { keep: true, signal: stop.signal }, () =>
      stop.abort(),
    );
    const all = await pickAll(tiny, { threads: 1, cache: join(tiny.cache, 'other') });
    expect(results).toEqual(all.slice(0, results.length));
  });

  it('fail as one when the second cannot go on', async () => {
    const tiny = makeManyCommits();
    const cache = join(tiny.cache, 'bad');
    const program = join(tiny.cache, '..', 'program.js');
    writeFileSync(program, 'any');
    // A value that cannot be sent to another thread stands for everything that can break between the two.
    const pack = { ...loadPack(tiny.rules), unsendable: () => {} };
    await expect(pickAll(tiny, { threads: 2, cache, program, pack })).rejects.toThrow(/could not be cloned/);
  });
});

describe('share', () => {
  it('makes each part once, and gives it to both', async () => {
    const here = openMailbox(0, (name, value) => there.deliver(name, structuredClone(value)));
    const there = openMailbox(1, (name, value) => here.deliver(name, structuredClone(value)));
    const made: string[] = [];
    const part = (owner: 0 | 1, name: string) => async (): Promise<string> => {
      made.push(`${owner} ${name}`);
      return name;
    };
    const results = await Promise.all(
      [here, there].map(async ({ partner }) => [
        await share(partner, 0, 'first', part(0, 'first')),
        await share(partner, 1, 'second', part(1, 'second')),
      ]),
    );
    expect(results).toEqual([
      ['first', 'second'],
      ['first', 'second'],
    ]);
    expect(made.toSorted()).toEqual(['0 first', '1 second']);
  });

  it('does not wait for one that has failed', async () => {
    const mailbox = openMailbox(0, () => {});
    const early = mailbox.partner.receive('early');
    mailbox.fail(new Error('gone'));
    await expect(early).rejects.toThrow('gone');
    await expect(mailbox.partner.receive('late')).rejects.toThrow('gone');
  });
});

describe('claimBlocks', () => {
  it('gives every place to exactly one of the two, however they take turns', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.array(fc.boolean(), { maxLength: 80 }), (length, turns) => {
        const counter = new Int32Array(new SharedArrayBuffer(8));
        const places = Array.from({ length }, (_, index) => 2 * index);
        const claims = [claimBlocks(counter, places), claimBlocks(counter, places)] as const;
        const taken: number[] = [];
        for (const turn of [...turns, ...Array.from({ length: 40 }, (_, index) => index % 3 === 0)])
          taken.push(...(claims[turn ? 1 : 0]() ?? []));
        expect(taken.toSorted((left, right) => left - right)).toEqual(places);
      }),
    );
  });
});
