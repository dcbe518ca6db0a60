// What a device of an instance needs of this machine before the instance can start, and is not there.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { isTrue } from '../is-true.ts';
import type { Config, Network } from '../model/inventory.ts';
import { isMissing } from './is-missing.ts';
import { mountShowing } from './mount-showing.ts';

export interface DeviceAround {
  readonly host: Host;
  readonly networks: readonly Pick<Network, 'name' | 'type' | 'managed' | 'config'>[];
  /** Whether the instance runs: it then has its physical interfaces, and the machine does not. */
  readonly runs: boolean;
}

/**
 * In the words of a person; undefined: nothing, or nobody can say. Both daemons ask the same before a start (lxd/device:
 * validateConfig and validateEnvironment of each type, LXD 5.0.2 and Incus 6.0).
 */
export function missingForDevice(around: DeviceAround, config: Config): string | undefined {
  const { host } = around;
  switch (config['type']) {
    case 'disk':
      return diskSource(host, config);
    case 'nic':
    case 'infiniband':
      return parentInterface(around, config);
    case 'unix-char':
    case 'unix-block':
      return deviceFile(host, config);
    case 'usb':
      return isTrue(config['required']) ? byIds(config, usbIds(host), 'USB device') : undefined;
    case 'unix-hotplug':
      return isTrue(config['required'])
        ? byIds(config, [...usbIds(host), ...pciIds(host)], 'device')
        : undefined;
    case 'gpu':
      return pciAddress(host, config['pci']) ?? byIds(config, [...pciIds(host), ...usbIds(host)], 'GPU');
    case 'pci':
      return pciAddress(host, config['address']);
    default:
      return undefined;
  }
}

/** Of these nobody asks for a file here: where the server at the other end is dead, the question would never end. */
const ofOtherMachines = /^(nfs|cifs|smb|ceph|fuse|9p|afs|glusterfs|lustre|autofs)/;

function diskSource(
  host: Host,
  { source = '', pool = '', required = '', optional }: Config,
): string | undefined {
  // Everything else that is no path is of a pool, of Ceph, or made by the daemon (`cloud-init:config`).
  if (pool !== '' || !source.startsWith('/')) return undefined;
  if ((required !== '' && !isTrue(required)) || isTrue(optional)) return undefined;
  const path = resolve(source);
  if (ofOtherMachines.test(mountShowing(host.mounts(), path)?.type ?? '')) return undefined;
  return isMissing(host.path(path)) ? `${source} does not exist` : undefined;
}

function parentInterface({ host, networks, runs }: DeviceAround, config: Config): string | undefined {
  const { network: name = '', nictype, vlan = '' } = config;
  const network = networks.find((one) => one.managed && one.name === name);
  // A bridge of the daemon's own is made anew when it starts; of the others the parent must be there.
  if (name !== '' && network?.type !== 'macvlan' && network?.type !== 'sriov') return undefined;
  const parent = (network === undefined ? config : network.config)['parent'] ?? '';
  if (parent === '' || networks.some((one) => one.managed && one.name === parent)) return undefined;
  if (runs && nictype === 'physical' && vlan === '') return undefined;
  return parent.includes('/') || isMissing(host.path(join('/sys/class/net', parent)))
    ? `network interface ${parent} does not exist`
    : undefined;
}

function deviceFile(host: Host, config: Config): string | undefined {
  const { source = '', path = '', required = '', major = '', minor = '' } = config;
  const file = source === '' ? path : source;
  if (!file.startsWith('/') || (major !== '' && minor !== '') || (required !== '' && !isTrue(required)))
    return undefined;
  return isMissing(host.path(resolve(file))) ? `${file} does not exist` : undefined;
}

function pciAddress(host: Host, address = ''): string | undefined {
  if (!/^(?:[\da-f]{4}:)?[\da-f]{2}:[\da-f]{2}\.[\da-f]$/i.test(address)) return undefined;
  const long = (address.length === 7 ? `0000:${address}` : address).toLowerCase();
  return isMissing(host.path(join('/sys/bus/pci/devices', long)))
    ? `PCI device ${address} does not exist`
    : undefined;
}

interface Ids {
  readonly vendor: string;
  readonly product: string;
}

function byIds(config: Config, there: readonly Ids[], kind: string): string | undefined {
  const vendor = (config['vendorid'] ?? '').toLowerCase();
  const product = (config['productid'] ?? '').toLowerCase();
  if (vendor === '' && product === '') return undefined;
  const isThere = there.some(
    (one) => (vendor === '' || one.vendor === vendor) && (product === '' || one.product === product),
  );
  return isThere ? undefined : `there is no ${kind} ${vendor || '*'}:${product || '*'}`;
}

function usbIds(host: Host): Ids[] {
  return idsIn(host, '/sys/bus/usb/devices', 'idVendor', 'idProduct');
}

function pciIds(host: Host): Ids[] {
  return idsIn(host, '/sys/bus/pci/devices', 'vendor', 'device');
}

function idsIn(host: Host, folder: string, vendorFile: string, productFile: string): Ids[] {
  const read = (...parts: readonly string[]): string =>
    orEmpty(() => readFileSync(host.path(join(folder, ...parts)), 'utf8'), '')
      .trim()
      .replace(/^0x/, '');
  return orEmpty(() => readdirSync(host.path(folder)), []).map((name) => ({
    vendor: read(name, vendorFile),
    product: read(name, productFile),
  }));
}

/** What is not there, or ends while it is read. */
function orEmpty<T>(read: () => T, empty: T): T {
  try {
    return read();
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return empty;
  }
}
