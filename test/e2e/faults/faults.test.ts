// A sample of the fault matrix (`npm run test:faults` is the whole of it), and a rollback of a migration that was used since.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { api } from '../server/api.ts';
import { tool } from '../server/tool.ts';
import { type FaultLab, openFaultLab } from './fault-lab.ts';
import {
  boundaryPoints,
  changesInIncus,
  clockJumps,
  commandFaults,
  errorFaults,
  type Fault,
  killedTwice,
  killTotal,
  otherTotal,
  powerCuts,
  randomPoints,
  restarts,
  rollbackKills,
  secondRuns,
  seeded,
  signalFaults,
  syscallPoints,
} from './fault-points.ts';
import { tryAll } from './try-fault.ts';

/**
 * The same points each time: a gate that tries others every time says little about the change that it stops. New points
 * are explored by the whole matrix (`npm run test:faults`), or with LXD_TO_INCUS_FAULTS_SEED.
 */
const seed = Number(process.env['LXD_TO_INCUS_FAULTS_SEED'] ?? 860499);

/** Thirty faults, two at a time, take nine minutes where nothing else runs; beside other tests each takes twice as long. */
const limitMs = 2_400_000;

let lab: FaultLab;

beforeAll(async () => {
  lab = await openFaultLab('bookworm');
});

afterAll(() => lab.close());

describe('a migration to which something happens', () => {
  const random = seeded(seed);

  /** So many of them, evenly chosen. */
  function some(faults: readonly Fault[], count: number): Fault[] {
    const first = random();
    return Array.from({ length: count }, (_, index) => {
      const fault = faults[Math.floor(((index + first) * faults.length) / count)];
      if (fault === undefined) throw new Error('there are fewer faults than that');
      return fault;
    });
  }

  it(
    'ends well when it is killed, and is then finished or taken back',
    async () => {
      const outcomes = await tryAll(
        lab,
        [...syscallPoints(lab, 25, random), ...randomPoints(lab, 2, random), ...some(boundaryPoints(lab), 2)],
        2,
      );

      console.log(`seed ${seed}: ${killTotal(outcomes)}`);
      expect(outcomes.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
    },
    limitMs,
  );

  it(
    'ends well after errors, signals, power cuts, a second run, and commands that do not work',
    async () => {
      const outcomes = await tryAll(
        lab,
        [
          ...errorFaults(lab, 3, random),
          ...signalFaults(lab, 1, random),
          ...powerCuts(lab, 3, random),
          ...secondRuns(lab, 1, random),
          ...killedTwice(lab, 1, random),
          ...some(
            commandFaults.filter((fault) => fault.kind === 'command' && fault.how !== 'hanging'),
            1,
          ),
        ],
        2,
      );

      console.log(`seed ${seed}: ${otherTotal(outcomes)}`);
      expect(outcomes.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
    },
    limitMs,
  );
});

describe('several commands, and a server that was used in between', () => {
  const random = seeded(seed);

  it(
    'end well where rollbacks are killed, clocks jump, machines restart, and Incus was changed',
    async () => {
      // The last two of so many are the longest.
      const histories = [clockJumps, restarts].flatMap((choose) => choose(lab, 8, random).slice(-2));
      const change = changesInIncus[Math.floor(random() * changesInIncus.length)];
      if (change === undefined) throw new Error('there is no change');

      const outcomes = await tryAll(lab, [...rollbackKills(lab, 4, random), ...histories, change], 2);

      console.log(`seed ${seed}: ${killTotal(outcomes)}; ${otherTotal(outcomes)}`);
      expect(outcomes.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
    },
    limitMs,
  );
});

describe('rollback of a migration that was used since', () => {
  it('leaves the whole directory of LXD as it was, but for what was made, changed and deleted', async () => {
    const machine = await lab.start('used');
    const incus = (method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown> =>
      api(machine, 'incus', method, path, body);
    try {
      expect((await tool(machine, ['migrate', '--yes'])).status).toBe(0);
      await incus('POST', '/1.0/instances', { name: 'made', source: { type: 'none' } });
      await incus('POST', '/1.0/instances/bridged/snapshots', { name: 'since' });
      await incus('DELETE', '/1.0/instances/resting');
      await machine.exec(['incus', 'exec', 'bridged', '--', 'sh', '-c', 'echo changed > /root/changed']);

      const refused = await tool(machine, ['rollback', '--yes']);
      const accepted = await tool(machine, ['rollback', '--yes', '--accept', 'gone-since-switch']);

      expect(refused.status).toBe(3);
      for (const named of ['instance default/resting', 'instance default/made', 'since'])
        expect(refused.stdout).toContain(named);
      expect(accepted.status, accepted.stdout + accepted.stderr).toBe(0);
      const pool = '/var/lib/lxd/storage-pools/plain';
      const used = {
        made: [`${pool}/containers/made`],
        snapshot: [`${pool}/containers-snapshots/bridged`],
        deleted: [`${pool}/containers/resting`, `${pool}/containers-snapshots/resting`],
        changed: [`${pool}/containers/bridged/rootfs/root/changed`],
      };
      const differences = await lab.wrongWithLxd(machine);
      const isBelow = (line: string, paths: readonly string[]): boolean =>
        paths.some((path) => line.startsWith(`${path}/`) || line.startsWith(`${path} `));
      expect(differences.filter((line) => !isBelow(line, Object.values(used).flat()))).toEqual([]);
      for (const [what, paths] of Object.entries(used))
        expect(
          differences.some((line) => isBelow(line, paths)),
          what,
        ).toBe(true);
    } finally {
      await machine.stop();
    }
  });
});
