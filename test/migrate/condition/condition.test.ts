// How a server is: what its daemon says, what its files tell, and what is worse than it was.
import { describe, expect, onTestFinished, test } from 'vitest';
import { coreFailure } from '../../../src/core/core-problem.ts';
import { parseValue } from '../../../src/core/parse.ts';
import { imageProblems } from '../../../src/migrate/condition/image-files.ts';
import {
  answered,
  askServer,
  askStates,
  lookAtServer,
  statesIn,
} from '../../../src/migrate/condition/look-at-server.ts';
import { lookOnceServed } from '../../../src/migrate/condition/look-once-served.ts';
import { usersOfNetwork, usersOfPool } from '../../../src/migrate/condition/used-by.ts';
import { worseThan } from '../../../src/migrate/condition/worse.ts';
import { daemonClient } from '../../../src/migrate/daemon/client.ts';
import { inventoryFromApi } from '../../../src/migrate/inventory/api/from-api.ts';
import { readInventory } from '../../../src/migrate/inventory/database/read-inventory.ts';
import { type Condition, conditionSchema } from '../../../src/migrate/model/condition.ts';
import { answersFrom, errorAnswer, syncAnswer } from '../../fakes/daemon-answers.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';
import { recordedDaemon } from '../../fakes/recorded-daemon.ts';
import { lxdDatabase } from '../lxd-database.ts';

const socket = '/var/lib/lxd/unix.socket';
const lxd = { dataDirectory: '/var/lib/lxd', sockets: [socket] };

function machine(): FakeHost {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  return host;
}

const answers = {
  'GET /1.0': syncAnswer({ config: { 'core.https_address': '127.0.0.1' } }),
  'GET /1.0/storage-pools?recursion=1': syncAnswer([
    { name: 'default', status: 'Created' },
    { name: 'ext', status: 'Unavailable' },
  ]),
  'GET /1.0/projects?recursion=1': syncAnswer([
    { name: 'default', config: { 'features.networks': 'true' } },
    { name: 'own', config: { 'features.networks': 'true' } },
    { name: 'dev', config: {} },
  ]),
  'GET /1.0/networks?recursion=1&project=default': syncAnswer([
    { name: 'lxdbr0', managed: true, status: 'Created' },
    { name: 'eth0', managed: false, status: '' },
  ]),
  'GET /1.0/networks?recursion=1&project=own': syncAnswer([
    { name: 'phys', managed: true, status: 'Unavailable' },
  ]),
  'GET /1.0/instances?recursion=1&all-projects=true': syncAnswer([
    { project: 'default', name: 'c1', status: 'Running' },
    { project: 'default', name: 'c2', status: 'Error' },
    { project: 'dev', name: 'c3', status: 'Ready' },
    { project: 'dev', name: 'c4', status: 'Stopped' },
  ]),
  'GET /1.0/projects': syncAnswer(['/1.0/projects/default', '/1.0/projects/own']),
  'GET /1.0/operations?recursion=1&project=default': syncAnswer({}),
  'GET /1.0/operations?recursion=1&project=own': syncAnswer({}),
};

