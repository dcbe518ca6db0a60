// The steps on files: done again, taken back, taken back again, and interrupted between any two changes, each ends in
// the one right state.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { writeFileDurable } from '../../../src/core/durable.ts';
import { Failure } from '../../../src/core/failure.ts';
import { unpackDatabaseFixture } from '../../../src/dev/database-fixture.ts';
import { readDatabase } from '../../../src/dqlite/index.ts';
import type { ApplyContext, StepHandler } from '../../../src/migrate/apply/step-handler.ts';
import { copyAheadStep, copyDirectoryStep } from '../../../src/migrate/apply/steps/copy-directory.ts';
import { recordDirectoryStep } from '../../../src/migrate/apply/steps/directory.ts';
import {
  addIdRangeStep,
  convertAgainStep,
  emptyRuntimeFolderStep,
  installDatabaseStep,
  moveDirectoryStep,
  renameSnapshotsFolderStep,
  repointLinksStep,
  setAsideDatabaseStep,
  setAsideTargetStep,
} from '../../../src/migrate/apply/steps/files.ts';
import { leaveNoteStep } from '../../../src/migrate/apply/steps/leave-note.ts';
import { emptyTargetMountStep, moveMountStep } from '../../../src/migrate/apply/steps/mount.ts';
import { nothingRemembered } from '../../../src/migrate/daemon/remembering-client.ts';
import { smallServer } from '../../../src/migrate/daemon/server-size.ts';
import { readInventory } from '../../../src/migrate/inventory/database/read-inventory.ts';
import { openJournal } from '../../../src/migrate/journal/journal.ts';
import type { NoteName, NoteValue } from '../../../src/migrate/journal/notes.ts';
import type { Step } from '../../../src/migrate/model/step.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';
import { Died, fileWatch, watchFiles } from '../../fakes/watched-files.ts';
import { config, instance } from '../convert/converted.ts';
import { ask, lxdDatabase } from '../lxd-database.ts';
import { writeDatabase } from '../plan/planned.ts';
import { treeOf } from './tree.ts';

watchFiles();

interface Case {
  readonly handler: StepHandler<never>;
  readonly step: Step;
  /** Steps of the run that come after it. */
  readonly more?: readonly Step[];
  /** What is there before. */
  readonly make: (host: FakeHost) => void;
  /** Whether undo gives back exactly what was there; else what it gives is compared with itself. */
  readonly undoIsExact?: false;
}

const state = fs.mkdtempSync(join(tmpdir(), 'lxd-to-incus-test-'));
const journal = openJournal(state);
let runs = 0;
afterAll(() => {
  journal.close();
  fs.rmSync(state, { recursive: true, force: true });
});

/** A machine with one step of a run, whose memo outlives the process. */
function begun({ handler, step, make, more = [] }: Case) {
  const host = fakeHost();
  for (const folder of ['/var/lib', '/state/runs/RUN', '/etc'])
    fs.mkdirSync(host.path(folder), { recursive: true });
  make(host);
  onTestFinished(() => host.dispose());
  runs += 1;
  const run = `RUN-${runs}`;
  journal.begin(run, {}, [step, ...more], new Date(0));
  journal.note(run, 'power', { running: [], frozen: [], daemonRan: false });
  const warnings: string[] = [];
  const context: ApplyContext = {
    host,
    journal,
    run,
    size: smallServer,
    stopLimitMs: 1000,
    forceStop: false,
    interrupted: () => false,
    differences: () => [],
    convertAgain: () => ({
      differences: [],
      held: [],
      changes: [],
      write: (folder) => {
        fs.mkdirSync(folder, { mode: 0o700 });
        writeFileDurable(join(folder, 'local.db'), 'converted local');
        fs.mkdirSync(join(folder, 'global'), { mode: 0o700 });
        writeFileDurable(join(folder, 'global', 'metadata1'), 'converted global');
      },
    }),
    prepareConversion: () => {},
    wouldStart: () => [],
    sourceInventory: () => readInventory(lxdDatabase()),
    tellingLines: (log) => [log],
    say: () => {},
    warn: (text) => warnings.push(text),
    askedByPlan: () => undefined,
    prepareComparison: () => {},
    prepareVerification: () => {},
    saidByTarget: nothingRemembered(),
    leaveOpen: (what) => warnings.push(what),
  };
  const call = async (what: 'apply' | 'undo'): Promise<void> => {
    const { memo } = journal.steps(run)[0] ?? { memo: null };
    const remember = (value: unknown): void => {
      // A dead process writes nothing into its journal either.
      if (fileWatch.isDead()) throw new Died('journal');
      journal.remember(run, 0, value);
    };
    await handler[what]({ step, memo, remember, context } as never);
  };
  return {
    host,
    run,
    apply: () => call('apply'),
    undo: () => call('undo'),
    /** Lets the process die after so many changes. Returns whether it did. */
    dyingAfter: async (changes: number, what: 'apply' | 'undo'): Promise<boolean> => {
      fileWatch.reset();
      fileWatch.dieAfter(changes);
      // The one that dies is another process than the one that comes after it.
      const { pid } = process;
      Object.defineProperty(process, 'pid', { value: pid + 1, configurable: true });
      try {
        await call(what);
        return false;
      } catch (error) {
        if (!(error instanceof Died)) throw error;
        return true;
      } finally {
        Object.defineProperty(process, 'pid', { value: pid, configurable: true });
        fileWatch.reset();
      }
    },
    note: <N extends NoteName>(name: N, value: NoteValue<N>) => journal.note(run, name, value),
    noted: (name: NoteName): unknown => journal.noted(run, name),
    /** What the person was warned of. */
    warnings,
    tree: (): Record<string, string> => treeOf(host.root),
  };
}

