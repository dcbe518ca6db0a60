// Reading the machine's own mirrors from what apt says about its sources.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquire, chooseMirrors, indexTargets } from './debian-mirror.ts';

describe('the mirrors', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lxd-to-incus-apt-'));
    mkdirSync(join(folder, 'lists', 'partial'), { recursive: true });
    mkdirSync(join(folder, 'parts'));
    writeFileSync(
      join(folder, 'sources.list'),
      'deb [arch=amd64] https://packages.example.com/tools tools-bookworm main\n' +
        'deb http://other.example.org/security bookworm-security main contrib\n',
    );
    writeFileSync(
      join(folder, 'parts', 'debian.sources'),
      'Types: deb\nURIs: http://debian.example.org/debian/\nSuites: bookworm bookworm-updates\nComponents: main\n',
    );
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** The real apt, with sources of both formats and without any downloaded list. */
  const targets = () =>
    indexTargets([
      ...['-o', `Dir::Etc::SourceList=${folder}/sources.list`, '-o', `Dir::Etc::SourceParts=${folder}/parts`],
      ...['-o', `Dir::State::Lists=${folder}/lists`],
    ]);

  it('are those of the release that the machine runs, without a slash at their end', async () => {
    expect(chooseMirrors(await targets(), 'bookworm')).toEqual({
      main: 'http://debian.example.org/debian',
      security: 'http://other.example.org/security',
    });
  });

  it('are missing where apt has none for that release', async () => {
    expect(chooseMirrors(await targets(), 'noble')).toEqual({ main: undefined, security: undefined });
  });
});

describe("apt's settings", () => {
  it('keep the way to the mirror and nothing that runs on the host', () => {
    const dump = [
      'Acquire "";',
      'Acquire::http "";',
      'Acquire::http::Proxy "http://proxy.example.org:3128";',
      'Acquire::https::CaInfo "/etc/ssl/mirror.pem";',
      'Acquire::https::Proxy "DIRECT";',
      'Acquire::IndexTargets::deb "";',
      'Acquire::Retries "3";',
    ].join('\n');

    const { acquireSettings, proxyEnvironment } = acquire(dump);

    expect(acquireSettings).toContain('Acquire::https::CaInfo "/etc/ssl/mirror.pem";\n');
    expect(acquireSettings).toContain('Acquire::Retries "3";\n');
    expect(acquireSettings).not.toContain('IndexTargets');
    expect(proxyEnvironment).toEqual({ http_proxy: 'http://proxy.example.org:3128' });
  });
});
