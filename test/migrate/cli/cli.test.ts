// The command line as scripts see it: exit codes, what goes where, and that JSON is JSON.
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { unpackDatabaseFixture } from '../../../src/dev/database-fixture.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { ask } from '../lxd-database.ts';
import { type Answer, events, giveToUser, isRoot, runCli } from './run-cli.ts';

const folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'cli-')));
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);
const state = at('state');
const copy = ['--lxd-dir', at('server'), '--incus-dir', at('incus'), '--state', state];

/** Everything that is run; at once where it may, since each start of a process takes its time. */
const calls = {
  help: ['--help'],
  planHelp: ['plan', '--help'],
  version: ['--version'],
  unknownCommand: ['--json', 'frobnicate'],
  misspelled: ['rolback', '--yes', '--state', state],
  unknownOption: ['plan', '--frobnicate'],
  missingArgument: ['export-db'],
  clusterMember: ['--cluster-member', '--json', '--state', state],
  ignoreVersion: ['migrate', '--yes', '--ignore-version-check', '--state', state],
  servicesBad: ['plan', ...copy, '--services', at('bad-services.json')],
  planBad: ['migrate', ...copy, '--plan', at('bad-services.json'), '--json'],
  stopTimeout: ['migrate', ...copy, '--stop-timeout', '0'],
  migrateNotRoot: ['migrate', ...copy, '--yes'],
  verifyNotRoot: ['verify', '--state', state, '--json'],
  noDatabase: ['plan', '--lxd-dir', at('empty'), '--state', state],
  nowhere: ['plan', '--lxd-dir', at('not-there'), '--state', state, '--json'],
  unreadable: ['plan', '--lxd-dir', at('locked'), '--state', state],
  hostileName: ['plan', '--lxd-dir', `${at('')}\u001b[2J\u202e`, '--state', state],
  otherDatabase: ['plan', '--lxd-dir', at('not-sqlite'), '--state', state],
  plan: ['plan', ...copy],
  planOfRaftFolder: [
    'plan',
    '--lxd-dir',
    at('server/database/global'),
    '--incus-dir',
    at('incus'),
    '--state',
    state,
    '--json',
  ],
  planReport: ['plan', ...copy, '--report', at('report'), '--json'],
  inspect: ['inspect', ...copy],
  inspectJson: ['inspect', ...copy, '--json'],
  exportJson: ['export-db', ...copy, at('out.sqlite'), '--json'],
  exportOver: ['export-db', ...copy, at('there.sqlite')],
  stateInside: ['plan', ...copy, '--state', at('server/state')],
  stateThroughLink: ['plan', ...copy, '--state', at('link/not/there'), '--json'],
  stateInIncus: ['plan', ...copy, '--state', at('incus/database/x')],
  stateAbove: ['plan', ...copy, '--state', at('')],
  planReportInside: ['plan', ...copy, '--report', at('server/database/report')],
  inspectReportInside: ['inspect', ...copy, '--report', at('link')],
  exportInside: ['export-db', ...copy, at('server/database/global/out.sqlite'), '--json'],
  reportInProc: ['plan', ...copy, '--report', '/proc/x/y'],
} as const satisfies Record<string, readonly string[]>;

const answers = new Map<string, Answer>();

function answerOf(name: keyof typeof calls): Answer {
  const answer = answers.get(name);
  if (answer === undefined) throw new Error(name);
  return answer;
}

let treeBefore: string[] = [];
const filesOfServer = (): string[] =>
  fs.readdirSync(at('server'), { recursive: true, encoding: 'utf8' }).map((name) => {
    const { size, mtimeMs, mode } = fs.lstatSync(join(at('server'), name));
    return `${name} ${size} ${mtimeMs} ${mode}`;
  });

beforeAll(async () => {
  fs.mkdirSync(at('server'));
  const { database } = unpackDatabaseFixture('lxd-5.0.2-clean', at(''));
  fs.renameSync(database, at('server/database'));
  for (const name of ['empty', 'locked', 'not-sqlite']) fs.mkdirSync(at(name));
  fs.writeFileSync(at('bad-services.json'), '{"source": {"start": "lxd"}}');
  fs.writeFileSync(at('there.sqlite'), 'precious');
  fs.symlinkSync('server', at('link'));
  fs.writeFileSync(at('not-sqlite/metadata1'), 'no metadata');
  giveToUser(folder);
  // Readable by nobody but root.
  fs.chmodSync(at('locked'), 0o000);
  if (isRoot) fs.chownSync(at('locked'), 0, 0);
  treeBefore = filesOfServer();
  const waiting = Object.entries(calls);
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      answers.set(next[0], await runCli(next[1], { cwd: folder }));
  };
  await Promise.all([worker(), worker(), worker()]);
}, 60_000);

