// Names of the numbers that the database keeps, as the API gives them; both projects agree on all of these.

/** shared/osarch/architectures.go */
const architectures: Readonly<Record<number, string>> = {
  1: 'i686',
  2: 'x86_64',
  3: 'armv7l',
  4: 'aarch64',
  5: 'ppc',
  6: 'ppc64',
  7: 'ppc64le',
  8: 's390x',
  9: 'mips',
  10: 'mips64',
  11: 'riscv32',
  12: 'riscv64',
  13: 'armv6l',
  14: 'armv8l',
  15: 'loongarch64',
};
const instanceTypes = ['container', 'virtual-machine'];
/** db/cluster/devices.go */
const deviceTypes = [
  'none',
  'nic',
  'disk',
  'unix-char',
  'unix-block',
  'usb',
  'gpu',
  'infiniband',
  'proxy',
  'unix-hotplug',
  'tpm',
  'pci',
];
const volumeTypes = ['container', 'image', 'custom', 'virtual-machine'];
const contentTypes = ['filesystem', 'block', 'iso'];
const networkTypes = ['bridge', 'macvlan', 'sriov', 'ovn', 'physical'];
const objectStates = ['Pending', 'Created', 'Errored'];
const certificateTypes: Readonly<Record<number, string>> = { 1: 'client', 2: 'server', 3: 'metrics' };

/** Types of identity that `/1.0/certificates` shows (identity/certificate_*.go in LXD 5.21 and later). */
const certificateIdentities: Readonly<Record<number, { type: string; restricted: boolean }>> = {
  1: { type: 'client', restricted: true },
  2: { type: 'client', restricted: false },
  3: { type: 'server', restricted: false },
  4: { type: 'metrics', restricted: true },
  6: { type: 'metrics', restricted: false },
};

const name =
  (names: Readonly<Record<number, string>>) =>
  (code: number): string =>
    names[code] ?? `unknown (${code})`;

/** Both daemons answer `unknown` for a number that they do not know (shared/osarch, ArchitectureName). */
export function architectureName(code: number): string {
  return architectures[code] ?? 'unknown';
}

export const instanceTypeName = name(instanceTypes);
export const deviceTypeName = name(deviceTypes);
export const volumeTypeName = name(volumeTypes);
export const contentTypeName = name(contentTypes);
export const networkTypeName = name(networkTypes);
/** Of pools and networks. */
export const objectStateName = name(objectStates);
export const certificateTypeName = name(certificateTypes);

/** undefined: an identity of another kind. */
export function certificateIdentity(code: number): { type: string; restricted: boolean } | undefined {
  return certificateIdentities[code];
}

/** Number 0 is each project's own protocol, under its own name. */
export function imageProtocolName(code: number, ownName: 'lxd' | 'incus'): string {
  return name([ownName, 'direct', 'simplestreams', 'oci'])(code);
}

/** Role 3 is control-plane in LXD 6.8 and later and database-client in Incus, so it keeps its number. */
export const memberRoleName = name({ 1: 'event-hub', 2: 'ovn-chassis' });
