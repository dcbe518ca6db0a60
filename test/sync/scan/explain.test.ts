import { describe, expect, it } from 'vitest';
import { closedLicence, makeTinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { commit } from '../../../fixtures/histories/write-history.ts';
import { explainCommit } from '../../../src/sync/scan/explain.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { forkSync, repositoriesOf } from '../fork-sync.ts';
import { scanTiny } from '../scanned.ts';

const ann = 'Ann Author <ann@example.org>';

function make() {
  return makeTinyFork(temporaryFolder(), {
    shared: [
      commit('fix', 'base', 1010, { 'notes.txt': 'fixed\n' }, { author: ann, authorTime: 1005 }),
      commit('end', 'fix', 1020, { 'end.txt': 'x\n' }),
    ],
    upstream: [
      commit('one', 'end', 1100, { 'one.txt': '1\n' }, { author: ann, authorTime: 1090 }),
      commit('po', 'one', 1150, { 'po/de.po': 'msgid "b"\n' }),
      commit('open', 'po', 1160, { 'open.txt': 'x\n' }),
      commit('closing', 'open', 1200, { COPYING: closedLicence }),
      commit('closed', 'closing', 1300, { 'secret-name.txt': 'x\n' }, { message: 'store: Closed\n' }),
      commit('backport', 'base', 1250, { 'notes.txt': 'fixed\n' }, { author: ann, authorTime: 1005 }),
    ],
    fork: [commit('import', 'rename', 2500, { 'one.txt': '1\n' }, { author: ann, authorTime: 1090 })],
  });
}

describe('why a commit is where it is', () => {
  it('names both commits with author, date and subject, and where the fork has its own', async () => {
    const tiny = make();
    const { of, open, engine } = await scanTiny(tiny, { main: 'closed', stable: 'backport', fork: 'import' });
    const explain = async (name: string) => {
      const found = of(name);
      return found === undefined ? [] : explainCommit(engine.objects, open, found);
    };

    expect(await explain('one')).toEqual([
      `${tiny.sha('one')} one`,
      'branch main',
      'state imported (author-and-date): a fork commit has its author and author date',
      `upstream ${tiny.sha('one')}: ann@example.org, 1090 +0200, one`,
      `in the fork ${tiny.sha('import')}: ann@example.org, 1090 +0200, import`,
      `${tiny.sha('import')} is an ancestor of the fork's ${tiny.sha('import')}`,
    ]);
    expect(await explain('backport')).toEqual([
      `${tiny.sha('backport')} backport`,
      'branch stable',
      'state shared (shared-author-and-date): a backport of a commit from before the fork: the same author and author date',
      `upstream ${tiny.sha('backport')}: ann@example.org, 1005 +0200, backport`,
      `in the fork ${tiny.sha('fix')}: ann@example.org, 1005 +0200, fix`,
      `${tiny.sha('fix')} is the fork point, or an ancestor of it`,
    ]);
    expect((await explain('po'))[2]).toBe(
      'state skipped (rule): rule translations: Made anew after every import.',
    );
    expect(await explain('open')).toEqual([
      `${tiny.sha('open')} open`,
      'branch main',
      'state pending (nothing): nothing is known of it in the fork',
      `upstream ${tiny.sha('open')}: ann@example.org, 1160 +0200, open`,
      'no trailer: none of 2 commits of the fork since the fork point names it, and it names none of them',
      'no author and date: none of them and of 3 from before has both',
      'no twin: no recognised one of 6 upstream commits has its author and date or is named by it',
      'no same change: no commit of the fork with these files removes and adds the same lines',
      'no decision, and no rule of the pack, leaves it out',
      'licence: branch main',
      'licence: COPYING: Free-1.0',
    ]);
  });

  it('says of a barred commit its sha, its subject and the reason, and nothing else', async () => {
    const tiny = make();
    const { of, open, engine } = await scanTiny(tiny, { main: 'closed', fork: 'import' });
    const closed = of('closed');

    const lines = closed === undefined ? [] : await explainCommit(engine.objects, open, closed);

    expect(lines).toEqual([
      `${tiny.sha('closed')} store: Closed`,
      'branch main',
      'state blocked (licence): Closed-1.0',
    ]);
  });

  it('is what status --explain prints', () => {
    const tiny = make();
    const args = ['--onto', tiny.sha('import'), '--branch', `main=${tiny.sha('closed')}`];

    const done = forkSync(['status', '--explain', tiny.sha('one'), ...args, ...repositoriesOf(tiny)]);
    const json = forkSync([
      'status',
      '--explain',
      tiny.sha('one'),
      '--json',
      ...args,
      ...repositoriesOf(tiny),
    ]);
    const both = forkSync(['status', tiny.sha('one'), '--explain', tiny.sha('one'), ...repositoriesOf(tiny)]);

    expect([done.status, done.stderr]).toEqual([0, '']);
    expect(done.stdout.split('\n')[2]).toBe(
      'state imported (author-and-date): a fork commit has its author and author date',
    );
    expect(JSON.parse(json.stdout)).toMatchObject({ state: 'imported', by: 'author-and-date' });
    expect([both.status, both.stderr]).toEqual([2, expect.stringContaining('Two commits are named')]);
  });
});
