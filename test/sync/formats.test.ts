// What fork-sync writes down is read by later versions, and what later ones write is answered with their name.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { writeRules } from '../../fixtures/histories/tiny-fork.ts';
import { Failure } from '../../src/core/failure.ts';
import { toolVersion } from '../../src/core/version.ts';
import { type Decision, readDecisions, writeDecision } from '../../src/sync/decide/decision.ts';
import { loadConfig } from '../../src/sync/nightly/load-config.ts';
import { takeLock } from '../../src/sync/nightly/lock.ts';
import { readNote } from '../../src/sync/pick/checkout-pick.ts';
import { formatDecision } from '../../src/sync/publish/decision-files.ts';
import { formatKeptPlan, readKeptPlan } from '../../src/sync/publish/kept-plan.ts';
import { readMarker, withMarker } from '../../src/sync/publish/marker.ts';
import { loadPack } from '../../src/sync/rules/load-pack.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const fixtures = join(import.meta.dirname, '..', '..', 'fixtures', 'formats');
const fixture = (name: string): string => readFileSync(join(fixtures, name), 'utf8');

const one = '1'.repeat(40);
const two = '2'.repeat(40);
const decision: Decision = {
  upstream: one,
  decision: 'skip',
  by: 'Pia <pia@example.org>',
  on: '2026-01-31',
  why: 'The fork has no gems.',
  reason: 'not-wanted',
};

/** Each thing that is written down, as a text in its place, and what reading it gives. */
const kinds: Readonly<Record<string, { readonly file: string; readonly read: (text: string) => unknown }>> = {
  'a decision': {
    file: 'decision-1.yaml',
    read(text) {
      const pack = temporaryFolder();
      mkdirSync(join(pack, 'decisions'));
      writeFileSync(join(pack, 'decisions', `${one}.yaml`), text);
      return readDecisions(pack).get(one);
    },
  },
  'the configuration': {
    file: 'fork-sync-1.yaml',
    read(text) {
      const path = join(temporaryFolder(), 'fork-sync.yaml');
      writeFileSync(path, text);
      return loadConfig(path).publish.repository;
    },
  },
  'the note of a checkout': {
    file: 'checkout-note-1.json',
    read(text) {
      const folder = temporaryFolder();
      mkdirSync(join(folder, '.git'));
      writeFileSync(join(folder, '.git', 'fork-sync.json'), text);
      return readNote(folder);
    },
  },
  'the plan beside a branch': { file: 'kept-plan-1.json', read: readKeptPlan },
};

const expected: Readonly<Record<string, unknown>> = {
  'a decision': decision,
  'the configuration': 'me/incus',
  'the note of a checkout': { upstream: one, onto: two },
  'the plan beside a branch': two,
};

describe.each(Object.entries(kinds))('%s', (name, { file, read }) => {
  it('of the released format 1 is read', () => {
    expect(read(fixture(file))).toEqual(expected[name]);
  });

  it('of a newer format is answered with the version that wrote it, and this one', () => {
    const newer = fixture(file)
      .replace(/(format"?: ?)1/, '$12')
      .replace('fork-sync 0.1.0', 'fork-sync 9.8.7\u009b31m');

    const act = (): unknown => read(newer);

    const writer = newer.includes('writtenBy') ? 'fork-sync 9.8.7' : 'another version';
    expect(act).toThrow(`format 2, written by ${writer}`);
    expect(act).toThrow(`fork-sync ${toolVersion} reads format 1`);
  });

  it('that is damaged in any way is answered, or is not there', () => {
    const text = fixture(file);
    fc.assert(
      fc.property(
        fc.nat(text.length - 1),
        fc.nat(20),
        fc.string({ unit: 'binary', maxLength: 5 }),
        (at, cut, put) => {
          const damaged = text.slice(0, at) + put + text.slice(at + cut);
          try {
            read(damaged);
          } catch (error) {
            expect(error).toBeInstanceOf(Failure);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

it('files of the rule pack of a newer format are answered', () => {
  const pack = temporaryFolder();
  writeRules(pack, one);
  const path = join(pack, 'pack.yaml');
  writeFileSync(path, `format: 7\nwrittenBy: fork-sync 9.8.7\n${readFileSync(path, 'utf8')}`);

  expect(() => loadPack(pack)).toThrow('pack.yaml: format: it is of format 7, written by fork-sync 9.8.7');
});

it('decisions are written in the format that is released, from the command line and from comments', () => {
  const pack = temporaryFolder();

  const path = writeDecision(pack, decision);

  const released = { ...parse(fixture('decision-1.yaml')), writtenBy: `fork-sync ${toolVersion}` };
  expect(parse(readFileSync(path, 'utf8'))).toEqual(released);
  expect(parse(formatDecision({ ...decision, decision: 'skip', reason: 'not-wanted' }))).toEqual(released);
});

it('a plan beside a branch is written in the format that is released', () => {
  const { format: _format, writtenBy: _writer, ...plan } = JSON.parse(fixture('kept-plan-1.json'));

  const text = formatKeptPlan(plan);

  expect(JSON.parse(text)).toEqual({
    ...JSON.parse(fixture('kept-plan-1.json')),
    writtenBy: `fork-sync ${toolVersion}`,
  });
});

describe('marks in comments', () => {
  it('of the released format 1 are read, and written like that', () => {
    const found = readMarker(fixture('comment-1.md'));

    expect(found).toMatchObject({ topic: 'plan', part: 2 });
    expect(withMarker({ topic: 'plan', part: 2 }, 'One.')).toMatch(
      /^<!-- fork-sync plan 2 [0-9a-f]{16} -->\nOne\.$/,
    );
  });

  it('of a newer format are answered with its version', () => {
    const act = (): unknown => readMarker('<!-- fork-sync/3 9.8.7 whatever it says -->\nText.\n');

    expect(act).toThrow('format 3, written by fork-sync 9.8.7');
  });

  it('that people broke are no marks', () => {
    expect(readMarker('<!-- fork-sync plan two -->\nText.\n')).toBe(undefined);
  });
});

describe('the lock of the nightly run', () => {
  const hold = (folder: string): void => {
    const database = new Database(join(folder, 'nightly.lock'));
    database.exec('BEGIN EXCLUSIVE');
    onTestFinished(() => void database.close());
  };
  const take = (folder: string): unknown => {
    try {
      takeLock(folder)();
      return 'taken';
    } catch (error) {
      return error instanceof Failure ? error.problem : error;
    }
  };

  it.each([
    ['of the released format 1', fixture('nightly-note-1.json'), { pid: 4711, writtenBy: 'fork-sync 0.1.0' }],
    ['of a newer format', '{"format":2,"process":4711}', undefined],
    ['that is damaged', '{"format":1,"pi', undefined],
    ['that is empty', '', undefined],
  ])('counts whatever its note says: one %s', (_what, note, holder) => {
    const folder = temporaryFolder();
    hold(folder);
    writeFileSync(join(folder, 'nightly.json'), note);

    expect(take(folder)).toMatchObject({ code: 'already-running' });
    expect(take(folder)).toHaveProperty(
      'holder',
      holder === undefined ? undefined : expect.objectContaining(holder),
    );
  });

  it('is made anew where nothing is in it that could be locked', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'nightly.lock'), 'garbage '.repeat(1000));

    expect(take(folder)).toBe('taken');
    expect(take(folder)).toBe('taken');
  });
});
