// Ranges of ids that were lost or are written oddly, on a server whose containers' files lie in them: no file gets another
// owner, in either direction.
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Machine } from './machine/machine.ts';
import { packedTool } from './packed-tool.ts';
import { expectBlocked, expectForPeople } from './refused.ts';
import { powerOf } from './server/power.ts';
import { installTool, tool } from './server/tool.ts';
import { cannotWrite } from './server/variants.ts';
import { startSmallMachine } from './small-server.ts';
import { describeTree } from './tree.ts';

const files = ['/etc/subuid', '/etc/subgid'] as const;

/** As Debian's packages enter it, and as LXD has mapped the containers. */
const range = 'root:100000:10000001';

let server: Machine;
let before: Owners;

beforeAll(async () => {
  const tarball = await packedTool();
  server = await startSmallMachine({
    name: 'id-ranges',
    containers: [
      { name: 'plain' },
      { name: 'alone', config: { 'security.idmap.isolated': 'true' } },
      { name: 'privileged', config: { 'security.privileged': 'true' } },
    ],
  });
  await installTool(server, tarball);
  before = await owners('/var/lib/lxd');
});
afterAll(() => server?.stop());

type Owners = Readonly<Record<string, string>>;

/** Who owns each file in the containers, by its path. */
async function owners(directory: string): Promise<Owners> {
  const tree = await describeTree(server, `${directory}/storage-pools/default/containers`);
  // A container that runs has mount points of the daemon in it, and its own folder belongs to its root only while it does.
  const kept = [...tree].filter(([path]) => /^[^/]+\/rootfs\/(bin|etc|root|sbin|usr)(\/|$)/.test(path));
  return Object.fromEntries(kept.map(([path, { owner }]) => [path, owner]));
}

function write(text: string): void {
  for (const file of files) writeFileSync(server.rootPath(file), text, 'latin1');
}

function read(): string[] {
  return files.map((file) => readFileSync(server.rootPath(file), 'latin1'));
}

const all = ['alone', 'plain', 'privileged'].map((instance) => ({
  project: 'default',
  instance,
  status: 'Running' as const,
}));

it('is what LXD has mapped', () => {
  expect(read().every((text) => text.includes(`${range}\n`))).toBe(true);
  expect(before['plain/rootfs/etc']).toBe('100000:100000');
  expect(before['alone/rootfs/etc']).toBe('165536:165536');
  expect(before['privileged/rootfs/etc']).toBe('0:0');
});

describe('a move is refused, and no file touched', () => {
  it.each([
    [
      'where somebody else has a part of the range that was lost',
      'alice:200000:65536\n',
      'id-range-too-small',
      `at least ${range} in /etc/subuid`,
    ],
    [
      'where a line ends the reading of both daemons',
      `${range}\nno line of this file\n`,
      'id-map-file-unreadable',
      '/etc/subuid, line 2: "no line of this file"',
    ],
    [
      'where the lines are those of Windows',
      `lxd:100000:10000001\r\n${range}\r\n`,
      'id-range-not-granted',
      'instance default/plain',
    ],
    ['where the name has another case', `Root${range.slice(4)}\n`, 'id-range-not-granted', range],
    [
      'where root has another range by now',
      'root:20000000:65536\n',
      'id-range-too-small',
      'it finds 20000000 to 20065535',
    ],
  ])('%s', async (_where, text, id, says) => {
    const usual = read()[0] ?? '';
    write(text);
    try {
      await expectBlocked(server, id, { says: [says] });
    } finally {
      write(usual);
    }
    expect(await owners('/var/lib/lxd')).toEqual(before);
  });

  it('where a pipe stands in place of a file', async () => {
    await server.exec(['mv', '/etc/subgid', '/etc/subgid.away']);
    await server.exec(['mkfifo', '/etc/subgid']);
    try {
      const plan = await tool(server, ['plan']);

      expect(plan.status, plan.stderr).toBe(3);
      expect(plan.stdout).toContain('blocker  id-map-file-unreadable\n');
      expect(plan.stdout).toContain('/etc/subgid: A file is expected here, and this is a named pipe.');
      expectForPeople(plan);
    } finally {
      await server.exec(['mv', '/etc/subgid.away', '/etc/subgid']);
    }
  });
});

it('whose line was lost is entered again, and holds what the containers have: there and back', async () => {
  // A line with a blank behind it, which no daemon reads, and no end of the last line.
  const lost = `lxd:100000:10000001\n${range} \nalice:20000000:65536`;
  write(lost);
  const plan = await tool(server, ['plan']);

  const moved = await tool(server, ['migrate', '--yes']);

  expect(plan.stdout).toContain(`/etc/subuid: ${range}\n`);
  expect(plan.stdout).toContain('there is a blank beside a number');
  expect(moved.status, `${moved.stdout}${moved.stderr}`).toBe(0);
  expectForPeople(moved);
  expect(await powerOf(server, 'incus')).toEqual(all);
  expect(await cannotWrite(server, 'incus', all)).toEqual([]);
  expect(await owners('/var/lib/incus')).toEqual(before);
  expect(read()).toEqual([`${lost}\n${range}\n`, `${lost}\n${range}\n`]);

  const back = await tool(server, ['rollback', '--yes']);

  expect(back.status, `${back.stdout}${back.stderr}`).toBe(0);
  expect(await powerOf(server, 'lxd')).toEqual(all);
  expect(await cannotWrite(server, 'lxd', all)).toEqual([]);
  expect(await owners('/var/lib/lxd')).toEqual(before);
  // Without it newuidmap would refuse LXD's own containers.
  expect(read()).toEqual([`${lost}\n${range}\n`, `${lost}\n${range}\n`]);
});
