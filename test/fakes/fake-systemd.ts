// A systemctl for a fake machine that works on links as systemd does, and knows which units are active.
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { FakeHost } from './fake-host.ts';

export interface FakeSystemd {
  readonly active: Set<string>;
  /** Verbs that fail as long as they are in here, with these words. */
  readonly failing: Map<string, string>;
  /** Links that `enable` makes of a unit, by its name; a unit without is static. */
  readonly install: Map<string, readonly string[]>;
  enabled(unit: string): string;
}

const etc = '/etc/systemd/system';
const run = '/run/systemd/system';

export function fakeSystemd(host: FakeHost): FakeSystemd {
  const active = new Set<string>();
  const failing = new Map<string, string>();
  const install = new Map<string, readonly string[]>();
  host.machine.commands.set('systemctl', '/usr/bin/systemctl');

  const linkAt = (path: string): string | undefined => {
    const stat = fs.lstatSync(host.path(path), { throwIfNoEntry: false });
    return stat?.isSymbolicLink() === true ? fs.readlinkSync(host.path(path)) : undefined;
  };
  const linksBelow = (folder: string): string[] =>
    fs.existsSync(host.path(folder))
      ? fs
          .readdirSync(host.path(folder), { withFileTypes: true })
          .flatMap((entry) =>
            entry.isDirectory()
              ? linksBelow(join(folder, entry.name))
              : entry.isSymbolicLink()
                ? [join(folder, entry.name)]
                : [],
          )
      : [];
  const wantedIn = (folder: string, unit: string): boolean =>
    linksBelow(folder).some((path) => dirname(path) !== folder && basename(path) === unit);
  const isFile = (path: string): boolean =>
    fs.lstatSync(host.path(path), { throwIfNoEntry: false })?.isFile() === true;

  function enabled(unit: string): string {
    const [own, forNow] = [linkAt(join(etc, unit)), linkAt(join(run, unit))];
    if (own === '/dev/null') return 'masked';
    if (own === undefined && !isFile(join(etc, unit)) && forNow === '/dev/null') return 'masked-runtime';
    if (own !== undefined) return basename(own) === unit ? 'linked' : 'alias';
    const there = [join(etc, unit), join('/lib/systemd/system', unit)].some((path) => isFile(path));
    if (!there) return 'not-found';
    if (wantedIn(etc, unit)) return 'enabled';
    if (wantedIn(run, unit)) return 'enabled-runtime';
    return install.has(unit) ? 'disabled' : 'static';
  }

  /** systemd removes every link to the unit, those made by hand too, and those until the next boot. */
  function disable(unit: string): void {
    for (const path of [...linksBelow(etc), ...linksBelow(run)]) {
      if (linkAt(path) === '/dev/null') continue;
      if (basename(path) === unit || basename(linkAt(path) ?? '') === unit) fs.rmSync(host.path(path));
    }
  }

  function enable(unit: string): void {
    for (const path of install.get(unit) ?? []) {
      fs.mkdirSync(host.path(dirname(path)), { recursive: true });
      if (linkAt(path) === undefined) fs.symlinkSync(join('/lib/systemd/system', unit), host.path(path));
    }
  }

  function mask(unit: string): boolean {
    const path = join(etc, unit);
    if (linkAt(path) === '/dev/null') return true;
    if (linkAt(path) !== undefined || isFile(path)) return false;
    fs.mkdirSync(host.path(etc), { recursive: true });
    fs.symlinkSync('/dev/null', host.path(path));
    return true;
  }

  host.onRun(([command, verb = '', ...units]) => {
    if (command !== 'systemctl') return undefined;
    const words = failing.get(verb);
    if (words !== undefined) return { status: 1, stderr: Buffer.from(words) };
    const lines = (word: (unit: string) => string): Buffer =>
      Buffer.from(units.map((unit) => `${word(unit)}\n`).join(''));
    switch (verb) {
      case 'list-unit-files':
      case 'daemon-reload':
        return {};
      case 'is-enabled': {
        // As systemd 252: it ends at the first one that it does not find.
        const missing = units.find((unit) => enabled(unit) === 'not-found');
        if (missing === undefined) return { status: 1, stdout: lines(enabled) };
        return {
          status: 1,
          stderr: Buffer.from(`Failed to get unit file state for ${missing}: No such file or directory\n`),
        };
      }
      case 'is-active':
        return { status: 3, stdout: lines((unit) => (active.has(unit) ? 'active' : 'inactive')) };
      case 'mask':
        return units.every(mask) ? {} : { status: 1, stderr: Buffer.from('File already exists') };
      case 'unmask':
        for (const unit of units)
          if (linkAt(join(etc, unit)) === '/dev/null') fs.rmSync(host.path(join(etc, unit)));
        return {};
      case 'enable':
        for (const unit of units) if (enabled(unit) !== 'masked') enable(unit);
        return {};
      case 'disable':
        for (const unit of units) if (enabled(unit) !== 'masked') disable(unit);
        return {};
      case 'start':
        for (const unit of units) if (enabled(unit) !== 'masked') active.add(unit);
        return units.some((unit) => enabled(unit) === 'masked') ? { status: 1 } : {};
      case 'stop':
        for (const unit of units) active.delete(unit);
        return {};
      default:
        return { status: 1, stderr: Buffer.from(`Unknown command verb ${verb}.`) };
    }
  });

  return { active, failing, install, enabled };
}
