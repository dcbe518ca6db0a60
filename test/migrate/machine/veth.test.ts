// Which interfaces are what a dead container left, and which are somebody's.
import * as fs from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { clearLooseVeths } from '../../../src/migrate/apply/steps/leftovers.ts';
import { isLooseVeth } from '../../../src/migrate/machine/veth.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';

/** `[index, index of the other end, bridge]` by name. */
function machine(links: Readonly<Record<string, readonly [number, number, string?]>>): FakeHost {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  for (const [name, [own, other, bridge]] of Object.entries(links)) {
    host.writeFile(`/sys/class/net/${name}/ifindex`, `${own}\n`);
    host.writeFile(`/sys/class/net/${name}/iflink`, `${other}\n`);
    if (bridge === undefined) continue;
    fs.mkdirSync(host.path(`/sys/class/net/${bridge}`), { recursive: true });
    fs.symlinkSync(`../${bridge}`, host.path(`/sys/class/net/${name}/master`));
  }
  return host;
}

describe('isLooseVeth', () => {
  test('is a pair with both ends on the host', () => {
    const host = machine({ veth00000001: [1, 2], veth00000002: [2, 1] });

    expect(isLooseVeth(host, 'veth00000001')).toBe(true);
    expect(isLooseVeth(host, 'veth00000002')).toBe(true);
  });

  test.each([
    ['one whose other end is elsewhere', { veth00000001: [1, 2] }],
    ['one in a bridge', { veth00000001: [1, 2, 'br0'], veth00000002: [2, 1] }],
    ['one of another name', { veth00000001: [1, 2], eth7: [2, 1] }],
  ] as const)('is not %s', (_what, links) => {
    expect(isLooseVeth(machine(links), _what.includes('name') ? 'eth7' : 'veth00000001')).toBe(false);
  });

  test('is one in a bridge whose daemon is dead, and in no other', () => {
    const host = machine({
      veth00000001: [1, 2, 'br0'],
      veth00000002: [2, 1],
      veth00000003: [3, 4, 'br1'],
      veth00000004: [4, 3],
    });

    expect(isLooseVeth(host, 'veth00000001', ['br0'])).toBe(true);
    expect(isLooseVeth(host, 'veth00000002', ['br0'])).toBe(true);
    expect(isLooseVeth(host, 'veth00000003', ['br0'])).toBe(false);
  });
});

test('loose pairs are taken down before a dead daemon is started again, and no others', async () => {
  const host = machine({
    veth00000001: [1, 2, 'br0'],
    veth00000002: [2, 1],
    veth00000003: [3, 4, 'br1'],
    veth00000004: [4, 3],
    veth00000005: [5, 6, 'br0'],
  });
  host.onRun(() => ({}));

  await clearLooseVeths(host, ['br0'], () => {});

  expect(host.log.filter(({ kind }) => kind === 'run').map(({ text }) => text)).toEqual([
    'ip link delete dev veth00000001',
    'ip link delete dev veth00000002',
  ]);
});
