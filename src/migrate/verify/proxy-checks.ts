// Whether each proxy device of a running instance has the process that forwards for it.
import { join } from 'node:path';
import { Failure, systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { readRegularFile } from '../../core/read-regular-file.ts';
import { firstOf } from '../../core/text.ts';
import { plainStatus } from '../daemon/instance-status.ts';
import { isTrue } from '../is-true.ts';
import type { Devices, Instance, Profile, Project } from '../model/inventory.ts';
import type { Check } from '../model/verification.ts';

export interface ProxyChecks {
  readonly checks: readonly Check[];
  readonly notLookedAt: readonly string[];
}

interface Server {
  readonly instances: readonly Instance[];
  readonly profiles: readonly Profile[];
  readonly projects: readonly Project[];
}

export function proxyChecks(host: Host, dataDirectory: string, server: Server): ProxyChecks {
  const checks: Check[] = [];
  const byRules: string[] = [];
  for (const instance of server.instances) {
    if (plainStatus(instance.status ?? '') !== 'Running') continue;
    const id = `${instance.project}/${instance.name}`;
    for (const [name, device] of Object.entries(expanded(server, instance))) {
      if (device['type'] !== 'proxy') continue;
      const object = `instance ${id}, proxy ${name}`;
      // Done by rules of the firewall, and by no process.
      if (isTrue(device['nat'])) {
        byRules.push(object);
        continue;
      }
      const problem = whatIsWrong(host, dataDirectory, instance, name);
      checks.push({
        id: 'proxy-listens',
        object,
        what: `its process forwards ${device['listen'] ?? ''}`,
        ok: problem === undefined,
        ...(problem === undefined ? {} : { detail: problem }),
      });
    }
  }
  return {
    checks,
    notLookedAt: byRules.length === 0 ? [] : [`firewall rules of proxies with nat: ${firstOf(byRules)}`],
  };
}

/** What applies to an instance: devices of its profiles in their order, then its own. */
function expanded({ profiles, projects }: Server, instance: Instance): Devices {
  const own = projects.find(({ name }) => name === instance.project)?.config['features.profiles'];
  const project = instance.project === 'default' || isTrue(own) ? instance.project : 'default';
  const applied = [
    ...instance.profiles.map(
      (name) => profiles.find((one) => one.project === project && one.name === name)?.devices ?? {},
    ),
    instance.devices,
  ];
  return Object.fromEntries(applied.flatMap((devices) => Object.entries(devices)));
}

/** Both daemons keep the process of a proxy as YAML in `devices/INSTANCE/proxy.NAME` (device/proxy.go, subprocess). */
function whatIsWrong(
  host: Host,
  dataDirectory: string,
  { project, name }: Instance,
  device: string,
): string | undefined {
  const folder = join(dataDirectory, 'devices', project === 'default' ? name : `${project}_${name}`);
  // Since Incus 6.0.1 a name is encoded (linux.PathNameEncode).
  const encoded = device.replaceAll('-', '--').replaceAll('/', '-');
  const pid = [device, encoded]
    .map((one) => host.path(join(folder, `proxy.${one}`)))
    .map((path) => /^pid: (\d+)$/m.exec(readText(path))?.[1])
    .find((found) => found !== undefined);
  if (pid === undefined) return `${folder} has no record of its process`;
  const found = host.processes().find((one) => one.pid === Number(pid));
  return found?.argv[1] === 'forkproxy' ? undefined : `process ${pid}, which did it, has ended`;
}

/** Empty where there is no such file, or something else in its place. */
function readText(path: string): string {
  try {
    return readRegularFile(path, { limit: 65_536, links: 'refuse' }).toString('utf8');
  } catch (error) {
    if (!(error instanceof Failure) && systemErrorCode(error) === undefined) throw error;
    return '';
  }
}