const lxd = (host: FakeHost): void => {
  for (const [path, content] of Object.entries({
    '/var/lib/lxd/server.crt': 'certificate',
    '/var/lib/lxd/snapshots/c1_snap0': '',
    '/var/lib/lxd/storage-pools/default/containers/c1/rootfs/etc/hostname': 'c1',
  }))
    host.writeFile(path, content);
  fs.chmodSync(host.path('/var/lib/lxd'), 0o711);
};
const links = (host: FakeHost): void => {
  const at = '/var/lib/incus';
  for (const folder of ['containers', 'containers-snapshots', 'virtual-machines'])
    fs.mkdirSync(host.path(join(at, folder)), { recursive: true });
  const link = (name: string, to: string): void => fs.symlinkSync(to, host.path(join(at, name)));
  link('containers/c1', '/var/lib/lxd/storage-pools/default/containers/c1');
  link('containers/foreign', '/var/lib/lxd-data/c3');
  link('containers-snapshots/c1', '/var/lib/lxd/storage-pools/default/containers-snapshots/c1');
  link('images', '/var/lib/lxd/storage-pools/default/custom/default_images');
  host.writeFile(join(at, 'containers/no-link'), 'kept');
};

/** As they were before anybody watched them. */
const real = { ...fs };

/** As `cp -a`: one command, in the middle of which nobody dies. */
function copy(from: string, to: string): void {
  real.cpSync(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  if (!real.lstatSync(from).isDirectory()) return;
  for (const name of ['', ...real.readdirSync(from, { recursive: true, encoding: 'utf8' })]) {
    const stat = real.lstatSync(join(from, name));
    if (!stat.isSymbolicLink()) real.chmodSync(join(to, name), stat.mode & 0o7777);
  }
}

function empty(folder: string): void {
  for (const name of real.readdirSync(folder))
    if (name !== 'lost+found') real.rmSync(join(folder, name), { recursive: true });
}

/** Commands that work on files, on the files of the fake machine: a dead process starts none. */
function commands(host: FakeHost): void {
  const alive = (): void => {
    if (fileWatch.isDead()) throw new Died('command');
  };
  const here = (path: string): string => join(host.root, path);
  host.machine.commands.set('systemctl', '/usr/bin/systemctl');
  host.onRun(([command, ...args]) => {
    alive();
    const last = args.at(-1) ?? '';
    const [from = '', to = ''] = args.slice(-2).map(here);
    if (command === 'sync' || args[0] === 'daemon-reload') return {};
    if (command === 'cp') copy(from, last.endsWith('/') ? join(to, basename(from)) : to);
    // A mount shows one content in two places: here it is copied, and taken away with the umount.
    else if (command === 'mount') {
      host.machine.mounts.push({ path: last, type: 'ext4', device: '/dev/sdb', root: '/' });
      copy(from, to);
    } else if (command === 'umount') {
      host.machine.mounts = host.machine.mounts.filter(({ path }) => path !== last);
      empty(to);
    } else return undefined;
    return {};
  });
  host.onRun(([command, verb = '', unit = '']) => {
    if (command !== 'systemctl' || verb === 'daemon-reload') return undefined;
    alive();
    const link = here(`/etc/systemd/system/multi-user.target.wants/${unit}`);
    const enabled = fs.lstatSync(link, { throwIfNoEntry: false }) !== undefined;
    if (verb === 'is-enabled') return { stdout: Buffer.from(enabled ? 'enabled\n' : 'disabled\n') };
    if (verb === 'disable') real.rmSync(link, { force: true });
    else if (!enabled) real.symlinkSync(`/etc/systemd/system/${unit}`, link);
    return {};
  });
  host.onStart(([command, ...args]) => {
    alive();
    if (command !== 'rsync') return undefined;
    const [from = '', to = ''] = args.slice(-2).map(here);
    if (args.includes('--checksum')) return {};
    empty(to);
    copy(from, to);
    return {};
  });
}

/** The folder of the tool lies on another file system than the data. */
const stateElsewhere =
  (make: Case['make']): Case['make'] =>
  (host) => {
    fileWatch.acrossDevices = (from, to) => from.includes('/state/') !== to.includes('/state/');
    onTestFinished(() => {
      fileWatch.acrossDevices = () => false;
    });
    commands(host);
    make(host);
  };

const mounted = (host: FakeHost, path: string): void =>
  void host.machine.mounts.push({ path, type: 'ext4', device: '/dev/sdb', root: '/' });
const mountUnit = `[Unit]\nDescription=mine\n[Mount]\nWhat=/dev/sdb\nWhere=/var/lib/lxd\n[Install]\nWantedBy=multi-user.target\n`;

const cases: Readonly<Record<string, Case>> = {
  'set-aside-target': {
    handler: setAsideTargetStep,
    step: { kind: 'set-aside-target', path: '/var/lib/incus', into: '/state/runs/RUN/target-directory' },
    make: (host) => host.writeFile('/var/lib/incus/database/x', 'of Incus'),
  },
  'set-aside-target, where there is none': {
    handler: setAsideTargetStep,
    step: { kind: 'set-aside-target', path: '/var/lib/incus', into: '/state/runs/RUN/target-directory' },
    make: () => {},
  },
  'move-directory': {
    handler: moveDirectoryStep,
    step: { kind: 'move-directory', from: '/var/lib/lxd', to: '/var/lib/incus' },
    make: lxd,
  },
  'set-aside-database': {
    handler: setAsideDatabaseStep,
    step: {
      kind: 'set-aside-database',
      path: '/var/lib/incus/database',
      into: '/state/runs/RUN/source-database',
    },
    make: (host) => writeDatabase(host, '/var/lib/incus', lxdDatabase()),
  },
  'install-database': {
    handler: installDatabaseStep,
    step: {
      kind: 'install-database',
      from: '/state/runs/RUN/converted-database',
      path: '/var/lib/incus/database',
      keep: '/state/runs/RUN/target-database',
    },
    make: (host) => {
      host.writeFile('/state/runs/RUN/converted-database/local.db', 'converted');
      fs.mkdirSync(host.path('/var/lib/incus'));
    },
    // The database of a target that ran is kept beside, not put back where it came from.
    undoIsExact: false,
  },
  'set-aside-target, to another file system': {
    handler: setAsideTargetStep,
    step: { kind: 'set-aside-target', path: '/var/lib/incus', into: '/state/runs/RUN/target-directory' },
    make: stateElsewhere((host) => host.writeFile('/var/lib/incus/database/x', 'of Incus')),
  },
  'set-aside-database, to another file system': {
    handler: setAsideDatabaseStep,
    step: {
      kind: 'set-aside-database',
      path: '/var/lib/incus/database',
      into: '/state/runs/RUN/source-database',
    },
    make: stateElsewhere((host) => writeDatabase(host, '/var/lib/incus', lxdDatabase())),
  },
  'install-database, from another file system': {
    handler: installDatabaseStep,
    step: {
      kind: 'install-database',
      from: '/state/runs/RUN/converted-database',
      path: '/var/lib/incus/database',
      keep: '/state/runs/RUN/target-database',
    },
    make: stateElsewhere((host) => {
      host.writeFile('/state/runs/RUN/converted-database/local.db', 'converted');
      fs.mkdirSync(host.path('/var/lib/incus'));
    }),
    undoIsExact: false,
  },
  'move-mount, by fstab': {
    handler: moveMountStep,
    step: { kind: 'move-mount', from: '/var/lib/lxd', to: '/var/lib/incus', boot: 'fstab' },
    make: (host) => {
      commands(host);
      lxd(host);
      fs.chmodSync(host.path('/var/lib/lxd'), 0o711);
      mounted(host, '/var/lib/lxd');
      host.writeFile(
        '/etc/fstab',
        '# mine\nUUID=1\t/ ext4 defaults 0 1\nLABEL=x  /var/lib/lxd\text4 noatime,nofail 0 2 # data\n/dev/sdc /var/lib/lxd-data ext4\n',
      );
    },
  },
  'move-mount, by a unit': {
    handler: moveMountStep,
    step: { kind: 'move-mount', from: '/var/lib/lxd', to: '/var/lib/incus', boot: 'unit' },
    make: (host) => {
      commands(host);
      lxd(host);
      fs.chmodSync(host.path('/var/lib/lxd'), 0o711);
      mounted(host, '/var/lib/lxd');
      host.writeFile('/etc/systemd/system/var-lib-lxd.mount', mountUnit);
      fs.mkdirSync(host.path('/etc/systemd/system/multi-user.target.wants'));
      fs.symlinkSync(
        '/etc/systemd/system/var-lib-lxd.mount',
        host.path('/etc/systemd/system/multi-user.target.wants/var-lib-lxd.mount'),
      );
    },
  },
  'empty-target-mount': {
    handler: emptyTargetMountStep,
    step: { kind: 'empty-target-mount', path: '/var/lib/incus', into: '/state/runs/RUN/target-directory' },
    make: stateElsewhere((host) => {
      host.writeFile('/var/lib/incus/database/x', 'of Incus');
      host.writeFile('/var/lib/incus/server.crt', 'certificate');
      fs.mkdirSync(host.path('/var/lib/incus/lost+found'), { mode: 0o700 });
      mounted(host, '/var/lib/incus');
    }),
  },
  'copy-ahead': {
    handler: copyAheadStep,
    step: { kind: 'copy-ahead', from: '/var/lib/lxd', to: '/var/lib/incus', intoMount: false, bytes: 1 },
    make: (host) => {
      commands(host);
      lxd(host);
    },
  },
  'copy-ahead, into a mount': {
    handler: copyAheadStep,
    step: { kind: 'copy-ahead', from: '/var/lib/lxd', to: '/var/lib/incus', intoMount: true, bytes: 1 },
    make: (host) => {
      commands(host);
      lxd(host);
      fs.mkdirSync(host.path('/var/lib/incus/lost+found'), { recursive: true });
      mounted(host, '/var/lib/incus');
    },
  },
  'copy-directory': {
    handler: copyDirectoryStep,
    step: { kind: 'copy-directory', from: '/var/lib/lxd', to: '/var/lib/incus', intoMount: false },
    make: (host) => {
      commands(host);
      lxd(host);
    },
  },
  'copy-directory, into a mount': {
    handler: copyDirectoryStep,
    step: { kind: 'copy-directory', from: '/var/lib/lxd', to: '/var/lib/incus', intoMount: true },
    make: (host) => {
      commands(host);
      lxd(host);
      fs.mkdirSync(host.path('/var/lib/incus/lost+found'), { recursive: true });
      // The mode of an emptied mount point is that of the source once it was filled.
      fs.chmodSync(host.path('/var/lib/incus'), 0o711);
      mounted(host, '/var/lib/incus');
    },
  },
  'convert-again': {
    handler: convertAgainStep,
    step: {
      kind: 'convert-again',
      sourceDirectory: '/var/lib/lxd',
      into: '/state/runs/RUN/converted-database',
    },
    make: lxd,
  },
  'leave-note, where nothing is left': {
    handler: leaveNoteStep,
    step: { kind: 'leave-note', directory: '/var/lib/lxd', movedTo: '/var/lib/incus', kept: false },
    make: () => {},
  },
  'leave-note, where the former data stays': {
    handler: leaveNoteStep,
    step: { kind: 'leave-note', directory: '/var/lib/lxd', movedTo: '/var/lib/incus', kept: true },
    make: lxd,
  },
  'rename-snapshots-folder': {
    handler: renameSnapshotsFolderStep,
    step: {
      kind: 'rename-snapshots-folder',
      from: '/var/lib/incus/snapshots',
      to: '/var/lib/incus/containers-snapshots',
    },
    make: (host) => host.writeFile('/var/lib/incus/snapshots/c1', 'x'),
  },
  'rename-snapshots-folder, where there is none': {
    handler: renameSnapshotsFolderStep,
    step: {
      kind: 'rename-snapshots-folder',
      from: '/var/lib/incus/snapshots',
      to: '/var/lib/incus/containers-snapshots',
    },
    make: (host) => fs.mkdirSync(host.path('/var/lib/incus')),
  },
  'rename-snapshots-folder, where only the other one is there': {
    handler: renameSnapshotsFolderStep,
    step: {
      kind: 'rename-snapshots-folder',
      from: '/var/lib/incus/snapshots',
      to: '/var/lib/incus/containers-snapshots',
    },
    make: (host) => fs.mkdirSync(host.path('/var/lib/incus/containers-snapshots'), { recursive: true }),
  },
  'repoint-links': {
    handler: repointLinksStep,
    step: { kind: 'repoint-links', directory: '/var/lib/incus', from: '/var/lib/lxd', to: '/var/lib/incus' },
    make: links,
  },
  'add-id-range': {
    handler: addIdRangeStep,
    step: { kind: 'add-id-range', file: '/etc/subuid', line: 'root:1000000:1000000000' },
    make: (host) => host.writeFile('/etc/subuid', 'lxd:1000000:1000000000'),
  },
  'add-id-range, to an empty file of another mode': {
    handler: addIdRangeStep,
    step: { kind: 'add-id-range', file: '/etc/subgid', line: 'root:1000000:1000000000' },
    make: (host) => {
      host.writeFile('/etc/subgid', '');
      fs.chmodSync(host.path('/etc/subgid'), 0o640);
    },
  },
  'add-id-range, to a file that is a link': {
    handler: addIdRangeStep,
    step: { kind: 'add-id-range', file: '/etc/subuid', line: 'root:1000000:1000000000' },
    make: (host) => {
      host.writeFile('/etc/static/subuid', 'lxd:1000000:1000000000\n');
      fs.symlinkSync('static/subuid', host.path('/etc/subuid'));
    },
  },
  'add-id-range, to lines of Windows without an end, and bytes that are no text': {
    handler: addIdRangeStep,
    step: { kind: 'add-id-range', file: '/etc/subuid', line: 'root:1000000:1000000000' },
    make: (host) =>
      host.writeFile(
        '/etc/subuid',
        Buffer.concat([
          Buffer.from('lxd:1:2\r\nroot:1:70000 \r\n'),
          Buffer.from([0, 0xff, 0xc3]),
          Buffer.from(':1:2\r'),
        ]),
      ),
  },
  'add-id-range, where the line is there by now': {
    handler: addIdRangeStep,
    step: { kind: 'add-id-range', file: '/etc/subuid', line: 'root:1000000:1000000000' },
    make: (host) => host.writeFile('/etc/subuid', 'root:1000000:1000000000\nlxd:1000000:1000000000\n'),
  },
};

describe.each(Object.entries(cases))('%s', (_name, one) => {
  test('done twice is done once, taken back twice is taken back once, and can be done after that', async () => {
    const { apply, undo, tree } = begun(one);
    const before = tree();

    await apply();
    const after = tree();
    await apply();
    expect(tree()).toEqual(after);

    await undo();
    const undone = tree();
    if (one.undoIsExact !== false) expect(undone).toEqual(before);
    await undo();
    expect(tree()).toEqual(undone);

    await apply();
    const { [`state/runs/RUN/${keptName}`]: _kept, ...again } = tree();
    expect(again).toEqual(after);
  });

  test('taken back before it was begun changes nothing', async () => {
    const { undo, tree } = begun(one);
    const before = tree();

    await undo();

    expect(tree()).toEqual(before);
  });

  test('interrupted while it is done: can be gone on with, or taken back', async () => {
    const straight = begun(one);
    const before = straight.tree();
    await straight.apply();
    const after = straight.tree();

    let died = true;
    for (let changes = 0; died; changes += 1) {
      const forward = begun(one);
      died = await forward.dyingAfter(changes, 'apply');
      await forward.apply();
      expect({ changes, tree: forward.tree() }).toEqual({ changes, tree: after });

      const back = begun(one);
      await back.dyingAfter(changes, 'apply');
      await back.undo();
      // An interrupted install has not moved anything yet, or all of it.
      if (one.undoIsExact !== false || changes === 0)
        expect({ changes, tree: back.tree() }).toEqual({ changes, tree: before });
    }
  });

  test('interrupted while it is taken back: can be taken back further, or done again', async () => {
    const straight = begun(one);
    await straight.apply();
    const after = straight.tree();
    await straight.undo();
    const undone = straight.tree();

    let died = true;
    for (let changes = 0; died; changes += 1) {
      const back = begun(one);
      await back.apply();
      died = await back.dyingAfter(changes, 'undo');
      await back.undo();
      expect({ changes, tree: back.tree() }).toEqual({ changes, tree: undone });

      const forward = begun(one);
      await forward.apply();
      await forward.dyingAfter(changes, 'undo');
      await forward.apply();
      expect({ changes, tree: forward.tree() }).toEqual({ changes, tree: after });
    }
  });
});

const keptName = 'target-database';

describe("Incus's database, kept when LXD comes back", () => {
  async function takenBack(damage: (host: FakeHost) => void) {
    const one = begun(cases['install-database'] as Case);
    await one.apply();
    writeDatabase(
      one.host,
      '/var/lib/incus',
      lxdDatabase(
        `${instance(1, 'c1')} ${config('instances_config', 1, { 'volatile.last_state.idmap': '[]' })}`,
      ),
    );
    damage(one.host);
    await one.undo();
    return { ...one, kept: fs.existsSync(one.host.path('/state/runs/RUN/target-database/global')) };
  }

  test('tells the id maps, and nothing has to be said', async () => {
    const { noted, warnings, kept } = await takenBack(() => {});

    expect([noted('idmaps-of-target'), warnings, kept]).toEqual([{ 'default/c1': '[]' }, [], true]);
  });

  test('tells what it held before, where it is damaged at the end', async () => {
    const { noted, warnings, kept } = await takenBack((host) => {
      const folder = host.path('/var/lib/incus/database/global');
      const last =
        fs
          .readdirSync(folder)
          .filter((name) => /^\d{16}-/.test(name))
          .sort()
          .at(-1) ?? '';
      const next = Number(last.slice(17)) + 1;
      const name = String(next).padStart(16, '0');
      fs.writeFileSync(join(folder, `${name}-${name}`), 'torn');
    });

    expect([noted('idmaps-of-target'), kept]).toEqual([{ 'default/c1': '[]' }, true]);
    expect(warnings).toEqual([expect.stringContaining("Incus's database is damaged")]);
  });

  test('stops nothing where it cannot be read at all', async () => {
    const { noted, warnings, kept } = await takenBack((host) => {
      const folder = host.path('/var/lib/incus/database/global');
      for (const name of fs.readdirSync(folder)) fs.writeFileSync(join(folder, name), 'torn');
    });

    expect([noted('idmaps-of-target'), kept]).toEqual([{}, true]);
    expect(warnings).toEqual([expect.stringContaining("Incus's database cannot be read")]);
  });
});

test.each([
  ['a:1:2\n', 'a:1:2\nb:3:4\n'],
  ['a:1:2', 'a:1:2\nb:3:4\n'],
  ['', 'b:3:4\n'],
])('a range of ids that somebody else added to %j meanwhile is kept', async (before, kept) => {
  const { host, apply, undo } = begun({
    handler: addIdRangeStep,
    step: { kind: 'add-id-range', file: '/etc/subuid', line: 'root:1000000:1000000000' },
    make: (fake) => fake.writeFile('/etc/subuid', before),
  });
  await apply();
  fs.appendFileSync(host.path('/etc/subuid'), 'b:3:4\n');

  await undo();

  expect(fs.readFileSync(host.path('/etc/subuid'), 'utf8')).toBe(kept);
});

test('a second large range of root, written meanwhile, stops the step', async () => {
  const { host, apply, tree } = begun({
    handler: addIdRangeStep,
    step: { kind: 'add-id-range', file: '/etc/subuid', line: 'root:1000000:1000000000' },
    make: (fake) => fake.writeFile('/etc/subuid', 'root:5000000:65536\n'),
  });
  const before = tree();

  await expect(apply()).rejects.toMatchObject({ problem: { code: 'plan-stale' } });

  expect([tree(), fs.readFileSync(host.path('/etc/subuid'), 'utf8')]).toEqual([
    before,
    'root:5000000:65536\n',
  ]);
});

test.each([
  ['a folder', (path: string) => fs.mkdirSync(path)],
  ['a link onto itself', (path: string) => fs.symlinkSync('subuid', path)],
])('%s in place of the file is a failure that names it', async (_what, make) => {
  const { apply } = begun({
    handler: addIdRangeStep,
    step: { kind: 'add-id-range', file: '/etc/subuid', line: 'root:1000000:1000000000' },
    make: (fake) => {
      fs.mkdirSync(fake.path('/etc'), { recursive: true });
      make(fake.path('/etc/subuid'));
    },
  });

  await expect(apply()).rejects.toMatchObject({
    name: 'Failure',
    message: expect.stringContaining('/etc/subuid'),
  });
});

test('a line without which LXD could not start its containers either is kept', async () => {
  const { host, apply, undo } = begun({
    handler: addIdRangeStep,
    step: { kind: 'add-id-range', file: '/etc/subuid', line: 'root:5:65536', neededBySource: true },
    make: (fake) => fake.writeFile('/etc/subuid', 'a:1:2'),
  });
  await apply();

  await undo();

  expect(fs.readFileSync(host.path('/etc/subuid'), 'utf8')).toBe('a:1:2\nroot:5:65536\n');
});

test('undone, a file that became something else is left as it is, and said', async () => {
  const { host, apply, undo, warnings } = begun({
    handler: addIdRangeStep,
    step: { kind: 'add-id-range', file: '/etc/subuid', line: 'root:1000000:1000000000' },
    make: (fake) => fake.writeFile('/etc/subuid', ''),
  });
  await apply();
  fs.rmSync(host.path('/etc/subuid'));
  fs.mkdirSync(host.path('/etc/subuid'));

  await undo();

  expect(warnings).toEqual([expect.stringContaining('/etc/subuid is left as it is')]);
});

describe('a move', () => {
  async function refusal(one: Case): Promise<unknown> {
    const { apply, tree } = begun(one);
    const before = tree();
    const error = await apply().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(tree()).toEqual(before);
    return error instanceof Failure ? error.problem.code : error;
  }

  test.each(['move-directory', 'set-aside-target', 'install-database', 'rename-snapshots-folder'] as const)(
    'of %s refuses to replace even an empty folder',
    async (name) => {
      const one = cases[name];
      if (one === undefined) throw new Error(name);
      const { step } = one;
      const to =
        'to' in step
          ? step.to
          : step.kind === 'install-database'
            ? step.path
            : 'into' in step
              ? step.into
              : '';

      expect(
        await refusal({
          ...one,
          make: (host) => {
            one.make(host);
            fs.mkdirSync(host.path(to), { recursive: true });
          },
        }),
      ).toBe('target-exists');
    },
  );
});

describe('links', () => {
  test('lead to the new place, apart from those that never led into the directory', async () => {
    const one = cases['repoint-links'];
    if (one === undefined) throw new Error('no case');
    const { host, apply } = begun(one);

    await apply();

    const to = (name: string): string => fs.readlinkSync(host.path(`/var/lib/incus/${name}`));
    expect(to('containers/c1')).toBe('/var/lib/incus/storage-pools/default/containers/c1');
    expect(to('containers-snapshots/c1')).toBe(
      '/var/lib/incus/storage-pools/default/containers-snapshots/c1',
    );
    expect(to('images')).toBe('/var/lib/incus/storage-pools/default/custom/default_images');
    expect(to('containers/foreign')).toBe('/var/lib/lxd-data/c3');
  });
});

describe('a copy that Incus has worked on', () => {
  const step = {
    kind: 'copy-directory',
    from: '/var/lib/lxd',
    to: '/var/lib/incus',
    intoMount: false,
  } as const;
  const start: Step = {
    kind: 'start-daemon',
    bridges: [],
    daemon: {
      role: 'target',
      dataDirectory: '/var/lib/incus',
      sockets: [],
      service: { kind: 'none' },
      program: undefined,
    },
  };

  /** Copied, worked on, and ready to be taken back. */
  async function workedOn() {
    const one = begun({
      handler: copyDirectoryStep,
      step,
      more: [start],
      make: (host) => {
        commands(host);
        lxd(host);
        host.writeFile('/var/lib/lxd/database/x', 'of LXD');
      },
    });
    await one.apply();
    journal.mark(one.run, 1, 'undone', new Date(0));
    one.host.writeFile('/var/lib/incus/storage-pools/default/containers/c1/rootfs/new', 'made in Incus');
    fs.rmSync(one.host.path('/var/lib/incus/storage-pools/default/containers/c1/rootfs/etc/hostname'));
    return one;
  }

  test('brings home what was written and removed since, wherever it is broken off', async () => {
    let died = true;
    for (let changes = 0; died; changes += 1) {
      const one = await workedOn();
      died = await one.dyingAfter(changes, 'undo');
      await one.undo();

      const tree = one.tree();
      expect(tree['var/lib/lxd/storage-pools/default/containers/c1/rootfs/new']).toContain('made in Incus');
      expect(tree).not.toHaveProperty('var/lib/lxd/storage-pools/default/containers/c1/rootfs/etc/hostname');
      expect(Object.keys(tree).filter((path) => path.startsWith('var/lib/incus'))).toEqual([]);
    }
  });

  test('is kept, and refused, where the directory of LXD is not there to take it', async () => {
    const one = await workedOn();
    fs.rmSync(one.host.path('/var/lib/lxd/database'), { recursive: true });

    const error = await one.undo().catch((caught: unknown) => caught);

    expect((error as Failure).problem).toMatchObject({ code: 'not-mounted', paths: ['/var/lib/lxd'] });
    expect(one.tree()).toHaveProperty('var/lib/incus/storage-pools/default/containers/c1/rootfs/new');
  });
});

describe('the runtime folder', () => {
  const step: Case = {
    handler: emptyRuntimeFolderStep,
    step: { kind: 'empty-runtime-folder', path: '/run/incus' },
    make: (host) => {
      host.writeFile('/run/incus/c1/lxc.conf', '');
      host.writeFile('/run/incus/unix.socket', '');
      host.writeFile('/run/other/kept', '');
      fs.symlinkSync('/run/other', host.path('/run/incus/link'));
    },
  };

  test('is emptied and stays, and links in it are not followed', async () => {
    const { host, apply } = begun(step);

    await apply();
    await apply();

    expect(fs.readdirSync(host.path('/run/incus'))).toEqual([]);
    expect(fs.readdirSync(host.path('/run/other'))).toEqual(['kept']);
  });

  test.each([
    ['/run/incus/c1', ['c1/lxc.conf']],
    ['/run/incus/c1/deep/er', ['c1/deep/er/kept', 'c1/lxc.conf']],
    ['/run/incus', ['c1/lxc.conf', 'link', 'unix.socket']],
  ])('keeps what is mounted at %s, and says so', async (mounted, kept) => {
    const { host, apply, warnings } = begun({
      ...step,
      make: (fake) => {
        step.make(fake);
        if (mounted.endsWith('er')) fake.writeFile(`${mounted}/kept`, '');
      },
    });
    host.machine.mounts = [{ path: mounted, type: 'ext4', device: '/dev/sda', root: '/' }];

    await apply();

    const left = fs.readdirSync(host.path('/run/incus'), { recursive: true, withFileTypes: true });
    expect(
      left
        .filter((entry) => !entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name).slice(host.path('/run/incus').length + 1))
        .sort(),
    ).toEqual(kept);
    expect(warnings).toHaveLength(1);
  });

  test('that is a link is left alone, with what it leads to', async () => {
    const { host, tree, apply, warnings } = begun({
      ...step,
      make: (fake) => {
        fake.writeFile('/run/other/kept', '');
        fs.symlinkSync('/run/other', fake.path('/run/incus'));
      },
    });
    const before = tree();

    await apply();

    expect(tree()).toEqual(before);
    expect(warnings).toEqual(['/run/incus is no folder of its own, so it is left as it is']);
    expect(fs.readdirSync(host.path('/run/other'))).toEqual(['kept']);
  });

  test('that is not there stays away', async () => {
    const { tree, apply } = begun({ ...step, make: () => {} });
    const before = tree();

    await apply();

    expect(tree()).toEqual(before);
  });
});

