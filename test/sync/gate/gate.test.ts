import { describe, expect, it } from 'vitest';
import { closedLicence, freeLicence, makeTinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import type { FixtureCommit } from '../../../fixtures/histories/write-history.ts';
import { readTrailers } from '../../../src/sync/gate/read-trailers.ts';
import { allowsCompatible, readSpdxHeaders } from '../../../src/sync/gate/spdx.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { scanTiny } from '../scanned.ts';

const closing: FixtureCommit = {
  name: 'closing',
  from: 'base',
  time: 1100,
  files: { COPYING: closedLicence, 'client/COPYING': freeLicence, 'client/a.txt': 'a\n' },
};

const licensed = (value: string, name = 'License'): Partial<FixtureCommit> => ({
  message: `Change\n\nMore.\n\nSigned-off-by: Ann <ann@example.org>\n${name}: ${value}\n`,
});

const cases: readonly (readonly [string, FixtureCommit['files'], Partial<FixtureCommit>, string])[] = [
  ['a file under the closed text', { 'store.txt': 'b\n' }, {}, 'Closed-1.0'],
  ['a folder with its own open text', { 'client/a.txt': 'b\n' }, {}, 'branch main; client/COPYING: Free-1.0'],
  [
    'both at once',
    { 'client/a.txt': 'b\n', 'store.txt': 'b\n' },
    {},
    'Closed-1.0; mixed: the part under client/ alone would be cleared',
  ],
  ['a new folder whose text is not known', { 'more/LICENSE': 'Ask me.\n' }, {}, 'an unknown licence text'],
  [
    'a text that is a link to another',
    { 'more/LICENSE': { mode: '120000', content: '../client/COPYING' }, 'more/a.txt': 'a\n' },
    {},
    'a licence text that is no file',
  ],
  ['a trailer', { 'store.txt': 'b\n' }, licensed('Free-1.0'), 'branch main; trailer: Free-1.0'],
  [
    'the other spelling',
    { 'store.txt': 'b\n' },
    licensed('Free-1.0', 'Licence'),
    'branch main; trailer: Free-1.0',
  ],
  [
    'a trailer of a licence that is closed, whatever the folder says',
    { 'client/a.txt': 'b\n' },
    licensed('Closed-1.0'),
    'a trailer names a licence that may not come over',
  ],
  [
    'a sha of an open commit: no evidence',
    { 'store.txt': 'b\n' },
    { message: `Change\n\n(cherry picked from commit ${'1'.repeat(40)})\n` },
    'Closed-1.0',
  ],
  [
    'a trailer in the middle of the text',
    { 'store.txt': 'b\n' },
    { message: 'Change\n\nLicense: Free-1.0\n\nSigned-off-by: Ann <ann@example.org>\n' },
    'Closed-1.0',
  ],
  [
    'a header that closes what the folder opens',
    { 'client/a.c': '/* SPDX-License-Identifier: Closed-1.0 */\n' },
    {},
    'the header of a file names a licence that may not come over',
  ],
  [
    'a header that would open what is closed',
    { 'a.c': '// SPDX-License-Identifier: Free-1.0\n' },
    {},
    'Closed-1.0',
  ],
];

/** What the gate says of each case after upstream closed itself but for client/: one history, scanned once. */
async function judgeAll(): Promise<readonly (string | undefined)[]> {
  const tiny = makeTinyFork(temporaryFolder(), {
    upstream: [
      closing,
      ...cases.flatMap(([, files, more], index): readonly FixtureCommit[] => [
        { name: `change-${index}`, from: 'closing', time: 1200 + index, files, ...more },
        {
          name: `merge-${index}`,
          from: index === 0 ? 'closing' : `merge-${index - 1}`,
          merge: `change-${index}`,
          time: 2000 + index,
          files: {},
        },
      ]),
    ],
  });
  const { of } = await scanTiny(tiny, { main: `merge-${cases.length - 1}` });
  return cases.map((_, index) => {
    const found = of(`change-${index}`);
    return found?.state === 'pending' ? found.evidence?.join('; ') : found?.reason;
  });
}

let judged: Promise<readonly (string | undefined)[]> | undefined;

describe('the licence gate', () => {
  it.each(cases.map(([name, , , expected], index) => ({ name, expected, index })))(
    'judges $name',
    async ({ expected, index }) => {
      judged ??= judgeAll();
      expect((await judged)[index]).toBe(expected);
    },
  );

  it('opens again with the text, but not for the commit that opens it', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [
        closing,
        {
          name: 'opening',
          from: 'closing',
          time: 1200,
          files: { 'shared/COPYING': freeLicence, 'shared/helpers.go': 'package shared\n' },
        },
        {
          name: 'open',
          from: 'opening',
          time: 1300,
          files: { 'shared/helpers.go': 'package shared // more\n' },
        },
      ],
    });
    const { of } = await scanTiny(tiny, { main: 'open' });
    expect([of('closing'), of('opening'), of('open')].map((one) => one?.state)).toEqual([
      'blocked',
      'blocked',
      'pending',
    ]);
  });

  it('takes nothing from a branch that the policy does not name, whatever its texts say', async () => {
    const tiny = makeTinyFork(temporaryFolder(), {
      upstream: [{ name: 'change', from: 'base', time: 1100, files: { 'a.txt': 'a\n' } }],
    });
    const { engine, open } = await scanTiny(tiny, { main: 'change' });
    const { scanRepositories } = await import('../../../src/sync/scan/scan-repositories.ts');
    const { noScanCache } = await import('../../../src/sync/scan/scan-cache.ts');
    const other = await scanRepositories(
      { pack: engine.pack, objects: engine.objects, cache: noScanCache, decisions: new Map() },
      {
        upstream: [{ branch: 'elsewhere', sha: tiny.sha('change') }],
        upstreamBranches: [],
        fork: tiny.sha('rename'),
        forkBranches: [],
      },
    );
    expect(open.scan.commits[0]?.state).toBe('pending');
    expect(other.scan.commits[0]).toMatchObject({
      state: 'blocked',
      reason: expect.stringContaining('branch'),
    });
  });
});