describe('a daemon that answers', () => {
  test('says how its pools, its networks in every project and its instances are', async () => {
    const host = machine();
    host.machine.listeners.set(socket, 100);
    host.onRequest((path, request) => answersFrom(answers)(path, request));

    const asked = await askServer(host, [socket]);

    expect(asked.said?.states).toEqual({
      config: { 'core.https_address': '127.0.0.1' },
      pools: [
        { name: 'default', status: 'Created' },
        { name: 'ext', status: 'Unavailable' },
      ],
      networks: [
        { project: 'default', name: 'lxdbr0', status: 'Created' },
        { project: 'own', name: 'phys', status: 'Unavailable' },
      ],
      instances: [{ project: 'default', name: 'c2', status: 'Error' }],
    });
  });

  test.each(Object.keys(answers))('is known to refuse %s, in its own words', async (question) => {
    const host = machine();
    host.machine.listeners.set(socket, 100);
    host.onRequest((path, request) =>
      answersFrom({ ...answers, [question]: errorAnswer(500, 'converting NULL to string is unsupported') })(
        path,
        request,
      ),
    );

    expect(await askServer(host, [socket])).toEqual({
      unasked: {
        why: 'refused',
        words: `The daemon refused ${question.split('?')[0]}: converting NULL to string is unsupported (status 500)`,
      },
    });
  });

  test('is known to say what nobody understands', async () => {
    const host = machine();
    host.machine.listeners.set(socket, 100);
    host.onRequest((path, request) =>
      answersFrom({ ...answers, 'GET /1.0/storage-pools?recursion=1': syncAnswer('none') })(path, request),
    );

    expect((await askServer(host, [socket])).unasked?.why).toBe('refused');
  });

  test('is asked on the second socket where the first one is dead', async () => {
    const host = machine();
    host.machine.listeners.set('/dead.socket', 99);
    host.machine.listeners.set(socket, 100);
    host.onRequest((path, request) =>
      path === socket ? answersFrom(answers)(path, request) : errorAnswer(500, 'dead'),
    );

    expect((await askServer(host, ['/dead.socket', socket])).said?.states.pools).toHaveLength(2);
  });
});

test('what an inventory of a daemon holds is what the daemon says when it is asked for its states', async () => {
  const { client } = recordedDaemon('incus-6.0.4');

  const asked = await askStates(client);
  const inventory = await inventoryFromApi(client);

  const byName = <T extends { readonly name: string }>(list: readonly T[]): T[] =>
    list.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  expect(asked.pools.length + asked.networks.length).toBeGreaterThan(2);
  expect(statesIn(inventory)).toEqual({
    ...asked,
    pools: byName(asked.pools),
    networks: byName(asked.networks),
  });
});

test('what was just said of it is looked at first; only for an address that is not served it is asked again', async () => {
  const host = machine();
  host.machine.listeners.set(socket, 100);
  host.onRequest((path, request) => answersFrom(answers)(path, request));
  const states = { config: {}, pools: [], networks: [], instances: [] };
  const nothing = { pools: [], networks: [], images: [], server: { config: {}, memberKeys: undefined } };
  const client = daemonClient(host, socket);

  await lookOnceServed(host, client, lxd, nothing, undefined, states);
  const askedWhereServed = host.requests.length;
  const unserved = { ...states, config: { 'core.https_address': '127.0.0.1' } };
  await lookOnceServed(host, client, lxd, nothing, undefined, unserved);

  expect(askedWhereServed).toBe(0);
  expect(host.requests.length).toBeGreaterThan(0);
});

test('a socket that only a service manager holds is not asked: that would start the daemon', async () => {
  const host = machine();

  expect(await askServer(host, [socket])).toEqual({ unasked: { why: 'not-listening' } });
  expect(host.requests).toEqual([]);
});

test.each([
  ['EACCES', { why: 'forbidden' }],
  ['ECONNREFUSED', { why: 'silent', pid: 100 }],
])('a socket on which asking ends with %s: %o', async (code, known) => {
  const host = machine();
  host.machine.listeners.set(socket, 100);
  host.onRequest(() => {
    throw Object.assign(new Error(`connect ${code}`), { code });
  });

  expect(await askServer(host, [socket])).toEqual({
    unasked: { ...known, words: `No daemon answers here: ${code}. (${socket})` },
  });
});

test.each([
  ['GET /1.0', 10, { why: 'silent', pid: 100 }],
  // It works, and may have too much to tell for one answer.
  ['GET /1.0/storage-pools?recursion=1', 60, { why: 'late' }],
])('a daemon that does not answer %s within %i s refuses nothing: %o', async (question, seconds, known) => {
  const host = machine();
  host.machine.listeners.set(socket, 100);
  host.onRequest((path, request) => {
    if (`${request.method} ${request.path}` === question)
      throw coreFailure({
        code: 'wait-limit',
        what: question,
        limitMs: request.timeoutMs,
        last: 'no answer',
      });
    return answersFrom(answers)(path, request);
  });

  const { unasked } = await askServer(host, [socket]);

  expect(unasked).toEqual({
    ...known,
    words: `Waited ${seconds} s for ${question}. (last answer: no answer)`,
  });
});

