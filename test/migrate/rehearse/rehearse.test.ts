import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isOpen } from '../../../src/migrate/model/finding.ts';
import type { Rehearsal } from '../../../src/migrate/model/rehearsal.ts';
import type { PlanMaterial } from '../../../src/migrate/plan/plan-material.ts';
import { rehearse } from '../../../src/migrate/rehearse/index.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';
import { convertImage } from '../convert/converted.ts';
import { lxdDatabase } from '../lxd-database.ts';
import { localDatabase } from './local-database.ts';

const program = '/usr/libexec/incus/incusd';
const socket = '/var/lib/incus/unix.socket';
let host: FakeHost;

beforeEach(() => {
  host = fakeHost();
  for (const name of ['setpriv', 'unshare', 'nsenter', 'mount', 'umount', 'pivot_root', 'cat', 'env'])
    host.machine.commands.set(name, `/usr/bin/${name}`);
});

afterEach(() => host.dispose());

function rehearseWith(changes: Partial<PlanMaterial> = {}): Promise<Rehearsal> {
  const target = {
    role: 'target',
    name: 'deb',
    evidence: [],
    dataDirectory: '/var/lib/incus',
    sockets: [socket],
    runtimeDirectory: undefined,
    service: { kind: 'none' },
    program,
    version: '6.0.4',
  } as const;
  const material = {
    plan: { target } as unknown as PlanMaterial['plan'],
    convertedImage: convertImage(lxdDatabase()).image,
    convertedLocal: localDatabase(),
    ...changes,
  } as PlanMaterial;
  return rehearse({ host, material, say: () => {} });
}

function expectQuestion({ ran, reason, findings }: Rehearsal, why: string): void {
  expect(ran).toBe(false);
  expect(reason).toContain(why);
  const [finding] = findings;
  if (finding === undefined) throw new Error('there is no finding');
  expect(finding.id).toBe('rehearsal-not-possible');
  expect(finding.objects.join()).toContain(why);
  expect(isOpen(finding, { accept: new Set(), fix: true })).toBe(true);
  expect(isOpen(finding, { accept: new Set(['rehearsal-not-possible']), fix: false })).toBe(false);
}

describe('rehearse', () => {
  it('asks where commands are missing, and names them', async () => {
    host.machine.commands.delete('unshare');
    host.machine.commands.delete('pivot_root');

    expectQuestion(await rehearseWith(), 'unshare, pivot_root');
  });

  it('asks where no namespaces can be made', async () => {
    expectQuestion(await rehearseWith(), 'namespaces');
  });

  it('asks where the user is not root', async () => {
    host.machine.userId = 1000;

    expectQuestion(await rehearseWith(), 'root');
  });

  it('asks where there is no local.db', async () => {
    expectQuestion(await rehearseWith({ convertedLocal: undefined }), 'local.db');
  });

  it('asks where there is no target', async () => {
    const plan = { target: undefined } as unknown as PlanMaterial['plan'];

    expectQuestion(await rehearseWith({ plan }), 'incusd');
  });

  it('asks where another Incus runs than the one that was found', async () => {
    host.machine.listeners.set(socket, 7);
    host.onRequest(() => ({
      status: 200,
      body: Buffer.from(
        JSON.stringify({ type: 'sync', metadata: { environment: { server_version: '7.0.2' } } }),
      ),
    }));

    expectQuestion(await rehearseWith(), 'the Incus that runs is version 7.0.2');
  });

  it('starts nothing on a copy that is not sound', async () => {
    const convertedImage = convertImage(lxdDatabase()).image;
    const unsound = lxdDatabase('UPDATE projects_config SET project_id = 99');

    const sound = await rehearseWith({ convertedImage });
    const begun = host.log.length;
    const { ran, findings } = await rehearseWith({ convertedImage: unsound });

    expect(sound.findings.map(({ id }) => id)).toEqual(['rehearsal-not-possible']);
    expect(ran).toBe(false);
    expect(findings.map(({ id }) => id)).toEqual(['rehearsal:references']);
    expect(host.log.length).toBe(begun);
  });
});
