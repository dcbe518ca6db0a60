// The Debian mirrors that this machine itself uses, as apt knows them; no address is written down here.
import { readFileSync } from 'node:fs';
import { run } from '../../../src/core/run.ts';
import { machineFailure } from './problem.ts';

export interface DebianMirror {
  readonly main: string;
  readonly security: string;
  /** apt's settings for proxies, time-outs and trust, in the syntax of apt.conf. */
  readonly acquireSettings: string;
  /** For debootstrap, which does not read apt's settings. */
  readonly proxyEnvironment: Readonly<Record<string, string>>;
}

interface IndexTarget {
  readonly uri: string;
  readonly release: string;
}

/** @throws {Failure<MachineProblem>} no-debian-mirror */
export async function debianMirror(): Promise<DebianMirror> {
  const targets = await indexTargets();
  const settings = await run(['apt-config', 'dump', 'Acquire'], { timeoutMs: 30_000 });
  const found = chooseMirrors(targets, hostCodename());
  const main = process.env['LXD_TO_INCUS_E2E_MIRROR'] ?? found.main;
  const security = process.env['LXD_TO_INCUS_E2E_SECURITY_MIRROR'] ?? found.security;
  if (main === undefined || security === undefined)
    throw machineFailure({
      code: 'no-debian-mirror',
      looked: targets.map(({ uri, release }) => `${uri} ${release}`).join('\n'),
    });
  return { main, security, ...acquire(settings.stdout.toString('utf8')) };
}

/** What apt's sources name, in both of their formats: apt itself reads them. Its lists need not be there. */
export async function indexTargets(aptOptions: readonly string[] = []): Promise<IndexTarget[]> {
  const format = ['--format', '$(REPO_URI) $(RELEASE)', 'Created-By: Packages'];
  const { stdout } = await run(['apt-get', ...aptOptions, 'indextargets', '--no-release-info', ...format], {
    timeoutMs: 30_000,
  });
  return stdout
    .toString('utf8')
    .split('\n')
    .flatMap((line) => {
      const [uri = '', release = ''] = line.trim().split(/\s+/);
      return uri === '' || release === '' ? [] : [{ uri: uri.replace(/\/+$/, ''), release }];
    });
}

/** The mirror of the host's own release serves the other releases as well. */
export function chooseMirrors(
  targets: readonly IndexTarget[],
  codename: string,
): { main: string | undefined; security: string | undefined } {
  const of = (release: string): string | undefined =>
    targets.find((target) => target.release === release)?.uri;
  return { main: of(codename), security: of(`${codename}-security`) };
}

/** Keeps what concerns the way to the mirror; apt.conf.d may hold hooks that make sense on the host only. */
export function acquire(dump: string): Pick<DebianMirror, 'acquireSettings' | 'proxyEnvironment'> {
  const wanted =
    /^Acquire::(?:https?|ftp|Retries|Check-Valid-Until|Check-Date|ForceIPv4|ForceIPv6|By-Hash)\b/;
  const lines = dump.split('\n').filter((line) => wanted.test(line));
  const proxy = (scheme: string): Record<string, string> => {
    const prefix = `Acquire::${scheme}::Proxy `;
    const value = lines
      .find((line) => line.startsWith(prefix))
      ?.slice(prefix.length)
      .replace(/^"|";$/g, '');
    return value === undefined || value === '' || value === 'DIRECT' ? {} : { [`${scheme}_proxy`]: value };
  };
  return {
    acquireSettings: lines.map((line) => `${line}\n`).join(''),
    proxyEnvironment: { ...proxy('http'), ...proxy('https') },
  };
}

function hostCodename(): string {
  return /^VERSION_CODENAME="?([\w-]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? '';
}
