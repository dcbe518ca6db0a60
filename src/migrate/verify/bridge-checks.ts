// Whether each managed bridge is there on the host with its addresses, and has its dnsmasq.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { canonicalAddress } from '../../core/proc-net.ts';
import type { Network } from '../model/inventory.ts';
import type { Check } from '../model/verification.ts';

export interface BridgeChecks {
  readonly checks: readonly Check[];
  readonly notLookedAt: readonly string[];
}

type Bridge = Pick<Network, 'name' | 'config'>;

/** @param bridges those that Incus says are up */
export async function bridgeChecks(
  host: Host,
  dataDirectory: string,
  bridges: readonly Bridge[],
): Promise<BridgeChecks> {
  if (bridges.length === 0) return { checks: [], notLookedAt: [] };
  const addresses = await addressesOfHost(host);
  const checks: Check[] = [];
  const notLookedAt: string[] = [];
  if (addresses === undefined) notLookedAt.push('addresses of bridges: "ip -json address" gives none here');
  for (const bridge of bridges) {
    const object = `network ${bridge.name}`;
    const isThere = existsSync(host.path(join('/sys/class/net', bridge.name)));
    const missing = addresses === undefined ? [] : missingAddresses(bridge, addresses.get(bridge.name) ?? []);
    checks.push({
      id: 'bridge-on-host',
      object,
      what: addresses === undefined ? 'its bridge is there' : 'its bridge is there with its addresses',
      ok: isThere && missing.length === 0,
      ...(isThere
        ? missing.length === 0
          ? {}
          : { detail: `it does not have ${missing.join(', ')}` }
        : { detail: `there is no interface ${bridge.name}` }),
    });
    switch (needsDnsmasq(bridge)) {
      case 'yes': {
        const ok = hasDnsmasq(host, dataDirectory, bridge.name);
        checks.push({
          id: 'bridge-dnsmasq',
          object,
          what: 'its dnsmasq runs',
          ok,
          ...(ok ? {} : { detail: `no dnsmasq works for it with files of ${dataDirectory}/networks` }),
        });
        break;
      }
      case 'unclear':
        notLookedAt.push(`dnsmasq of network ${bridge.name}: with dns.mode none it depends on the version`);
        break;
      case 'no':
    }
  }
  return { checks, notLookedAt };
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== 'none';
}

/** As UsesDNSMasq has it (network/driver_bridge.go); since Incus 7.0 it may do without where it gives no names. */
function needsDnsmasq({ config }: Bridge): 'yes' | 'no' | 'unclear' {
  if (!isSet(config['ipv4.address']) && !isSet(config['ipv6.address'])) return 'no';
  return config['dns.mode'] === 'none' ? 'unclear' : 'yes';
}

function hasDnsmasq(host: Host, dataDirectory: string, name: string): boolean {
  const folder = `${join(dataDirectory, 'networks', name)}/`;
  return host
    .processes()
    .some(
      ({ samePidNamespace, program, argv }) =>
        samePidNamespace &&
        /\/dnsmasq$/.test(program ?? '') &&
        argv.includes(`--interface=${name}`) &&
        argv.some((argument) => argument.includes(`=${folder}`)),
    );
}

function missingAddresses({ config }: Bridge, found: readonly string[]): string[] {
  return ['ipv4.address', 'ipv6.address'].flatMap((key) => {
    const value = config[key];
    if (value === undefined || !isSet(value) || value === 'auto') return [];
    const [address = ''] = value.split('/');
    return found.includes(canonicalAddress(address)) ? [] : [value];
  });
}

/** Addresses by interface; undefined where this `ip` (of busybox, for instance) cannot say it in JSON. */
async function addressesOfHost(host: Host): Promise<ReadonlyMap<string, readonly string[]> | undefined> {
  let parsed: unknown;
  try {
    const { stdout } = await host.run(['ip', '-json', 'address', 'show'], { timeoutMs: 20_000 });
    parsed = JSON.parse(stdout.toString('utf8'));
  } catch (error) {
    if (!(error instanceof Failure) && !(error instanceof SyntaxError)) throw error;
    return undefined;
  }
  if (!Array.isArray(parsed)) return undefined;
  return new Map(
    parsed.flatMap((link: unknown): [string, string[]][] => {
      if (!isObject(link) || typeof link['ifname'] !== 'string') return [];
      const info: unknown = link['addr_info'];
      const list = Array.isArray(info) ? info : [];
      return [
        [
          link['ifname'],
          list.flatMap((one: unknown) =>
            isObject(one) && typeof one['local'] === 'string' ? [canonicalAddress(one['local'])] : [],
          ),
        ],
      ];
    }),
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
