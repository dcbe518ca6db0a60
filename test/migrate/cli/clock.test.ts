// A clock that jumps between any two commands decides nothing: not which run is rolled back, and not what is removed.
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Output } from '../../../src/core/output.ts';
import { tellingOn } from '../../../src/migrate/cli/carry-out.ts';
import { nameOfRun } from '../../../src/migrate/cli/migrate-command.ts';
import { rollbackCommand } from '../../../src/migrate/cli/rollback-command.ts';
import { type Journal, openJournal } from '../../../src/migrate/journal/journal.ts';
import { possible } from '../../../src/migrate/journal/run-state.ts';
import { runFolder } from '../../../src/migrate/plan/make-steps.ts';
import type { PlanMaterial } from '../../../src/migrate/plan/plan-material.ts';
import { beginRun } from '../../../src/migrate/run/begin-run.ts';
import { latestRun } from '../../../src/migrate/run/run-status.ts';
import type { FakeHost } from '../../fakes/fake-host.ts';
import { twoDaemons } from '../../fakes/two-daemons.ts';
import { watchFiles } from '../../fakes/watched-files.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { instance } from '../convert/converted.ts';
import { lxdDatabase } from '../lxd-database.ts';
import { machineWith, planOf } from '../plan/planned.ts';

// Without waiting for the disk.
watchFiles();

const output: Output = {
  json: false,
  line: () => {},
  message: () => {},
  event: () => {},
  progress: () => {},
  colour: (_, text) => text,
};

const rehearsal = {
  ran: true,
  reason: undefined,
  version: '6.0.4',
  compared: {},
  findings: [],
  notProven: [],
  differences: [],
  milliseconds: 1,
};

/** As a migration begins, and ends where nothing failed. */
function migrate(host: FakeHost, state: string, plannedOn: PlanMaterial): string {
  return withJournal(state, (journal) => {
    const run = nameOfRun(journal, state, host.now());
    const folder = runFolder(state, run);
    fs.mkdirSync(folder, { recursive: true });
    // Where the steps of the plan keep what they set aside.
    const planned = host.path(runFolder('/var/lib/lxd-to-incus', 'RUN'));
    fs.rmSync(planned, { force: true });
    fs.mkdirSync(dirname(planned), { recursive: true });
    fs.symlinkSync(folder, planned);
    const work = { host, plannedOn, journal, run, folder, stopLimitMs: 1000, forceStop: false };
    const more = { ...tellingOn(output), purge: undefined, report: undefined, interrupted: () => false };
    beginRun({ ...work, ...more }, rehearsal, { accept: new Set(), fix: false });
    journal.enter(run, 'done', host.now());
    return run;
  });
}

function withJournal<T>(state: string, use: (journal: Journal) => T): T {
  const journal = openJournal(state);
  try {
    return use(journal);
  } finally {
    journal.close();
  }
}

const day = 86_400_000;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Each command is a process of its own, and watches signals to its end. */
async function asProcess<T>(command: () => Promise<T>): Promise<T> {
  const before = signals.map((signal) => process.listeners(signal));
  try {
    return await command();
  } finally {
    signals.forEach((signal, at) => {
      for (const listener of process.listeners(signal))
        if (before[at]?.includes(listener) !== true) process.off(signal, listener);
    });
  }
}

test('migrations and rollbacks in any order, with jumps of days both ways', async () => {
  const host = machineWith(lxdDatabase(instance(1, 'c1')));
  twoDaemons(host);
  const plannedOn = await planOf(host);
  const jump = fc.integer({ min: -3, max: 3 });
  const commands = fc.array(fc.tuple(jump, fc.constantFrom('migrate', 'rollback')), {
    minLength: 2,
    maxLength: 8,
  });

  await fc.assert(
    fc.asyncProperty(commands, async (all) => {
      const state = temporaryFolder();
      const begun: string[] = [];
      for (const [days, command] of all) {
        host.machine.clockMs += days * day;
        const before = withJournal(state, (journal) => latestRun(journal, false));
        if (command === 'migrate' && (before === undefined || possible(before.state).migrate))
          begun.push(migrate(host, state, plannedOn));
        else if (command === 'rollback') {
          const exit = await asProcess(() => rollbackCommand(host, { state, yes: true }, output));

          expect(exit).toBe(before !== undefined && possible(before.state).rollback ? 0 : 4);
          if (exit === 0)
            expect(withJournal(state, (journal) => journal.latest())).toMatchObject({
              id: begun.at(-1),
              phase: 'rolled-back',
            });
        }

        const runs = withJournal(state, (journal) => journal.runs());
        expect(runs.map(({ id }) => id)).toEqual(begun);
        for (const { id, phase } of runs.filter(
          (run, at) => run.phase !== 'rolled-back' || at === runs.length - 1,
        ))
          expect(
            fs.existsSync(join(runFolder(state, id), 'planned-database.sqlite')),
            `${id}, ${phase}`,
          ).toBe(true);
      }
    }),
    { numRuns: 40 },
  );
});