test('an error of this program is no answer of a daemon', async () => {
  await expect(answered(Promise.reject(new TypeError('bug')))).rejects.toThrow('bug');
});

test('of a daemon that does not run the rows tell what went wrong when it was made', () => {
  const inventory = readInventory(
    lxdDatabase(`
      INSERT INTO storage_pools VALUES (1, 'good', 'dir', '', 1), (2, 'bad', 'dir', '', 2);
      INSERT INTO storage_pools_nodes VALUES (1, 1, 1, 1), (2, 2, 1, 2);
      INSERT INTO networks VALUES (1, 1, 'half', '', 0, 0);
      INSERT INTO networks_nodes VALUES (1, 1, 1, 0);
    `),
  );

  const condition = lookAtServer(machine(), lxd, inventory, undefined);

  expect(condition).toMatchObject({
    asked: false,
    pools: [
      { name: 'bad', status: 'Errored' },
      { name: 'good', status: null },
    ],
    networks: [{ project: 'default', name: 'half', status: 'Pending' }],
    instances: [],
  });
});

describe('files of images', () => {
  const [one, two] = ['a'.repeat(64), 'b'.repeat(64)];

  test('are those that the database has, with their size', () => {
    const host = machine();
    host.writeFile(`/var/lib/lxd/images/${one}`, 'meta');
    host.writeFile(`/var/lib/lxd/images/${one}.rootfs`, 'files');
    host.writeFile(`/var/lib/lxd/images/${two}`, 'whole');

    const problems = imageProblems(host, '/var/lib/lxd', [
      { fingerprint: one, size: 9 },
      { fingerprint: two, size: 5 },
    ]);

    expect(problems).toEqual([]);
  });

  test('may be gone, half there, or something else', () => {
    const host = machine();
    host.writeFile(`/var/lib/lxd/images/${one}`, 'meta');
    host.writeFile(`/var/lib/lxd/images/${two}/folder`, '');

    const problems = imageProblems(host, '/var/lib/lxd', [
      { fingerprint: one, size: 9 },
      { fingerprint: two, size: 5 },
      { fingerprint: '../../etc/passwd', size: 5 },
    ]);

    expect(problems).toEqual([
      { fingerprint: one, problem: 'its files have 4 bytes, and 9 are on record' },
      { fingerprint: two, problem: `there is no file images/${two}` },
    ]);
  });

  test('of an image whose size is not on record count whatever they are', () => {
    const host = machine();
    host.writeFile(`/var/lib/lxd/images/${one}`, 'meta');

    expect(imageProblems(host, '/var/lib/lxd', [{ fingerprint: one, size: 0 }])).toEqual([]);
  });
});

const good: Condition = {
  asked: true,
  pools: [{ name: 'default', status: 'Created' }],
  networks: [{ project: 'default', name: 'lxdbr0', status: 'Created' }],
  instances: [],
  addresses: [{ key: 'core.https_address', value: ':8443', holder: 'daemon', who: '' }],
  images: [],
};

