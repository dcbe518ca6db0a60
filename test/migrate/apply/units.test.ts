// Units are enabled, linked and masked after an undo exactly as they were found, whatever that was.
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ApplyContext, StepHandler } from '../../../src/migrate/apply/step-handler.ts';
import {
  disableSourceStep,
  maskSourceStep,
  maskTargetStep,
  unmaskTargetStep,
} from '../../../src/migrate/apply/steps/units.ts';
import { openJournal } from '../../../src/migrate/journal/journal.ts';
import type { Step } from '../../../src/migrate/model/step.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';
import { type FakeSystemd, fakeSystemd } from '../../fakes/fake-systemd.ts';
import { watchFiles } from '../../fakes/watched-files.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

// Without waiting for the disk.
watchFiles();

const etc = '/etc/systemd/system';
const run = '/run/systemd/system';
const lib = '/lib/systemd/system';
const units = ['one.socket', 'one.service', 'two.service'];

/** Ways in which a unit can be found, each with what makes it so. */
const ways: Readonly<Record<string, (host: FakeHost, unit: string) => void>> = {
  disabled: () => {},
  enabled: (host, unit) => link(host, join(etc, 'sockets.target.wants', unit), join(lib, unit)),
  'enabled by hand too': (host, unit) => {
    ways['enabled']?.(host, unit);
    link(host, join(etc, 'rescue.target.requires', unit), join(lib, unit));
  },
  'enabled until the next boot': (host, unit) =>
    link(host, join(run, 'multi-user.target.wants', unit), join(lib, unit)),
  'under another name too': (host, unit) => {
    ways['enabled']?.(host, unit);
    link(host, join(etc, `other-${unit}`), join(lib, unit));
  },
  'linked from elsewhere': (host, unit) => {
    host.writeFile(`/opt/units/${unit}`, '[Unit]\n');
    link(host, join(etc, unit), `/opt/units/${unit}`);
  },
  'another name of a unit': (host, unit) => {
    host.writeFile(join(lib, `real-${unit}`), '[Unit]\n');
    link(host, join(etc, unit), join(lib, `real-${unit}`));
  },
  masked: (host, unit) => link(host, join(etc, unit), '/dev/null'),
  'masked until the next boot': (host, unit) => link(host, join(run, unit), '/dev/null'),
  'a file of its own, enabled': (host, unit) => {
    host.writeFile(join(etc, unit), '[Unit]\n');
    ways['enabled']?.(host, unit);
  },
  'not there': (host, unit) => fs.rmSync(host.path(join(lib, unit))),
};

function link(host: FakeHost, path: string, target: string): void {
  fs.mkdirSync(dirname(host.path(path)), { recursive: true });
  fs.symlinkSync(target, host.path(path));
}

interface Machine {
  readonly host: FakeHost;
  readonly systemd: FakeSystemd;
  readonly warnings: string[];
  apply(position: number): Promise<void>;
  undo(position: number): Promise<void>;
  states(): string[];
  links(): Record<string, string>;
}

const handlers: readonly [Step, StepHandler<never>][] = [
  [{ kind: 'mask-target', units }, maskTargetStep],
  [{ kind: 'unmask-target', units }, unmaskTargetStep],
  [{ kind: 'disable-source', units }, disableSourceStep],
  [{ kind: 'mask-source', units }, maskSourceStep],
];

function machine(found: readonly string[]): Machine {
  const host = fakeHost();
  const journal = openJournal(temporaryFolder());
  onTestFinished(() => {
    host.dispose();
    journal.close();
  });
  const systemd = fakeSystemd(host);
  for (const folder of [etc, run]) fs.mkdirSync(host.path(folder), { recursive: true });
  units.forEach((unit, index) => {
    host.writeFile(join(lib, unit), '[Unit]\n');
    systemd.install.set(unit, [join(etc, 'sockets.target.wants', unit)]);
    ways[found[index] ?? '']?.(host, unit);
  });
  journal.begin(
    'RUN',
    {},
    handlers.map(([step]) => step),
    new Date(0),
  );
  const warnings: string[] = [];
  const context = {
    host,
    journal,
    run: 'RUN',
    warn: (text: string) => warnings.push(text),
  } as unknown as ApplyContext;
  const call = async (what: 'apply' | 'undo', position: number): Promise<void> => {
    const handler = handlers[position]?.[1];
    const entry = journal.steps('RUN')[position];
    const remember = (memo: unknown): void => journal.remember('RUN', position, memo);
    await handler?.[what]({ step: entry?.step, memo: entry?.memo, remember, context } as never);
  };
  const linksIn = (folder: string): [string, string][] =>
    fs
      .readdirSync(host.path(folder), { withFileTypes: true })
      .flatMap((entry) =>
        entry.isDirectory()
          ? linksIn(join(folder, entry.name))
          : [[join(folder, entry.name), linkTarget(host, join(folder, entry.name))]],
      );
  return {
    host,
    systemd,
    warnings,
    apply: (position) => call('apply', position),
    undo: (position) => call('undo', position),
    states: () => units.map(systemd.enabled),
    links: () => Object.fromEntries([...linksIn(etc), ...linksIn(run)]),
  };
}

