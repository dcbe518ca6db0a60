// Objects of every project: one question where the daemon can list those of all, and nothing that nobody can ask for.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { daemonClient } from '../../../../src/migrate/daemon/client.ts';
import { textOf } from '../../../../src/migrate/daemon/fields.ts';
import { askOfProjects } from '../../../../src/migrate/inventory/api/of-projects.ts';
import { syncAnswer } from '../../../fakes/daemon-answers.ts';
import { type FakeHost, fakeHost } from '../../../fakes/fake-host.ts';

let host: FakeHost;

beforeEach(() => {
  host = fakeHost();
});
afterEach(() => host.dispose());

const profiles = { path: ['profiles'], extension: 'profiles_all_projects', owners: ['default', 'p1'] };

async function ask(answers: Readonly<Record<string, unknown>>, extensions: readonly string[]) {
  host.onRequest((_, { path }) => syncAnswer(answers[path] ?? []));
  const list = await askOfProjects(daemonClient(host, '/unix.socket'), profiles, new Set(extensions));
  return list.map(({ from, project }) => `${project}/${textOf(from, 'name')}`);
}
const asked = (): string[] => host.requests.map(({ request }) => request.path);

test('a daemon that lists those of all projects is asked once', async () => {
  const all = [
    { name: 'default', project: 'default' },
    { name: 'web', project: 'p1' },
  ];

  const found = await ask({ '/1.0/profiles?recursion=1&all-projects=true': all }, ['profiles_all_projects']);

  expect(found).toEqual(['default/default', 'p1/web']);
  expect(asked()).toEqual(['/1.0/profiles?recursion=1&all-projects=true']);
});

test('a row of a project that uses those of project default is left out: nobody can ask for it', async () => {
  const all = [
    { name: 'default', project: 'default' },
    { name: 'hidden', project: 'without-own' },
  ];

  const found = await ask({ '/1.0/profiles?recursion=1&all-projects=true': all }, ['profiles_all_projects']);

  expect(found).toEqual(['default/default']);
});

const oneByOne = {
  '/1.0/profiles?recursion=1&project=default': [{ name: 'default' }],
  '/1.0/profiles?recursion=1&project=p1': [{ name: 'web' }],
};

test('one that cannot is asked for each project that has its own', async () => {
  const found = await ask(oneByOne, []);

  expect(found).toEqual(['default/default', 'p1/web']);
  expect(asked()).toEqual(Object.keys(oneByOne));
});

test('an answer that does not say of which project each is is not used', async () => {
  const all = [{ name: 'default' }, { name: 'web' }];

  const found = await ask({ ...oneByOne, '/1.0/profiles?recursion=1&all-projects=true': all }, [
    'profiles_all_projects',
  ]);

  expect(found).toEqual(['default/default', 'p1/web']);
});
