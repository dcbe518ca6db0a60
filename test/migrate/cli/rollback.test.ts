// The command itself on a fake machine: what it does about LXD beside taking steps back, and what it says at the end.
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Output } from '../../../src/core/output.ts';
import { tellingOn } from '../../../src/migrate/cli/carry-out.ts';
import { resumeCommand } from '../../../src/migrate/cli/resume-command.ts';
import { rollbackCommand } from '../../../src/migrate/cli/rollback-command.ts';
import { statusCommand } from '../../../src/migrate/cli/status-command.ts';
import { tellingLines } from '../../../src/migrate/daemon/telling-lines.ts';
import { openJournal } from '../../../src/migrate/journal/journal.ts';
import { takeLock } from '../../../src/migrate/journal/lock.ts';
import { runFolder } from '../../../src/migrate/plan/make-steps.ts';
import { beginRun } from '../../../src/migrate/run/begin-run.ts';
import { recordFolder } from '../../../src/migrate/run/known-folders.ts';
import { answerFiles } from '../../fakes/container-files.ts';
import type { FakeHost } from '../../fakes/fake-host.ts';
import { boot, type TwoDaemons, twoDaemons } from '../../fakes/two-daemons.ts';
import { watchFiles } from '../../fakes/watched-files.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { treeOf } from '../apply/tree.ts';
import { instance } from '../convert/converted.ts';
import { lxdDatabase } from '../lxd-database.ts';
import { machineWith, planOf } from '../plan/planned.ts';

// Without waiting for the disk.
watchFiles();

interface Begun {
  readonly host: FakeHost;
  readonly daemons: TwoDaemons;
  readonly state: string;
  /** `lxd-to-incus status`, and all that it says. */
  status(): Promise<string>;
  /** `lxd-to-incus resume --yes`. */
  resume(): Promise<number>;
  /** `lxd-to-incus rollback --yes`, and all that it says. */
  rollback(): Promise<{ readonly status: number; readonly said: string }>;
}

/** A run that was begun while LXD ran, or did not, and that stopped before its first step. */
async function begun({ lxdRuns }: { readonly lxdRuns: boolean }): Promise<Begun> {
  const host = machineWith(lxdDatabase(instance(1, 'c1')));
  const daemons = twoDaemons(host);
  answerFiles(host);
  if (lxdRuns) await boot(host, daemons.lxd, { 'default/c1': 'Running' });
  const plannedOn = await planOf(host);
  const state = temporaryFolder();
  const folder = runFolder(state, 'RUN');
  fs.mkdirSync(folder, { recursive: true });
  // Where the steps of the plan keep what they set aside.
  const planned = host.path(runFolder('/var/lib/lxd-to-incus', 'RUN'));
  fs.mkdirSync(dirname(planned), { recursive: true });
  fs.symlinkSync(folder, planned);
  const said: string[] = [];
  const output: Output = {
    json: false,
    line: (text) => void said.push(text),
    message: (text) => void said.push(text),
    event: () => {},
    progress: () => {},
    colour: (_, text) => text,
  };
  const journal = openJournal(state);
  beginRun(
    {
      host,
      plannedOn,
      ...tellingOn(output),
      journal,
      run: 'RUN',
      folder,
      stopLimitMs: 60_000,
      forceStop: false,
      purge: undefined,
      report: undefined,
      interrupted: () => false,
    },
    {
      ran: true,
      reason: undefined,
      version: '6.0.4',
      compared: {},
      findings: [],
      notProven: [],
      differences: [],
      milliseconds: 1,
    },
    { accept: new Set(), fix: false },
  );
  journal.close();
  host.log.length = 0;
  return {
    host,
    daemons,
    state,
    status: async () => {
      said.length = 0;
      await statusCommand(host, { state }, output);
      return said.join('\n');
    },
    resume: () => resumeCommand(host, { state, yes: true }, output),
    rollback: async () => ({
      status: await rollbackCommand(host, { state, yes: true }, output),
      said: said.join('\n'),
    }),
  };
}