function linkTarget(host: FakeHost, path: string): string {
  return fs.lstatSync(host.path(path)).isSymbolicLink() ? fs.readlinkSync(host.path(path)) : 'a file';
}

const anyUnits = fc.tuple(...units.map(() => fc.constantFrom(...Object.keys(ways))));

describe('units found in every way', () => {
  test('of Incus are as found once they are unmasked, and after an undo', async () => {
    await fc.assert(
      fc.asyncProperty(anyUnits, async (found) => {
        const { apply, undo, links } = machine(found);
        const before = links();

        await apply(0);
        await apply(1);
        expect(links()).toEqual(before);

        await undo(1);
        await undo(0);
        expect(links()).toEqual(before);
      }),
      { numRuns: 150 },
    );
  });

  test('of LXD are as found after an undo, and masked before it', async () => {
    await fc.assert(
      fc.asyncProperty(anyUnits, async (found) => {
        const { apply, undo, links, states } = machine(found);
        const before = links();

        await apply(2);
        await apply(3);
        const masked = states();
        await undo(3);
        await undo(2);

        expect(links()).toEqual(before);
        units.forEach((_, index) => {
          expect(masked[index]).toBe(found[index]?.startsWith('a file of its own') ? 'disabled' : 'masked');
        });
      }),
      { numRuns: 150 },
    );
  });

  test('are as found where each step was done twice and undone twice', async () => {
    await fc.assert(
      fc.asyncProperty(anyUnits, async (found) => {
        const { apply, undo, links } = machine(found);
        const before = links();

        for (const position of [0, 0, 2, 2, 3, 3]) await apply(position);
        for (const position of [3, 3, 2, 2, 0, 0]) await undo(position);

        expect(links()).toEqual(before);
      }),
      { numRuns: 100 },
    );
  });
});

test('a link that enable makes and that was not there goes again', async () => {
  const { host, systemd, apply, undo, links } = machine(['enabled', 'disabled', 'disabled']);
  // As Alias= or Also= of a newer package would have it.
  systemd.install.set('one.socket', [
    join(etc, 'sockets.target.wants/one.socket'),
    join(etc, 'alias-of-one.socket'),
  ]);
  const before = links();

  await apply(2);
  await undo(2);

  expect(links()).toEqual(before);
  expect(host.log.map(({ text }) => text)).toContain('systemctl daemon-reload');
});

test('a journal of a former version, which wrote no links down, is undone by systemctl alone', async () => {
  const { host, systemd, undo } = machine(['disabled', 'disabled', 'masked']);
  const journal = openJournal(temporaryFolder());
  onTestFinished(() => journal.close());
  const states = units.map((unit) => ({ unit, enabled: 'enabled' }));

  await disableSourceStep.undo({
    step: { kind: 'disable-source', units },
    memo: { states },
    remember: () => {},
    context: { host, journal, run: 'RUN', warn: () => {} } as unknown as ApplyContext,
  });

  expect(units.map(systemd.enabled)).toEqual(['enabled', 'enabled', 'masked']);
  await expect(undo(2)).resolves.toBeUndefined();
});

test('a question that is not answered stops the step before it changes anything', async () => {
  const { systemd, apply, links } = machine(['enabled', 'masked', 'disabled']);
  const before = links();
  systemd.failing.set('is-enabled', 'Connection timed out');

  await expect(apply(3)).rejects.toMatchObject({ problem: { code: 'service-manager-failed' } });

  expect(links()).toEqual(before);
});