describe('help', () => {
  test('names the commands, has examples and the exit codes, and is a success', () => {
    const { status, stdout, stderr } = answerOf('help');

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const command of [
      'migrate',
      'plan',
      'inspect',
      'verify',
      'status',
      'resume',
      'rollback',
      'export-db',
    ])
      expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
    expect(stdout).toMatch(/Examples:\n {2}# .*\n {2}\/.*\/bin\/lxd-to-incus\.js plan\n/);
    expect(stdout).toMatch(/Exit codes: 0 done, 1 failed, 2 usage, 3 blocked/);
    expect(stdout).not.toMatch(/cluster-member|ignore-version-check/);
  });

  test('of a command lists its options', () => {
    const { status, stdout } = answerOf('planHelp');

    expect(status).toBe(0);
    for (const option of ['--lxd-dir', '--incus-dir', '--accept', '--report', '--json'])
      expect(stdout).toContain(option);
  });

  test('--version is that of the package', () => {
    const { version } = JSON.parse(
      fs.readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8'),
    ) as { version: string };

    expect(answerOf('version')).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe('wrong usage ends with 2, says what is wrong, and prints no result', () => {
  test.each([
    ['unknownCommand', /unknown command 'frobnicate' \(known: migrate, plan, /],
    ['misspelled', /unknown command 'rolback'; did you mean rollback\?/],
    ['unknownOption', /unknown option '--frobnicate'/],
    ['missingArgument', /missing required argument 'out'/],
    ['clusterMember', /Clusters are not moved/],
    ['ignoreVersion', /lxd-to-incus\.js plan" shows what stands in the way/],
    ['servicesBad', /source\.start must be a list of arguments/],
    ['planBad', /not a plan of this version/],
    ['stopTimeout', /number of seconds above 0/],
    ['stateInside', /--state: .*server\/state lies in the data directory of LXD, .*\/server\./],
    ['stateThroughLink', /--state: .*link\/not\/there lies in the data directory of LXD/],
    ['stateInIncus', /--state: .*incus\/database\/x lies in the data directory of Incus/],
    ['stateAbove', /--state: the data directory of LXD, .*\/server, lies in /],
    ['planReportInside', /--report: .*server\/database\/report lies in the data directory of LXD/],
    ['inspectReportInside', /--report: .*link lies in the data directory of LXD/],
    ['exportInside', /export-db: .*server\/database\/global lies in the data directory of LXD/],
  ] as const)('%s', (name, message) => {
    const answer = answerOf(name);

    expect(answer.status).toBe(2);
    expect(answer.stderr).toMatch(message);
    expect(answer.stderr).not.toMatch(/\bat \S+ \(|is a bug/);
    if ((calls[name] as readonly string[]).includes('--json'))
      for (const event of events(answer)) expect(event).toMatchObject({ event: 'failed', exit: 2 });
    else expect(answer.stdout).toBe('');
  });

  test.each([
    ['migrateNotRoot', 'migrate'],
    ['verifyNotRoot', 'verify'],
  ] as const)('%s', (name, command) => {
    const answer = answerOf(name);

    expect(answer.status).toBe(2);
    expect(answer.stderr).toContain(`${command} must be run as root`);
    if (name === 'verifyNotRoot')
      expect(events(answer)).toMatchObject([{ event: 'failed', problem: { code: 'needs-root' }, exit: 2 }]);
  });

  test('and nothing is made: no folder of the tool', () => {
    expect(fs.existsSync(state)).toBe(false);
  });
});

describe('a source that cannot be read ends with 1 and names the place', () => {
  test('where there is no database', () => {
    const { status, stderr, stdout } = answerOf('noDatabase');

    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain(at('empty'));
    expect(stderr).toMatch(/no database\/global in it/);
  });

  test('where there is nothing', () => {
    const answer = answerOf('nowhere');

    expect(answer.status).toBe(1);
    expect(events(answer)).toMatchObject([
      { event: 'failed', problem: { code: 'not-a-database', path: at('not-there') }, exit: 1 },
    ]);
    expect(answer.stderr).toContain('does not exist');
  });

  test('where this user may not look', () => {
    const { status, stderr } = answerOf('unreadable');

    expect(status).toBe(1);
    expect(stderr).toContain(at('locked'));
    expect(stderr).toMatch(/cannot be read[\s\S]*as root/);
  });

  test('where the files are no database', () => {
    const { status, stderr } = answerOf('otherDatabase');

    expect(status).toBe(1);
    expect(stderr).toContain('metadata1');
    expect(stderr).not.toContain('is a bug');
  });

  test('where a report cannot be made, instead of never', () => {
    const { status, stderr } = answerOf('reportInProc');

    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'lxd-to-incus: Could not make the folder of the report: ENOENT.\n/proc/x/y\n',
    });
  });

  test('under a name that would act on a terminal', () => {
    const { status, stderr } = answerOf('hostileName');

    expect(status).toBe(1);
    expect(stderr).toContain('\\u{1b}[2J\\u{202e}');
    expect(stderr).not.toMatch(/[\u001b\u202e]/);
  });
});

describe('plan, by a user without rights, of a copied database', () => {
  test('prints findings, changes and a verdict, and ends with 3 as long as something stands in the way', () => {
    const { status, stdout, stderr } = answerOf('plan');

    expect({ status, stderr }).toEqual({ status: 3, stderr: '' });
    expect(stdout).toContain('/var/lib/lxd/disks/bt.img');
    expect(stdout).toContain('/var/lib/incus/disks/bt.img'.replace('/var/lib/incus', at('incus')));
    expect(stdout).toMatch(/Not ready: \d+ finding\(s\) stand in the way\. Nothing was changed\.$/m);
    expect(stdout).not.toContain('\u001b');
  });

  test('with --json prints one event with the whole plan, and nothing else', () => {
    const answer = answerOf('planReport');

    expect({ status: answer.status, stderr: answer.stderr }).toEqual({ status: 3, stderr: '' });
    const [event, ...more] = events(answer);
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      event: 'plan',
      plan: { format: 1, source: { dataDirectory: at('server'), schema: 60 } },
    });
    expect(event).toMatchObject({ open: expect.arrayContaining([expect.any(String)]) as unknown });
  });

  test('takes the folder of the log itself, and says that this is no whole server', () => {
    const [event] = events(answerOf('planOfRaftFolder'));

    expect(event?.['open']).toContain('source-is-database-only');
    expect(event).toMatchObject({
      plan: { changes: expect.arrayContaining([expect.anything()]) as unknown },
    });
  });

  test('with --report writes it for this user only', () => {
    const [event] = events(answerOf('planReport'));

    expect(event?.['report']).toBe(at('report/report.html'));
    expect(fs.readdirSync(at('report')).sort()).toEqual([
      'inventory.json',
      'plan.json',
      'report.html',
      'report.md',
    ]);
    for (const name of fs.readdirSync(at('report')))
      expect(fs.statSync(at(`report/${name}`)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(fs.readFileSync(at('report/plan.json'), 'utf8'))).toMatchObject({ format: 1 });
  });

  test('leaves the copy as it was', () => {
    expect(filesOfServer()).toEqual(treeBefore);
  });
});

describe('confidential values', () => {
  const secret = `it's LXD's / "quoted" $ ünïcode`;

  test('are in no output', () => {
    for (const [name, { stdout, stderr }] of answers)
      expect({
        name,
        shown: `${stdout}${stderr}`.includes(secret) || stdout.includes(JSON.stringify(secret)),
      }).toEqual({
        name,
        shown: false,
      });
    for (const name of fs.readdirSync(at('report')))
      expect(fs.readFileSync(at(`report/${name}`), 'utf8')).not.toContain('LXD&#39;s / ');
  });
});

describe('inspect', () => {
  test('prints tables for people and one object for programs', () => {
    expect(answerOf('inspect').status).toBe(0);
    expect(answerOf('inspect').stdout).toMatch(/3 instances/);
    const [event, ...more] = events(answerOf('inspectJson'));
    expect(more).toEqual([]);
    expect(event).toMatchObject({ event: 'inventory' });
  });
});

describe('export-db', () => {
  test('writes a database that SQLite opens, for this user only', () => {
    const answer = answerOf('exportJson');

    expect(answer.status).toBe(0);
    expect(events(answer).length).toBeGreaterThan(0);
    expect(ask(fs.readFileSync(at('out.sqlite')), 'SELECT count(*) AS n FROM instances')).toEqual([{ n: 3 }]);
    expect(fs.statSync(at('out.sqlite')).mode & 0o077).toBe(0);
  });

  test('replaces nothing', () => {
    expect(answerOf('exportOver').status).not.toBe(0);
    expect(fs.readFileSync(at('there.sqlite'), 'utf8')).toBe('precious');
  });
});

describe.runIf(isRoot)('with nothing begun', () => {
  test.each(['resume', 'rollback', 'status', 'verify'])('%s ends with 4, in one line', async (command) => {
    const empty = temporaryFolder();

    const answer = await runCli([command, '--state', join(empty, 'state')], { asRoot: true });

    expect(answer.status).toBe(4);
    expect(`${answer.stdout}${answer.stderr}`.trim().split('\n')).toHaveLength(1);
  });
});
