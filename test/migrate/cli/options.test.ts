// Every command takes its own options and reads all of them; what it cannot use is answered and never passed over.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openOutput } from '../../../src/core/output.ts';
import {
  type AllOptions,
  type CommandName,
  commandNames,
  definitions,
  hintFor,
  optionsOf,
} from '../../../src/migrate/cli/command-options.ts';
import { showsValues, stopOptions } from '../../../src/migrate/cli/options.ts';
import { buildProgram, commands } from '../../../src/migrate/cli/program.ts';
import { refuseUnknownIds } from '../../../src/migrate/cli/refuse-unknown-ids.ts';
import type { Finding } from '../../../src/migrate/model/finding.ts';
import { rehearsalIds } from '../../../src/migrate/rehearse/rehearsal-ids.ts';
import { fakeHost } from '../../fakes/fake-host.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { runCli } from './run-cli.ts';

const output = { ...openOutput({ json: false, colour: false }), line: () => {}, message: () => {} };

/** Runs a command on a machine without any server, and says which options it looked at. */
async function optionsReadBy(name: CommandName): Promise<string[]> {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  const read = new Set<string>();
  const given: AllOptions = { state: join(temporaryFolder(), 'state') };
  const options = new Proxy(given, {
    get(target, key) {
      read.add(String(key));
      return Reflect.get(target, key) as unknown;
    },
    ownKeys: () => {
      throw new Error('an option that is passed on as a whole is not known to be read');
    },
  });
  await commands[name].run(host, options, output, '/root/out.sqlite').catch((error: unknown) => {
    expect(error).toMatchObject({ name: 'Failure' });
  });
  return [...read].sort();
}

test.each(commandNames)('%s reads every option that it offers', async (name) => {
  const read = await optionsReadBy(name);

  expect(optionsOf[name].filter((option) => !read.includes(option))).toEqual([]);
});

test.each(commandNames)('the help of %s lists its options and no others, with examples', async (name) => {
  const { status, stdout } = await runCli([name, '--help']);

  expect(status).toBe(0);
  const listed = [...stdout.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, flag]) => flag);
  const offered = optionsOf[name].map((option) => definitions[option].flags.split(' ')[0]);
  expect(listed).toEqual([...offered, '--json', '--no-color']);
  expect(stdout).toMatch(/\nExamples:\n {2}# .+\n {2}\/.+\n/);
});

describe('an option of another command', () => {
  test.each([
    [['status', '--fix'], "unknown option '--fix' of status (migrate, plan, rehearse take it)"],
    [
      ['rollback', '--report', 'x'],
      "unknown option '--report' of rollback (migrate, plan, rehearse, inspect, resume take it)",
    ],
    [['plan', '--salvage'], "unknown option '--salvage' of plan (export-db takes it)"],
    [
      ['verify', '--accept=x'],
      "unknown option '--accept' of verify (migrate, plan, rehearse, rollback take it)",
    ],
    [['plan', '--acept', 'x'], "unknown option '--acept'; did you mean --accept?"],
  ])('is refused: %j', async (args, message) => {
    const { status, stdout, stderr } = await runCli(args);

    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(`error: ${message}\n`);
  });

  test('is named with every command that takes it', () => {
    expect(hintFor('prune', '--yes')).toBe(' of prune (migrate, resume, rollback, prune take it)');
  });
});

describe('--stop-timeout', () => {
  test.each(['0', '-1', 'x', '', '1e3', 'Infinity', '99999999999'])('%j is refused', async (stopTimeout) => {
    expect(() => stopOptions({ stopTimeout })).toThrow(/a number of seconds above 0/);
  });

  test.each(['migrate', 'resume', 'rollback'])('is checked by %s before anything else', async (command) => {
    const { status, stderr } = await runCli([command, '--stop-timeout=0', '--state', '/nowhere']);

    expect(status).toBe(2);
    expect(stderr).toContain('--stop-timeout: is a number of seconds above 0');
  });

  test('is in seconds, parts of them too', () => {
    expect(stopOptions({ stopTimeout: '1.5' })).toEqual({ stopLimitMs: 1500, forceStop: false });
    expect(stopOptions({})).toMatchObject({ stopLimitMs: 60_000 });
  });
});

describe('--show-values', () => {
  test.each(['plan', 'inspect'])('is refused by %s where standard output is no terminal', async (command) => {
    const { status, stdout, stderr } = await runCli([command, '--show-values']);

    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('--show-values: shows confidential values on a terminal only');
  });

  test('is heeded on one, and not with --json', () => {
    expect(showsValues({ showValues: true }, output, true)).toBe(true);
    expect(showsValues({}, output, true)).toBe(false);
    expect(() => showsValues({ showValues: true }, { ...output, json: true }, true)).toThrow(/terminal only/);
  });
});

describe('--accept', () => {
  const finding = (id: string, answers?: Finding['answers']): Finding => ({
    id,
    severity: answers === undefined ? 'blocker' : 'loss',
    objects: [],
    what: '',
    action: '',
    ...(answers === undefined ? {} : { answers }),
  });
  const findings = [finding('key-lost:maas.api.url', ['accept']), finding('network-ovn')];
  const accepting = (...ids: string[]) => ({ accept: new Set(ids), fix: false });

  test('takes ids of findings, also of those that nothing overrides, and of later ones', () => {
    expect(() => refuseUnknownIds(accepting('key-lost:maas.api.url', 'network-ovn'), findings)).not.toThrow();
    expect(() =>
      refuseUnknownIds(accepting('rehearsal:differs'), findings, ['rehearsal:differs']),
    ).not.toThrow();
  });

  test.each([
    [
      'key-lost:maas.api.ur',
      'no finding here is called "key-lost:maas.api.ur"; did you mean key-lost:maas.api.url?',
    ],
    ['everything', 'no finding here is called "everything" (known: key-lost:maas.api.url)'],
    ['rehearsal:differs', 'no finding here is called "rehearsal:differs"'],
  ])('refuses %s', (id, message) => {
    expect(() => refuseUnknownIds(accepting(id), findings)).toThrow(message);
  });

  test('knows every finding of a rehearsal beforehand, as the page of findings lists them', () => {
    const page = fs.readFileSync(join(import.meta.dirname, '../../../docs/findings.md'), 'utf8');
    const named = [...page.matchAll(/`(rehearsal:[a-z-]+|rehearsal-not-possible)`/g)].map(([, id]) => id);

    expect([...rehearsalIds]).toEqual([...new Set(named)].sort());
  });

  test('says so where there is nothing to accept at all', () => {
    expect(() => refuseUnknownIds(accepting('x'), [])).toThrow(
      'no finding here is called "x"; there are none',
    );
  });
});

test.each([
  { given: ['plan', '--state='], says: "option '--state <dir>' argument '' is invalid. It is empty." },
  { given: ['plan', '--lxd-dir', ''], says: "option '--lxd-dir <dir>' argument '' is invalid. It is empty." },
])('$given: a value that is empty is answered', async ({ given, says }) => {
  const { status, stderr } = await runCli(given);

  expect(status).toBe(2);
  expect(stderr).toContain(says);
});

test('ids that are accepted one option at a time count all', () => {
  let accepted: string | undefined;
  const program = buildProgram(fakeHost(), output, () => {});
  const command = program.commands.find((one) => one.name() === 'migrate');
  command?.action(() => {
    accepted = command.opts<{ accept?: string }>().accept;
  });

  program.parse(['migrate', '--accept', 'one', '--accept', 'two,three'], { from: 'user' });

  expect(accepted).toBe('one,two,three');
});
