// Everything that a server has, as plain values: the same shape whether it was read from a database or asked of a daemon.

/** Configuration as both daemons keep it; a value that the database holds as NULL is the empty text. */
export type Config = Readonly<Record<string, string>>;

/** Devices by name; the type is under the key `type`. */
export type Devices = Readonly<Record<string, Config>>;

/** RFC 3339 in UTC with the digits that were stored; null where there is no such moment (never, no expiry). */
export type Instant = string | null;

/**
 * A field that is `undefined` is not known in this inventory: the daemon's API does not show it, or the database does not hold
 * it. Lists are sorted by project, then name, unless their order means something.
 */
export interface Inventory {
  readonly origin: 'database' | 'api';
  /** Version of the global schema. */
  readonly schema: number | undefined;
  readonly server: ServerConfig;
  readonly projects: readonly Project[];
  readonly profiles: readonly Profile[];
  readonly instances: readonly Instance[];
  readonly pools: readonly Pool[];
  /** Volumes that people made. */
  readonly volumes: readonly Volume[];
  /** Volumes that stand behind instances and images. */
  readonly internalVolumes: readonly InternalVolume[];
  readonly buckets: readonly Bucket[];
  readonly networks: readonly Network[];
  readonly acls: readonly NetworkAcl[];
  readonly zones: readonly NetworkZone[];
  readonly forwards: readonly NetworkForward[];
  readonly loadBalancers: readonly LoadBalancer[];
  readonly peers: readonly NetworkPeer[];
  readonly images: readonly Image[];
  readonly certificates: readonly Certificate[];
  readonly members: readonly Member[] | undefined;
  readonly clusterGroups: readonly ClusterGroup[] | undefined;
  readonly operations: number | undefined;
  readonly warnings: number | undefined;
  /** Tables that hold rows and stand behind nothing above, so that nothing is left out in silence. */
  readonly otherTables: readonly OtherTable[] | undefined;
}

export interface ServerConfig {
  /** Of the whole server or cluster and of this member, together, as the API shows it. */
  readonly config: Config;
  /** Which of these keys belong to this member alone (from local.db). */
  readonly memberKeys: readonly string[] | undefined;
}

export interface Project {
  readonly name: string;
  readonly description: string;
  readonly config: Config;
}

export interface Profile {
  readonly project: string;
  readonly name: string;
  readonly description: string;
  readonly config: Config;
  readonly devices: Devices;
}

export interface Instance {
  readonly project: string;
  readonly name: string;
  /** `container` or `virtual-machine`. */
  readonly type: string;
  readonly architecture: string;
  readonly member: string;
  readonly description: string;
  readonly ephemeral: boolean;
  readonly stateful: boolean;
  readonly created: Instant;
  readonly lastUsed: Instant;
  readonly expires: Instant | undefined;
  readonly config: Config;
  readonly devices: Devices;
  /** In the order in which they apply. */
  readonly profiles: readonly string[];
  /** undefined: not asked for. */
  readonly snapshots: readonly InstanceSnapshot[] | undefined;
  /** undefined: not asked for. */
  readonly backups: readonly Backup[] | undefined;
  /** `Running`, `Stopped`, `Frozen`, `Error`, …: what the daemon says now. */
  readonly status: string | undefined;
}

export interface InstanceSnapshot {
  readonly name: string;
  readonly description: string | undefined;
  readonly created: Instant;
  readonly expires: Instant;
  readonly stateful: boolean;
  readonly config: Config;
  readonly devices: Devices;
}

export interface Backup {
  readonly name: string;
  readonly created: Instant;
  readonly expires: Instant;
  /** Without snapshots. */
  readonly withoutSnapshots: boolean;
  readonly optimized: boolean;
}

export interface Pool {
  readonly name: string;
  readonly driver: string;
  readonly description: string;
  /** `Created`, `Pending`, `Errored`; a daemon also says `Unavailable`. */
  readonly state: string;
  /** With the rows of the one member of a server that is not clustered. */
  readonly config: Config;
  /** Rows of each member of a cluster; not asked of a daemon. */
  readonly memberConfig: Readonly<Record<string, Config>> | undefined;
}

export interface Volume {
  readonly pool: string;
  readonly project: string;
  readonly name: string;
  /** `filesystem`, `block` or `iso`. */
  readonly contentType: string;
  /** Empty where every member reaches it. */
  readonly member: string;
  readonly description: string;
  readonly created: Instant;
  readonly config: Config;
  /** undefined: not known. */
  readonly snapshots: readonly VolumeSnapshot[] | undefined;
  /** undefined: not known. */
  readonly backups: readonly Backup[] | undefined;
}