/** As a kill leaves it: its instances live on. */
function kill({ host, daemons }: Begun): void {
  daemons.lxd.running = false;
  host.machine.listeners.delete(daemons.lxd.socket);
}

describe('a rollback', () => {
  test('leaves an LXD that answers alone, and says that what ran runs', async () => {
    const run = await begun({ lxdRuns: true });

    const { status, said } = await run.rollback();

    expect(status).toBe(0);
    expect(run.host.log).not.toContainEqual({ kind: 'run', text: expect.stringContaining('start lxd') });
    expect(said).toMatch(/LXD is back in .*; what ran runs\./);
  });

  test('does not say that everything runs where an instance was accepted as gone', async () => {
    const run = await begun({ lxdRuns: true });
    const journal = openJournal(run.state);
    journal.note('RUN', 'accepted-as-gone', ['instance default/gone']);
    journal.close();

    const { said } = await run.rollback();

    expect(said).toMatch(/LXD is back in .*; what ran runs, apart from what is gone since the move\./);
  });

  test('starts an LXD that listened when the run began and was killed by something else', async () => {
    const run = await begun({ lxdRuns: true });
    kill(run);

    const { status, said } = await run.rollback();

    expect(status).toBe(0);
    expect(run.daemons.lxd.running).toBe(true);
    expect(run.daemons.lxd.instances.get('default/c1')).toBe('Running');
    expect(said).toContain('has ended while its instances run, and is started again');
    expect(said).toMatch(/LXD is back in .*; what ran runs\./);
  });

  test('does not start an LXD that did not listen when the run began, and says so', async () => {
    const run = await begun({ lxdRuns: false });

    const { status, said } = await run.rollback();

    expect(status).toBe(0);
    expect(run.daemons.lxd.running).toBe(false);
    expect(said).toMatch(/LXD is back in .*; it does not run, as when the migration began\./);
    expect(said).not.toContain('what ran runs');
  });

  test('does not say that anything runs where LXD has ended by itself and is not started', async () => {
    const run = await begun({ lxdRuns: true });
    kill(run);
    run.host.machine.processes = [];

    const { status, said } = await run.rollback();

    expect(status).toBe(0);
    expect(run.daemons.lxd.running).toBe(false);
    expect(said).toMatch(/LXD is back in .*; it does not run\./);
    expect(said).not.toContain('what ran runs');
  });
});

test('a rollback that leaves a unit otherwise than it was says which, and ends with 1', async () => {
  const run = await begun({ lxdRuns: true });
  const journal = openJournal(run.state);
  for (const { position, step } of journal.steps('RUN')) {
    if (step.kind === 'stop-daemon' && step.daemon.role === 'target')
      journal.remember('RUN', position, { ran: false, active: ['incus-user.socket'] });
    if (position < 2) journal.mark('RUN', position, 'done', run.host.now());
  }
  journal.close();
  run.host.onRun(([command, verb]) =>
    command === 'systemctl' && verb === 'start'
      ? { status: 1, stderr: Buffer.from('Job failed') }
      : undefined,
  );

  await expect(run.rollback()).rejects.toMatchObject({
    problem: { code: 'rollback-left-open', what: ['unit incus-user.socket is inactive; it was active'] },
    exitCode: 1,
  });
});

describe('a planned-database.sqlite that is damaged', () => {
  async function damaged(): Promise<Begun> {
    const run = await begun({ lxdRuns: true });
    fs.writeFileSync(join(runFolder(run.state, 'RUN'), 'planned-database.sqlite'), 'no database');
    return run;
  }

  test('does not keep LXD from coming back', async () => {
    const run = await damaged();

    const { status, said } = await run.rollback();

    expect(status).toBe(0);
    expect(said).toMatch(/LXD is back in .*; what ran runs\./);
  });

  test('is named by resume, which compares with it, before anything is changed', async () => {
    const run = await damaged();

    await expect(run.resume()).rejects.toMatchObject({
      problem: { code: 'run-folder-gone', missing: expect.stringContaining('planned-database.sqlite') },
    });

    expect(run.host.log).toEqual([]);
  });

  test('lets no line of a log be shown, since nobody can tell what of it is confidential', () => {
    const log = 'level=error msg="core.trust_password: hunter2"';

    const shown = [Buffer.alloc(0), Buffer.from('no database')].map((image) => tellingLines(log, image));

    for (const lines of shown) expect(lines).toEqual([expect.stringContaining('not shown')]);
  });
});

