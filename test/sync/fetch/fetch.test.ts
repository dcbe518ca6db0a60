import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { closedLicence, makeTinyFork } from '../../../fixtures/histories/tiny-fork.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { forkSync } from '../fork-sync.ts';

interface Setting {
  readonly folder: string;
  readonly served: string;
  /** `lxd.git` beside the configuration, as it names it. */
  readonly upstream: string;
  readonly sha: (name: string) => string;
  readonly configure: (change: object) => void;
  readonly fetch: (...args: readonly string[]) => ReturnType<typeof forkSync>;
}

/** An upstream that is served, a fork, and a configuration whose upstream is not there yet. */
function openSetting({ filters = true }: { readonly filters?: boolean } = {}): Setting {
  const folder = temporaryFolder();
  const { upstream, sha } = makeTinyFork(folder, {
    upstream: [
      { name: 'readme', from: 'base', time: 2100, files: { 'README.md': 'Quartz!\n' } },
      { name: 'barred', from: 'readme', time: 2200, files: { COPYING: closedLicence, 'a.txt': 'closed\n' } },
      { name: 'main', from: 'barred', time: 2300, files: {} },
    ],
  });
  const served = join(folder, 'served.git');
  renameSync(upstream, served);
  if (filters) execFileSync('git', [`--git-dir=${served}`, 'config', 'uploadpack.allowFilter', 'true']);
  const config = {
    ...{ upstream: 'lxd.git', fork: 'fork.git', rules: 'rules', cache: 'cache' },
    publish: { repositories: ['me/onyx'], repository: 'me/onyx', base: 'rename', branch: 'sync/main' },
  };
  const configure = (change: object): void =>
    writeFileSync(join(folder, 'fork-sync.yaml'), stringify({ ...config, ...change }));
  configure({});
  return {
    folder,
    served,
    upstream: join(folder, 'lxd.git'),
    sha,
    configure,
    fetch: (...args) => forkSync(['fetch', '--config', 'fork-sync.yaml', ...args], { cwd: folder }),
  };
}

const nothingNew = 'main: 0 licence texts and 0 files of cleared commits fetched\n';

describe('fork-sync fetch --config', () => {
  it('makes upstream the first time, from a path as it is meant where one stands, and finds nothing new the second', () => {
    const here = openSetting();

    const [first, second] = [here.fetch('--from', 'served.git'), here.fetch()];

    expect(first).toMatchObject({
      status: 0,
      stdout: 'main: 1 licence texts and 1 files of cleared commits fetched\n',
    });
    expect(second).toMatchObject({ status: 0, stdout: nothingNew, stderr: '' });
  });

  it('makes nothing from an address that does not answer, so that the right one is asked the next time', () => {
    const here = openSetting();

    const wrong = here.fetch('--from', `file://${here.folder}/swerved.git`);
    const made = existsSync(here.upstream);
    const right = here.fetch('--from', `file://${here.served}`);

    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toMatch(/nothing was made there[\s\S]*See that --from is right: .*swerved\.git/);
    expect(made).toBe(false);
    expect(right.status).toBe(0);
  });

  it('says plainly that upstream does not answer any more', () => {
    const here = openSetting();
    here.fetch('--from', here.served);
    renameSync(here.served, `${here.served}.away`);

    const gone = here.fetch();

    expect(gone.status).toBe(1);
    expect(gone.stderr).toMatch(/^Upstream could not be fetched into .*what is there already stays/);
    expect(gone.stderr).not.toContain('    at ');
  });

  it('refuses a branch that is named and that upstream does not have, also beside one that it has', () => {
    const here = openSetting();
    here.configure({ branches: ['main', 'raedme'] });

    const refused = here.fetch('--from', here.served);

    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('Upstream has no branch raedme; did you mean readme?');
  });

  it('takes of the branches of the pack those that upstream has', () => {
    const here = openSetting();
    // The pack also lists `stable`.
    expect(here.fetch('--from', here.served).stdout).toMatch(/^main: /);
  });

  it('looks at a branch as it was', () => {
    const here = openSetting();
    here.configure({ branches: [`main=${here.sha('base')}`] });
    const { status, stdout } = here.fetch('--from', here.served);
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: `main=${here.sha('base')}: 0 licence texts and 0 files of cleared commits fetched\n`,
    });
  });

  it('brings what is new into a clone in which somebody works, and it is seen there', () => {
    const here = openSetting();
    const git = (...args: readonly string[]) => execFileSync('git', args, { cwd: here.folder });
    const moveTo = (name: string) =>
      git(`--git-dir=${here.served}`, 'update-ref', 'refs/heads/main', here.sha(name));
    moveTo('base');
    git('clone', '--quiet', '--branch', 'main', `file://${here.served}`, 'lxd');
    here.configure({ upstream: 'lxd' });
    moveTo('readme');

    const brought = here.fetch();
    const scanned = forkSync(
      [
        ...['scan', '--upstream', 'lxd', '--fork', 'fork.git', '--rules', 'rules', '--cache', 'cache'],
        ...['--onto', 'rename'],
      ],
      { cwd: here.folder },
    );

    expect(brought.status).toBe(0);
    expect(scanned.stdout).toContain(here.sha('readme').slice(0, 12));
    expect(String(git('-C', 'lxd', 'rev-parse', 'main')).trim()).toBe(here.sha('base'));
  });

  it.each([
    { what: 'a fork that is not there', change: { fork: 'gone.git' }, why: 'gone.git' },
    {
      what: 'a base that the fork does not have',
      change: {
        publish: { repositories: ['me/onyx'], repository: 'me/onyx', base: 'gone', branch: 'sync/main' },
      },
      why: 'No commit is called gone',
    },
  ])('names $what before anything is fetched', ({ change, why }) => {
    const here = openSetting();
    here.configure(change);

    const refused = here.fetch('--from', here.served);

    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(why);
    expect(existsSync(here.upstream)).toBe(false);
  });

  it('does not make a repository among files of somebody else', () => {
    const here = openSetting();
    here.configure({ upstream: 'rules' });
    const before = readdirSync(join(here.folder, 'rules'));

    const refused = here.fetch('--from', here.served);

    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('This is not a git repository');
    expect(readdirSync(join(here.folder, 'rules'))).toEqual(before);
  });

  it('says that a server without filters sends what was not asked for', () => {
    const here = openSetting({ filters: false });
    const { status, stderr } = here.fetch('--from', `file://${here.served}`);
    expect(status).toBe(0);
    expect(stderr).toContain('Upstream sends all files');
  });
});
