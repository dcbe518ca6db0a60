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
  const fields = '$(REPO_URI) $(RELEASE)';
  const targets = await run(['apt-get', 'indextargets', '--format', fields, 'Created-By: Packages'], {
    timeoutMs: 30_000,
  });
  const settings = await run(['apt-config', 'dump', 'Acquire'], { timeoutMs: 30_000 });
  const found = chooseMirrors(parseIndexTargets(targets.stdout.toString('utf8')), hostCodename());
  const main = process.env['LXD_TO_INCUS_E2E_MIRROR'] ?? found.main;
  const security = process.env['LXD_TO_INCUS_E2E_SECURITY_MIRROR'] ?? found.security;
  if (main === undefined || security === undefined)
    throw machineFailure({ code: 'no-debian-mirror', looked: targets.stdout.toString('utf8') });
  return { main, security, ...acquire(settings.stdout.toString('utf8')) };
}

/** One `URI release` a line, from sources of both formats (deb822 and one-line): apt itself has read them. */
export function parseIndexTargets(text: string): IndexTarget[] {
  return text.split('\n').flatMap((line) => {
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
