// Reads the tables of sockets of the kernel: /proc/net/tcp, tcp6, udp and udp6 (proc_pid_net(5)).

export interface BoundSocket {
  /** An IP address as text, IPv6 in its short form; an IPv4 address that is written as IPv6 is IPv4. */
  readonly address: string;
  readonly port: number;
  readonly inode: string;
}

/** Linux's numbers of states: TCP_LISTEN, and what a UDP socket without a peer is in (TCP_CLOSE). */
const bound = { tcp: '0A', udp: '07' } as const;

/** Sockets that wait for whoever calls. Lines of another form are left out. */
export function parseProcNet(text: string, protocol: keyof typeof bound): BoundSocket[] {
  return text.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    const [hex = '', port = ''] = local.split(':');
    if (state !== bound[protocol] || !/^[0-9A-Fa-f]{4}$/.test(port) || !/^\d+$/.test(inode)) return [];
    const address = toAddress(hex);
    return address === undefined ? [] : [{ address, port: Number.parseInt(port, 16), inode }];
  });
}

/** Words of four bytes, each in the order of the processor: x86-64 and arm64 have the last byte first. */
function toAddress(hex: string): string | undefined {
  if (!/^(?:[0-9A-Fa-f]{8}|[0-9A-Fa-f]{32})$/.test(hex)) return undefined;
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, 'hex')].reverse());
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff)
    return bytes.slice(12).join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  );
  return canonicalAddress(groups.join(':'));
}

/** An IP address in the form in which two can be compared; other text as it is. */
export function canonicalAddress(address: string): string {
  const [bare = ''] = address.split('%');
  if (!bare.includes(':')) return bare;
  try {
    const short = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
    const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short) ?? [];
    if (high === undefined || low === undefined) return short;
    const number = [high, low].map((half) => Number.parseInt(half, 16));
    return number.flatMap((half) => [half >> 8, half & 0xff]).join('.');
  } catch {
    // Not an address.
    return bare;
  }
}