export interface VolumeSnapshot {
  readonly name: string;
  readonly description: string;
  readonly created: Instant;
  /** undefined: not known. */
  readonly expires: Instant | undefined;
  readonly config: Config;
}

export interface InternalVolume {
  readonly pool: string;
  readonly project: string;
  /** `container`, `virtual-machine` or `image`. */
  readonly type: string;
  readonly name: string;
  readonly contentType: string;
  readonly member: string;
  readonly config: Config;
  /** undefined: not asked for. */
  readonly snapshots: readonly { readonly name: string; readonly config: Config }[] | undefined;
}

export interface Bucket {
  readonly pool: string;
  readonly project: string;
  readonly name: string;
  readonly member: string;
  readonly description: string;
  readonly config: Config;
  readonly keys: readonly BucketKey[];
}

/** Both halves of the credential are veiled as soon as they are read: equal ones look equal, none can be read. */
export interface BucketKey {
  readonly name: string;
  readonly description: string;
  readonly role: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

export interface Network {
  readonly project: string;
  readonly name: string;
  /** `bridge`, `macvlan`, `sriov`, `ovn` or `physical`. */
  readonly type: string;
  readonly managed: boolean;
  readonly description: string;
  readonly state: string;
  readonly config: Config;
  readonly memberConfig: Readonly<Record<string, Config>> | undefined;
}

/** A rule, port, backend or entry that the database holds as JSON: its fields as text, empty ones left out. */
export type Entry = Config;

export interface NetworkAcl {
  readonly project: string;
  readonly name: string;
  readonly description: string;
  readonly config: Config;
  readonly ingress: readonly Entry[];
  readonly egress: readonly Entry[];
}

export interface NetworkZone {
  readonly project: string;
  readonly name: string;
  readonly description: string;
  readonly config: Config;
  readonly records: readonly ZoneRecord[];
}

export interface ZoneRecord {
  readonly name: string;
  readonly description: string;
  readonly config: Config;
  readonly entries: readonly Entry[];
}

export interface NetworkForward {
  readonly project: string;
  readonly network: string;
  readonly listenAddress: string;
  readonly member: string;
  readonly description: string;
  readonly config: Config;
  readonly ports: readonly Entry[];
}

export interface LoadBalancer {
  readonly project: string;
  readonly network: string;
  readonly listenAddress: string;
  readonly member: string;
  readonly description: string;
  readonly config: Config;
  readonly backends: readonly Entry[];
  readonly ports: readonly Entry[];
}

export interface NetworkPeer {
  readonly project: string;
  readonly network: string;
  readonly name: string;
  readonly description: string;
  readonly config: Config;
  readonly targetProject: string;
  readonly targetNetwork: string;
}

export interface Image {
  readonly project: string;
  readonly fingerprint: string;
  readonly filename: string;
  readonly size: number;
  readonly type: string;
  readonly architecture: string;
  readonly public: boolean;
  readonly cached: boolean;
  readonly autoUpdate: boolean;
  readonly created: Instant;
  readonly uploaded: Instant;
  readonly lastUsed: Instant;
  readonly expires: Instant;
  readonly properties: Config;
  readonly aliases: readonly { readonly name: string; readonly description: string }[];
  readonly profiles: readonly string[];
  readonly source: ImageSource | undefined;
  /** Members that hold its files. */
  readonly members: readonly string[] | undefined;
}

export interface ImageSource {
  readonly server: string;
  readonly protocol: string;
  readonly alias: string;
  readonly certificate: string;
}

export interface Certificate {
  readonly fingerprint: string;
  readonly name: string;
  /** `client`, `server` or `metrics`. */
  readonly type: string;
  readonly restricted: boolean;
  readonly description: string | undefined;
  readonly projects: readonly string[];
}

export interface Member {
  readonly name: string;
  readonly address: string;
  readonly description: string;
  readonly architecture: string;
  readonly schema: number | undefined;
  readonly apiExtensions: number | undefined;
  readonly failureDomain: string;
  readonly roles: readonly string[];
  readonly config: Config;
}

export interface ClusterGroup {
  readonly name: string;
  readonly description: string;
  readonly config: Config;
  readonly members: readonly string[];
}

export interface OtherTable {
  readonly table: string;
  readonly rows: number;
}
