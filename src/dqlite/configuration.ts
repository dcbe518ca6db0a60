// Encodes and decodes the list of raft servers (entries of type 3, snapshot metadata).

export type ServerRole = 'standby' | 'voter' | 'spare';

export interface RaftServer {
  readonly id: bigint;
  readonly address: string;
  readonly role: ServerRole;
}

export interface RaftConfiguration {
  readonly servers: readonly RaftServer[];
}

/** What a standalone LXD or Incus always has (lxc/incus internal/server/node/raft.go). */
export const standaloneConfiguration: RaftConfiguration = {
  servers: [{ id: 1n, address: '1', role: 'voter' }],
};

/** Codes on disk; `raft_nodes.role` of local.db counts otherwise (0 voter, 1 standby, 2 spare). */
const roles: readonly ServerRole[] = ['standby', 'voter', 'spare'];

/** The largest one that the server takes from a snapshot (canonical/raft src/uv_snapshot.c). */
export const maxConfigurationSize = 1024 * 1024;

/** The configuration, or what is wrong with it. Bytes after the last server are padding with arbitrary content. */
export function decodeConfiguration(bytes: Buffer): RaftConfiguration | string {
  if (bytes.length < 9) return 'the configuration is cut off';
  if (bytes.length > maxConfigurationSize) return `the configuration has ${bytes.length} bytes`;
  if (bytes.readUInt8(0) !== 1) return `the configuration has the unknown encoding ${bytes.readUInt8(0)}`;
  const count = bytes.readBigUInt64LE(1);
  const servers: RaftServer[] = [];
  let at = 9;
  for (let left = count; left > 0n; left -= 1n) {
    const end = bytes.indexOf(0, at + 8);
    const role = end < 0 ? undefined : bytes[end + 1];
    if (role === undefined) return 'the configuration is cut off';
    const name = roles[role];
    if (name === undefined) return `the configuration has the unknown role ${role}`;
    servers.push({ id: bytes.readBigUInt64LE(at), address: bytes.toString('utf8', at + 8, end), role: name });
    at = end + 2;
  }
  if (new Set(servers.map((server) => server.id)).size !== servers.length)
    return 'the configuration has a server id twice';
  if (new Set(servers.map((server) => server.address)).size !== servers.length)
    return 'the configuration has an address twice';
  return { servers };
}

/** The bytes of a configuration, padded with zeros to a multiple of eight. */
export function encodeConfiguration(configuration: RaftConfiguration): Buffer {
  const parts: Buffer[] = [Buffer.from([1]), u64(BigInt(configuration.servers.length))];
  for (const server of configuration.servers)
    parts.push(u64(server.id), Buffer.from(`${server.address}\0`), Buffer.from([roles.indexOf(server.role)]));
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  parts.push(Buffer.alloc((8 - (length % 8)) % 8));
  return Buffer.concat(parts);
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}
