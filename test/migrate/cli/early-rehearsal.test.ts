// A rehearsal that is begun before the plan is complete is used once, or ended.
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Host } from '../../../src/core/host.ts';
import { openOutput } from '../../../src/core/output.ts';
import { standaloneConfiguration } from '../../../src/dqlite/configuration.ts';
import { earlyRehearsal } from '../../../src/migrate/cli/early-rehearsal.ts';
import type { Finding } from '../../../src/migrate/model/finding.ts';
import type { Converted } from '../../../src/migrate/plan/plan-material.ts';
import { roomCommands } from '../../../src/migrate/rehearse/room.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';
import { convertImage } from '../convert/converted.ts';
import { lxdDatabase } from '../lxd-database.ts';
import { localDatabase } from '../rehearse/local-database.ts';

const firstProcess = 7;
const program = '/usr/libexec/incus/incusd';
const answers = { accept: new Set(['accepted']), fix: false };
const converted: Converted = {
  plan: {
    target: {
      role: 'target',
      name: 'deb',
      evidence: [],
      dataDirectory: '/var/lib/incus',
      sockets: ['/var/lib/incus/unix.socket'],
      runtimeDirectory: undefined,
      service: { kind: 'none' },
      program,
      version: '6.0.4',
    },
  },
  convertedImage: convertImage(lxdDatabase()).image,
  convertedLocal: localDatabase(),
  raft: { configuration: standaloneConfiguration, lastTerm: 1 },
};

let fake: FakeHost;
/** Namespaces can be made on it; what is run in them waits. */
let host: Host;
let ranInside: PromiseWithResolvers<void>;
let goOn: PromiseWithResolvers<void>;
let started: number;
let progress: string[];
let messages: string[];
let endsOnSignal: boolean;

beforeEach(() => {
  fake = fakeHost();
  onTestFinished(() => fake.dispose());
  for (const name of roomCommands) fake.machine.commands.set(name, `/usr/bin/${name}`);
  fake.writeFile(program, '');
  // Its folder is shown by its real path.
  fake.writeFile(fake.path(program), '');
  // pivot_root puts it there.
  fake.writeFile(`/proc/${firstProcess}/root/var/lib/incus/any`, '');
  ranInside = Promise.withResolvers();
  goOn = Promise.withResolvers();
  started = 0;
  progress = [];
  messages = [];
  endsOnSignal = true;
  let ended = false;
  fake.machine.processes = [
    {
      pid: firstProcess,
      parent: 1,
      argv: ['cat'],
      program: '/usr/bin/cat',
      sameMountNamespace: false,
      samePidNamespace: false,
    },
  ];
  fake.onSignal(() => {
    ended = true;
  });
  fake.onRun(async () => {
    ranInside.resolve();
    await goOn.promise;
    return { status: 0 };
  });
  host = {
    ...fake,
    start: async () => {
      started += 1;
      return {
        pid: 1,
        write: () => {},
        tail: () => 'up\n',
        hasEnded: () => ended && endsOnSignal,
        ended: Promise.resolve('status 0'),
        kill: () => {},
      };
    },
  };
});

function early() {
  return earlyRehearsal(host, answers, {
    ...openOutput({ json: false, colour: false }),
    progress: (text) => void progress.push(text),
    message: (text) => void messages.push(text),
  });
}

const finding = (id: string): Finding => ({
  id,
  severity: 'loss',
  objects: [],
  what: '',
  action: '',
  answers: ['accept'],
});

test('abandoned, it ends with everything in it, and nothing more is started', async () => {
  const rehearsal = early();
  rehearsal.begin(converted, [finding('accepted')]);
  await ranInside.promise;

  const abandoned = rehearsal.abandon();
  goOn.resolve();
  await abandoned;

  expect(started).toBe(1);
  expect(fake.log).toContainEqual({ kind: 'signal', text: `SIGKILL ${firstProcess}` });
  expect(progress).toEqual([]);
});

test('abandoned, what does not end is said', async () => {
  fake.onSignal(() => {
    endsOnSignal = false;
  });
  const rehearsal = early();
  rehearsal.begin(converted, []);
  await ranInside.promise;

  const abandoned = rehearsal.abandon();
  goOn.resolve();
  await abandoned;

  expect(messages).toEqual([expect.stringContaining('process 1 is still there')]);
});

test('its result is that of the one that was begun, and its progress is shown from then on', async () => {
  const rehearsal = early();
  rehearsal.begin(converted, []);
  await ranInside.promise;
  expect(progress).toEqual([]);

  const result = rehearsal.result(converted);
  fake.signal(firstProcess, 'SIGKILL');
  goOn.resolve();

  await expect(result).resolves.toMatchObject({ findings: [{ severity: expect.any(String) }] });
  expect(progress.slice(0, 2)).toEqual(['  rehearsal: namespaces', '  rehearsal: Incus starts on the copy']);
  expect(started).toBe(2);
});

test('is not begun where a finding stands in the way already, and then when its result is wanted', async () => {
  const rehearsal = early();

  rehearsal.begin(converted, [finding('not-accepted')]);
  expect(started).toBe(0);
  const result = rehearsal.result(converted);
  await ranInside.promise;
  fake.signal(firstProcess, 'SIGKILL');
  goOn.resolve();
  await result;

  expect(started).toBe(2);
});

test('where it was never begun there is nothing to end', async () => {
  const rehearsal = early();

  await rehearsal.abandon();

  expect(fake.log).toEqual([]);
});