describe('worse than before is', () => {
  test.each<[string, Partial<Condition>, string]>([
    [
      'a pool that was there',
      { pools: [{ name: 'default', status: 'Unavailable' }] },
      'storage pool default was Created and is Unavailable',
    ],
    [
      'a network that was up',
      { networks: [{ project: 'default', name: 'lxdbr0', status: 'Errored' }] },
      'network default/lxdbr0 was Created and is Errored',
    ],
    [
      'an instance of which nobody knows whether it runs',
      { instances: [{ project: 'default', name: 'c1', status: 'Error' }] },
      'instance default/c1 is now Error',
    ],
    [
      'an address that another program has taken',
      { addresses: [{ key: 'core.https_address', value: ':8443', holder: 'other', who: 'process 7' }] },
      'core.https_address (:8443) is now held by process 7',
    ],
    [
      'an address that nobody serves any more',
      { addresses: [{ key: 'core.https_address', value: ':8443', holder: 'nobody', who: '' }] },
      'nobody listens on core.https_address (:8443) any more',
    ],
    [
      'an image whose file has gone',
      { images: [{ fingerprint: 'abc', problem: 'there is no file' }] },
      'image abc: there is no file',
    ],
  ])('%s', (_what, change, line) => {
    expect(worseThan(good, { ...good, ...change })).toEqual([line]);
  });

  test('nothing that is as it was, better, or not known', () => {
    const bad: Condition = {
      ...good,
      pools: [{ name: 'default', status: 'Unavailable' }],
      images: [{ fingerprint: 'abc', problem: 'there is no file' }],
    };

    expect(worseThan(good, good)).toEqual([]);
    expect(worseThan(bad, bad)).toEqual([]);
    expect(worseThan(bad, good)).toEqual([]);
    expect(worseThan(good, { ...good, pools: [{ name: 'default', status: null }] })).toEqual([]);
    expect(worseThan({ ...good, pools: [] }, bad)).toEqual(['image abc: there is no file']);
  });
});

test('a condition is kept as JSON, and only one that is whole is read back', () => {
  expect(parseValue(conditionSchema, JSON.parse(JSON.stringify(good)))).toEqual({ value: good });
  expect(parseValue(conditionSchema, { ...good, pools: [{ name: 1 }] })).toHaveProperty('why');
});

describe('what hangs on', () => {
  const inventory = readInventory(
    lxdDatabase(`
      INSERT INTO projects VALUES (3, 'own', '');
      INSERT INTO projects_config VALUES (31, 3, 'features.networks', 'true'), (32, 3, 'features.profiles', 'true');
      INSERT INTO storage_pools VALUES (1, 'ext', 'dir', '', 1);
      INSERT INTO networks VALUES (1, 1, 'lxdbr0', '', 1, 0);
      INSERT INTO instances VALUES (1, 1, 'c1', 0, 0, 0, '2026-01-01', 0, '2026-01-01', '', 1, NULL);
      INSERT INTO instances VALUES (2, 1, 'c2', 0, 0, 0, '2026-01-01', 0, '2026-01-01', '', 2, NULL);
      INSERT INTO instances VALUES (3, 1, 'o1', 0, 0, 0, '2026-01-01', 0, '2026-01-01', '', 3, NULL);
      INSERT INTO storage_volumes VALUES (1, 'c1', 1, 1, 0, '', 1, 0), (2, 'data', 1, 1, 2, '', 1, 0), (3, 'abc', 1, 1, 1, '', 1, 0);
      INSERT INTO profiles_devices VALUES (1, 1, 'eth0', 1);
      INSERT INTO profiles_devices_config VALUES (1, 1, 'network', 'lxdbr0');
      INSERT INTO instances_profiles VALUES (1, 2, 1, 1);
      INSERT INTO instances_devices VALUES (1, 3, 'eth0', 1), (2, 1, 'eth0', 1);
      INSERT INTO instances_devices_config VALUES (1, 1, 'network', 'lxdbr0'), (2, 2, 'parent', 'lxdbr0');
    `),
  );

  test('a pool are instances and volumes, not the copies of images', () => {
    expect(usersOfPool(inventory, 'ext')).toEqual(['instance default/c1', 'volume default/data']);
  });

  test('a network are instances, also by a profile, in the projects that use it', () => {
    expect(usersOfNetwork(inventory, { project: 'default', name: 'lxdbr0' })).toEqual([
      'instance default/c1',
      'instance dev/c2',
      'profile default/default',
    ]);
    expect(usersOfNetwork(inventory, { project: 'own', name: 'lxdbr0' })).toEqual(['instance own/o1']);
  });
});