describe('convert-again', () => {
  test('refuses a server that has changed, and writes nothing', async () => {
    const one = cases['convert-again'];
    if (one === undefined) throw new Error('no case');
    const { host, tree } = begun(one);
    const before = tree();
    const stale = { differences: ['instance default/c9 is new'], held: [], changes: [], write: () => {} };
    const context = { host, journal, run: `RUN-${runs}`, convertAgain: () => stale } as never;

    await expect(
      (async () =>
        convertAgainStep.apply({ step: one.step as never, memo: null, remember: () => {}, context }))(),
    ).rejects.toMatchObject({ problem: { code: 'plan-stale', differences: ['instance default/c9 is new'] } });

    expect(tree()).toEqual(before);
  });
});

describe('going back with other id maps', () => {
  const map = (host: number): string =>
    JSON.stringify([
      { Isuid: true, Isgid: false, Hostid: host, Nsid: 0, Maprange: 65_536 },
      { Isuid: false, Isgid: true, Hostid: host, Nsid: 0, Maprange: 65_536 },
    ]);
  const doubled = JSON.stringify([
    ...(JSON.parse(map(1_000_000)) as unknown[]),
    ...(JSON.parse(map(1_000_000)) as unknown[]),
  ]);
  const server = lxdDatabase(`
    ${instance(1, 'c1')} ${instance(2, 'c2', { project: 2 })}
    ${config('instances_config', 1, { 'volatile.last_state.idmap': map(1_000_000) })}
    ${config('instances_config', 2, { 'volatile.last_state.idmap': doubled })}
  `);
  const setAside: Case = {
    handler: setAsideDatabaseStep,
    step: {
      kind: 'set-aside-database',
      path: '/var/lib/incus/database',
      into: '/state/runs/RUN/source-database',
    },
    make: (host) => writeDatabase(host, '/var/lib/incus', server),
  };
  const mapsIn = (host: FakeHost): unknown[] =>
    ask(
      readDatabase(host.path('/var/lib/incus/database/global')).bytes,
      "SELECT value FROM instances_config WHERE key = 'volatile.last_state.idmap' ORDER BY instance_id",
    ).map(({ value }) => value);

  async function undoneWith(
    maps: Record<string, string>,
    dieAfter?: number,
  ): Promise<{ host: FakeHost; died: boolean }> {
    const one = begun(setAside);
    await one.apply();
    one.note('idmaps-of-target', maps);
    const died = dieAfter === undefined ? false : await one.dyingAfter(dieAfter, 'undo');
    await one.undo();
    return { host: one.host, died };
  }

  test('leaves the database untouched where the maps are the same, however they are written', async () => {
    const one = begun(setAside);
    const before = one.tree();

    const { host } = await undoneWith({ 'default/c1': map(1_000_000), 'dev/c2': map(1_000_000) });

    expect(treeOf(host.path('/var/lib/incus'))).toEqual(
      Object.fromEntries(
        Object.entries(before)
          .filter(([name]) => name.startsWith('var/lib/incus/'))
          .map(([name, value]) => [name.slice('var/lib/incus/'.length), value]),
      ),
    );
    expect(mapsIn(host)).toEqual([map(1_000_000), doubled]);
  });

  test('tells LXD the map that the files have now', async () => {
    const { host } = await undoneWith({ 'default/c1': '[]', 'default/new': '[]' });

    expect(mapsIn(host)).toEqual(['[]', doubled]);
  });

  test('does so wherever the process dies', async () => {
    let died = true;
    for (let changes = 0; died; changes += 1) {
      const result = await undoneWith({ 'default/c1': '[]' }, changes);
      died = result.died;

      expect({ changes, maps: mapsIn(result.host) }).toEqual({ changes, maps: ['[]', doubled] });
    }
  });

  describe('after an LXD that was killed', () => {
    let unpacked: string | undefined;
    const killed: Case = {
      ...setAside,
      make: (host) => {
        unpacked ??= unpackDatabaseFixture('lxd-5.0.2-killed', state).database;
        fs.cpSync(unpacked, host.path('/var/lib/incus/database'), { recursive: true });
      },
    };
    const mapOfC1 = (host: FakeHost): unknown =>
      ask(
        readDatabase(host.path('/var/lib/incus/database/global')).bytes,
        "SELECT value FROM instances_config WHERE key = 'volatile.last_state.idmap' AND instance_id = 1",
      )[0]?.['value'];

    test('does so too, wherever the process dies, and keeps what LXD left', async () => {
      const one = begun(killed);
      await one.apply();
      one.note('idmaps-of-target', { 'default/c1': '[]' });
      fileWatch.reset();
      await one.undo();
      const all = fileWatch.operations.length;

      // Every change from the first rename of a whole folder on, and some of those that only fill a new one.
      for (const changes of [0, 1, 4, ...Array.from({ length: 6 }, (_, back) => all - 6 + back)]) {
        const again = begun(killed);
        await again.apply();
        again.note('idmaps-of-target', { 'default/c1': '[]' });
        expect(await again.dyingAfter(changes, 'undo')).toBe(true);

        await again.undo();

        const left = fs
          .readdirSync(again.host.path('/var/lib/incus/database'))
          .filter((name) => name.startsWith('global'));
        expect({ changes, map: mapOfC1(again.host), left }).toEqual({
          changes,
          map: '[]',
          left: ['global', 'global.before-rollback'],
        });
      }
    });

    test('does so a second time', async () => {
      const one = begun(killed);
      fs.mkdirSync(one.host.path('/var/lib/incus/database/global.before-rollback/x'), { recursive: true });
      await one.apply();
      one.note('idmaps-of-target', { 'default/c1': '[]' });

      await one.undo();

      expect(mapOfC1(one.host)).toBe('[]');
      expect(fs.existsSync(one.host.path('/var/lib/incus/database/global.before-rollback-2'))).toBe(true);
    });
  });
});