describe('where a package manager has brought an LXD back to the directory that the data left', () => {
  async function cameBack(): Promise<Begun> {
    const run = await begun({ lxdRuns: false });
    const journal = openJournal(run.state);
    for (const { position, step } of journal.steps('RUN'))
      if (step.kind === 'move-directory') journal.mark('RUN', position, 'done', run.host.now());
    journal.enter('RUN', 'done', run.host.now());
    journal.close();
    fs.renameSync(run.host.path('/var/lib/lxd'), run.host.path('/var/lib/incus'));
    run.host.writeFile('/var/lib/lxd/database/global/metadata1', 'of a new, empty LXD');
    return run;
  }

  test('status says so', async () => {
    const run = await cameBack();

    const said = await run.status();

    expect(said).toContain('Nothing keeps LXD from starting: no unit of it was masked.');
    expect(said).toContain('rollback" refuses because of what is named below.');
    expect(said).not.toContain('brings LXD back');
    expect(said).toContain('source-came-back');
    expect(said).toContain('/var/lib/lxd/database');
  });

  test('status does not say that nothing starts LXD where somebody has unmasked its units', async () => {
    const run = await cameBack();
    const journal = openJournal(run.state);
    for (const { position, step } of journal.steps('RUN'))
      if (step.kind === 'mask-source') {
        journal.remember('RUN', position, { states: [], masked: ['lxd.socket'] });
        journal.mark('RUN', position, 'done', run.host.now());
      }
    journal.close();
    run.daemons.units.set('lxd.socket', 'enabled');

    const said = await run.status();

    expect(said).toContain('The migration masked lxd.socket, and now systemd says: enabled.');
    expect(said).not.toContain('so that nothing starts LXD');
  });

  test('rollback refuses, names the way out, and changes nothing', async () => {
    const run = await cameBack();
    // Its file stays.
    takeLock(run.host, run.state)();
    // As the command did that finished the migration.
    recordFolder(run.host, run.state, () => {});
    const before = treeOf(run.host.root);

    await expect(run.rollback()).rejects.toMatchObject({
      problem: { code: 'findings-open', ids: ['source-came-back'] },
      exitCode: 3,
    });

    expect(treeOf(run.host.root)).toEqual(before);
    expect(run.host.log).toEqual([]);
  });
});

describe('a state folder that lies elsewhere than when the migration began', () => {
  test('ends a rollback and a resume before anything is stopped, and says where it was', async () => {
    const run = await begun({ lxdRuns: true });
    fs.unlinkSync(run.host.path(runFolder('/var/lib/lxd-to-incus', 'RUN')));

    const moved = {
      problem: {
        code: 'run-folder-moved',
        was: '/var/lib/lxd-to-incus/runs/RUN',
        is: runFolder(run.state, 'RUN'),
      },
      exitCode: 1,
    };
    await expect(run.rollback()).rejects.toMatchObject(moved);
    await expect(run.resume()).rejects.toMatchObject(moved);
    const status = await run.status();
    expect(status).toContain('was /var/lib/lxd-to-incus/runs/RUN when it began');
    expect(status).not.toContain('brings LXD back');
    expect(run.daemons.lxd.running).toBe(true);
  });

  test('or is a copy while the first one is still there', async () => {
    const run = await begun({ lxdRuns: true });
    const planned = run.host.path(runFolder('/var/lib/lxd-to-incus', 'RUN'));
    fs.unlinkSync(planned);
    fs.mkdirSync(planned);

    await expect(run.rollback()).rejects.toMatchObject({ problem: { code: 'run-folder-moved' } });
  });
});