describe('trailers', () => {
  it('are the last paragraph, whole', () => {
    expect(readTrailers('Subject\n\nA: b\n')).toEqual([{ name: 'a', value: 'b' }]);
    expect(readTrailers('License: Free-1.0\n')).toEqual([]);
    expect(readTrailers('Subject\n\nLicense: Free-1.0\nand so on\n')).toEqual([]);
    expect(
      readTrailers(
        'Subject\n\nA: b\n  goes on\n(cherry picked from commit 0000000000000000000000000000000000000000)\nLicense: X\n',
      ),
    ).toHaveLength(2);
  });

  it('may stand beside the address of the commit that it was picked from, but not beside other text', () => {
    const sha = '0'.repeat(40);
    const license = 'License: X\n';

    const address = readTrailers(
      `S\n\n(cherry picked from commit https://example.org/a/pull/1/commits/${sha})\n${license}`,
    );
    const text = readTrailers(`S\n\n(cherry picked from commit ${sha} and another)\n${license}`);

    expect(address).toEqual([{ name: 'license', value: 'X' }]);
    expect(text).toEqual([]);
  });
});

describe('SPDX expressions', () => {
  it.each([
    ['MIT', true],
    ['mit', true],
    ['GPL-2.0', false],
    ['GPL-2.0 OR MIT', true],
    ['GPL-2.0 AND MIT', false],
    ['(GPL-2.0 OR MIT) AND Apache-2.0', true],
    ['Apache-2.0 WITH LLVM-exception', true],
    ['MIT OR', false],
    ['(MIT', false],
    ['', false],
  ])('%s', (expression, expected) => {
    expect(allowsCompatible(expression, ['MIT', 'Apache-2.0'])).toBe(expected);
  });

  it('are read from comments of any kind near the top', () => {
    expect(
      readSpdxHeaders('/* SPDX-License-Identifier: MIT */\n# SPDX-License-Identifier: GPL-2.0\r\n'),
    ).toEqual(['MIT', 'GPL-2.0']);
  });
});