/** A socket that somebody listens on until the test ends. */
async function listening(host: FakeHost, path: string): Promise<void> {
  const server = createServer().listen(host.path(path));
  await once(server, 'listening');
  onTestFinished(() => void server.close());
}

describe('what Incus changed in the directory', () => {
  const one: Case = {
    handler: recordDirectoryStep,
    step: {
      kind: 'record-directory',
      directory: '/var/lib/lxd',
      into: '/state/runs/RUN/source-directory.json',
    },
    make: (host) => {
      lxd(host);
      host.writeFile('/var/lib/lxd/networks/lxdbr0/dnsmasq.hosts/default_c1', 'c1.dev');
      host.writeFile('/var/lib/lxd/security/seccomp/c1', 'policy');
      fs.mkdirSync(host.path('/var/lib/lxd/containers'), { recursive: true });
      fs.symlinkSync(
        '/var/lib/lxd/storage-pools/default/containers/c1',
        host.path('/var/lib/lxd/containers/c1'),
      );
    },
  };
  test.each([
    ['is no JSON', (file: string) => fs.writeFileSync(file, '{')],
    [
      'names a place outside of the directory',
      (file: string) =>
        fs.writeFileSync(
          file,
          JSON.stringify([{ path: '../../../etc/shadow', type: 'file', mode: 0o666, uid: 0, gid: 0 }]),
        ),
    ],
    [
      'is a named pipe',
      (file: string) => {
        fs.rmSync(file);
        execFileSync('mkfifo', [file]);
      },
    ],
  ] as const)(
    'is left as it is where the record %s: that is said, and the rollback goes on',
    async (_, damage) => {
      const { host, apply, undo, warnings } = begun(one);
      await apply();
      damage(host.path('/state/runs/RUN/source-directory.json'));
      changeAll(host);
      const before = treeOf(host.path('/var/lib/lxd'));

      await undo();

      expect(treeOf(host.path('/var/lib/lxd'))).toEqual(before);
      expect(warnings).toEqual([
        expect.stringContaining('/state/runs/RUN/source-directory.json cannot be understood'),
      ]);
    },
  );

  const changeAll = (host: FakeHost): void => {
    const at = '/var/lib/lxd';
    host.writeFile(`${at}/networks/lxdbr0/dnsmasq.hosts/default_c1`, 'c1');
    host.writeFile(`${at}/security/apparmor/profiles/incus-c1`, 'profile');
    fs.mkdirSync(host.path(`${at}/guestapi`));
    fs.mkdirSync(host.path(`${at}/storage-pools/default/buckets`));
    fs.chmodSync(host.path(at), 0o755);
    fs.chmodSync(host.path(`${at}/snapshots`), 0o700);
    fs.rmSync(host.path(`${at}/security/seccomp`), { recursive: true });
    fs.rmSync(host.path(`${at}/containers/c1`));
  };

  test('is removed where it is a socket that nobody had: Incus and its socket units leave theirs', async () => {
    const { host, apply, undo } = begun(one);
    await listening(host, '/var/lib/lxd/unix.socket');
    await apply();
    fs.mkdirSync(host.path('/var/lib/lxd/guestapi'));
    for (const name of ['unix.socket.user', 'guestapi/sock']) await listening(host, `/var/lib/lxd/${name}`);
    host.writeFile('/var/lib/lxd/unix.socket.notes', 'a file of somebody');

    await undo();

    const left = fs.readdirSync(host.path('/var/lib/lxd'));
    expect(left).not.toContain('unix.socket.user');
    expect(left).not.toContain('guestapi');
    expect(left).toContain('unix.socket');
    expect(left).toContain('unix.socket.notes');
  });

  test('is left alone inside an instance that lies where a link would be', async () => {
    const { host, apply, undo } = begun(one);
    const inside = (name: string): string => `/var/lib/lxd/containers/real/rootfs/${name}`;
    host.writeFile(inside('kept'), 'before');
    await apply();
    host.writeFile(inside('kept'), 'written by the instance since');
    host.writeFile(inside('new'), 'written by the instance since');

    await undo();

    for (const name of ['kept', 'new'])
      expect(fs.readFileSync(host.path(inside(name)), 'utf8')).toBe('written by the instance since');
  });

  test.runIf(process.getuid?.() === 0)('gets a changed file back with its owner and its mode', async () => {
    const { host, apply, undo } = begun(one);
    const leases = host.path('/var/lib/lxd/networks/lxdbr0/dnsmasq.leases');
    host.writeFile('/var/lib/lxd/networks/lxdbr0/dnsmasq.leases', 'of LXD');
    fs.chownSync(leases, 1234, 5678);
    fs.chmodSync(leases, 0o2640);
    await apply();
    fs.writeFileSync(leases, 'of Incus');

    await undo();

    const { uid, gid, mode } = fs.statSync(leases);
    expect([fs.readFileSync(leases, 'utf8'), uid, gid, mode & 0o7777]).toEqual([
      'of LXD',
      1234,
      5678,
      0o2640,
    ]);
  });

  test('is put back, and what people put there stays', async () => {
    const { host, apply, undo, tree } = begun(one);
    await apply();
    const recorded = tree();
    changeAll(host);
    host.writeFile('/var/lib/lxd/storage-pools/default/custom/default_new/data', 'mine');
    host.writeFile('/var/lib/lxd/guestapi/file', 'mine');

    await undo();

    const { ...now } = tree();
    expect(now['var/lib/lxd/storage-pools/default/custom/default_new/data']).toBeDefined();
    expect(now['var/lib/lxd/guestapi/file']).toBeDefined();
    for (const name of Object.keys(now)) if (/custom|guestapi/.test(name)) delete now[name];
    expect(now).toEqual(recorded);
  });

  test('is put back wherever the process dies', async () => {
    let died = true;
    for (let changes = 0; died; changes += 1) {
      const { host, apply, undo, dyingAfter, tree } = begun(one);
      await apply();
      const recorded = tree();
      changeAll(host);
      died = await dyingAfter(changes, 'undo');

      await undo();

      expect({ changes, tree: tree() }).toEqual({ changes, tree: recorded });
    }
  });
});

describe('the note in the directory that LXD has left', () => {
  const step = {
    kind: 'leave-note',
    directory: '/var/lib/lxd',
    movedTo: '/var/lib/incus',
    kept: false,
  } as const;
  const note = '/var/lib/lxd/README.moved-to-incus';

  test('says that nothing keeps LXD from starting where no unit was masked', async () => {
    const { host, apply } = begun({ handler: leaveNoteStep, step, make: () => {} });

    await apply();

    const text = fs.readFileSync(host.path(note), 'utf8');
    expect(text).toContain('Nothing keeps LXD from starting: no unit of it was masked.');
    expect(text).not.toMatch(/is masked|are masked/);
  });

  test('stays where something else stands beside it, which is not ours to remove', async () => {
    const { host, apply, undo } = begun({ handler: leaveNoteStep, step, make: () => {} });
    await apply();
    host.writeFile('/var/lib/lxd/database/local.db', 'of a new LXD');

    await expect(undo()).rejects.toMatchObject({
      problem: { code: 'target-exists', path: '/var/lib/lxd/database' },
    });

    expect(fs.existsSync(host.path(note))).toBe(true);
  });
});
