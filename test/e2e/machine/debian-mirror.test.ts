// Reading the machine's own mirrors from what apt says about its sources.
import { describe, expect, it } from 'vitest';
import { acquire, chooseMirrors, parseIndexTargets } from './debian-mirror.ts';

describe('the mirrors', () => {
  const targets = parseIndexTargets(
    [
      'https://packages.example.com/tools tools-bookworm',
      'http://debian.example.org/debian/ bookworm',
      'http://debian.example.org/debian/ bookworm-updates',
      'http://other.example.org/security/ bookworm-security',
      '',
    ].join('\n'),
  );

  it('are those of the release that the machine runs, without a slash at their end', () => {
    expect(chooseMirrors(targets, 'bookworm')).toEqual({
      main: 'http://debian.example.org/debian',
      security: 'http://other.example.org/security',
    });
  });

  it('are missing where apt has none for that release', () => {
    expect(chooseMirrors(targets, 'noble')).toEqual({ main: undefined, security: undefined });
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
