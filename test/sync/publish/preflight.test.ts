import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { makeTinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { openEngine } from '../../../src/sync/pick/open-engine.ts';
import { checkFiles, checkMessage } from '../../../src/sync/publish/preflight.ts';
import { loadPack } from '../../../src/sync/rules/load-pack.ts';
import type { RulePack } from '../../../src/sync/rules/model.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

const signed = 'Signed-off-by: Ann Author <ann@example.org>';
const author = { who: 'Ann Author <ann@example.org>', email: 'ann@example.org', time: 0, zone: '+0000' };

let folder = '';
let pack: RulePack;

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'lxd-to-incus-test-')));
  pack = loadPack(makeTinyFork(folder).rules);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function findingsOf(message: string): readonly string[] {
  return checkMessage({ message, author }, pack, { forbiddenTrailerWords: ['robot'] }).map(
    ({ check }) => check,
  );
}

describe('a message, before it is pushed', () => {
  it('passes as the engine writes it', () => {
    const message = `[import] scripts: Restart\n\nFixes upstream: mine/quartz#7 (mail me@example.org, see a/b@1.2)\n\n${signed}\n(cherry picked from commit ${'a'.repeat(40)})\n`;
    expect(findingsOf(message)).toEqual([]);
  });

  it.each([
    ['no sign-off', '[import] a\n\nText.\n', ['sign-off']],
    ['the sign-off of somebody else', '[import] a\n\nSigned-off-by: Bob <bob@example.org>\n', ['sign-off']],
    ['a keyword that closes', `[import] Fixes #1\n\n${signed}\n`, ['closing-keyword']],
    [
      'a keyword that closes elsewhere',
      `[import] a\n\ncloses: mine/quartz#1\n\n${signed}\n`,
      ['closing-keyword'],
    ],
    ['a number of upstream', `[import] a (#12)\n\n${signed}\n`, ['foreign-reference']],
    ['a mention', `[import] a\n\nThanks @mia!\n\n${signed}\n`, ['mention']],
    ['a mention of a team', `[import] a\n\n@onyx/maintainers\n\n${signed}\n`, ['mention']],
    ['a doubled tag', `[import] [import] a\n\n${signed}\n`, ['doubled']],
    ['a doubled sign-off', `[import] a\n\n${signed}\n${signed}\n`, ['doubled']],
    [
      'a forbidden trailer',
      `[import] a\n\n${signed}\nCo-authored-by: Some Robot <r@example.org>\n`,
      ['forbidden-trailer'],
    ],
  ])('is held back for %s', (_, message, checks) => {
    expect(findingsOf(message)).toEqual(checks);
  });
});

describe('files, before they are pushed', () => {
  async function filesOf(files: Readonly<Record<string, string>>) {
    const tiny = makeTinyFork(temporaryFolder(), {
      fork: [{ name: 'picked', from: 'rename', time: 3000, files }],
    });
    const engine = await openEngine({ ...tiny, pack: loadPack(tiny.rules), program: 'engine.ts' });
    onTestFinished(() => engine.close());
    return checkFiles(await engine.objects.commit(tiny.sha('picked')), engine.objects, engine.pack);
  }

  it('pass where new lines speak of the fork, of protected words, or as the file did before', async () => {
    expect(await filesOf({ 'README.md': 'Onyx\nlibquartz\n', 'a.rst': 'Title\n=======\n' })).toEqual([]);
  });

  it('are held back for a conflict marker, and looked at for words of upstream', async () => {
    expect(
      await filesOf({ 'a.txt': 'a\n<<<<<<< ours\nb\n', 'doc/guide.md': 'Quartz is here\n' }),
    ).toMatchObject([
      { check: 'marker', holds: true, path: 'a.txt' },
      { check: 'upstream-word', holds: false, path: 'doc/guide.md', why: expect.stringContaining('Quartz') },
    ]);
  });
});
