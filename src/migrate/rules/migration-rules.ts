// The rules of rules/migration/, typed; compiled into the bundle at build, read from the files otherwise.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { FindingSeverity } from '../model/finding.ts';

export interface KeyRule {
  readonly id: string;
  readonly entity: string;
  /** Only for objects of these types; everything when absent. */
  readonly types?: readonly string[];
  /** `<name>` stands for one dotted part or more; a final `*` for any ending. */
  readonly key: string;
  readonly action: 'drop' | 'rename' | 'block';
  readonly to?: string;
  readonly transform?: 'colons-to-commas';
  readonly severity: FindingSeverity;
  readonly unless?: { readonly value: string; readonly action: 'block'; readonly severity: FindingSeverity };
  readonly kept_by?: readonly string[];
  readonly because: string;
}

export interface PathRule {
  readonly entity: string;
  readonly types?: readonly string[];
  readonly keys: readonly string[];
  readonly kind: 'path' | 'text';
  /** Only where another key of the same device has one of these values; one that is not set counts as empty. */
  readonly where?: { readonly key: string; readonly is: readonly string[] };
}

export interface PatchRule {
  readonly name: string;
  readonly work: 'rows' | 'step' | 'nothing';
  readonly step?: string;
  readonly unless?: 'zfs' | 'buckets';
  readonly because: string;
}

export interface KnownTable {
  readonly columns: readonly string[];
  /** The schema update that brought the table; every schema that can be moved has it when absent. */
  readonly since?: number;
  /** Columns that came later, with the number of their update. */
  readonly later?: Readonly<Record<string, number>>;
}

export interface PinRule {
  readonly network_types?: readonly string[];
  readonly server_key?: string;
  readonly key?: string;
  readonly value?: string;
  /** The value is what the host shows at the time of the plan. */
  readonly from_host?: boolean;
  /** First target version that the pin is for; `until`: first that it is not for. */
  readonly since?: string;
  readonly until?: string;
  readonly because: string;
}

export interface DriverRule {
  readonly support: 'yes' | 'later' | 'never';
  readonly tools?: readonly string[];
  readonly because?: string;
}

/** On what a daemon listens besides its own socket. */
export interface ListenRule {
  readonly key: string;
  readonly port?: number;
  readonly protocols?: readonly ('tcp' | 'udp')[];
  readonly only_with?: readonly string[];
  /** A socket in the data directory, instead of a port. */
  readonly socket?: string;
  /** Whether incusd does not start where it cannot listen there. */
  readonly fatal: boolean;
  readonly because?: string;
}

/** A difference after the move that is no loss; whatever is given must match. */
export interface AcceptedDifference {
  /** Kinds of object. */
  readonly objects: readonly string[];
  /** `*` stands for anything. */
  readonly fields?: readonly string[];
  /** Instead of `fields`: field and the expected value with which it is accepted. */
  readonly values?: Readonly<Record<string, string>>;
  readonly change: 'missing' | 'extra' | 'different' | 'any';
  readonly expected?: readonly string[];
  readonly actual?: readonly string[];
  readonly same?: 'truth';
  /** A field that the expected object must have. */
  readonly beside?: string;
  readonly because: string;
}

/** Keys that the trial boot must not have. */
export interface RehearsalKeyRule {
  readonly entity: string;
  /** A `*` at the end stands for any ending. */
  readonly keys: readonly string[];
  /** Replaces the value; without it the key is removed. */
  readonly value?: string;
  readonly because: string;
}

export interface RehearsalRules {
  readonly keys: readonly RehearsalKeyRule[];
  readonly instances: readonly {
    readonly key: string;
    readonly value: string;
    /** The check of verify that looks at it, where it is not the comparison of the inventories. */
    readonly checked_by?: string;
    readonly because: string;
  }[];
  readonly expiries: readonly { readonly table: string; readonly column: string }[];
  readonly patches: readonly { readonly name: string; readonly because: string }[];
  readonly patches_on_stand_ins: readonly string[];
  readonly accepted_differences: readonly AcceptedDifference[];
}

/** What a stop of the source changes in its database. */
export interface StopRules {
  readonly keys: readonly string[];
  /** Endings of `volatile.<device>.` */
  readonly device_keys: readonly string[];
  readonly tables: readonly string[];
  readonly columns: readonly { readonly table: string; readonly column: string }[];
}

/** Names by the number of a schema update. */
export type ByUpdate = Readonly<Record<string, readonly string[]>>;

/** What local.db is like, and what incusd's updates make and copy in it. */
export interface LocalDatabaseRules {
  readonly schemas: { readonly oldest: number; readonly newest: number };
  readonly tables: Readonly<Record<string, KnownTable>>;
  readonly made_by_target: ByUpdate;
  readonly copied_by_target: ByUpdate;
}

export interface MigrationRules {
  readonly keys: readonly KeyRule[];
  /** Keys and endings below `volatile.` that Incus accepts, and the target version since which it does. */
  readonly volatile: {
    readonly keys: Readonly<Record<string, string>>;
    readonly device_suffixes: Readonly<Record<string, string>>;
  };
  /** Keys that Incus knows by entity, in the form of `KeyRule.key`; those below `volatile.` are not among them. */
  readonly known_keys: Readonly<Record<string, readonly string[]>>;
  readonly schemas: { readonly oldest: number; readonly fork_point: number };
  /** Tables of LXD up to the fork point, and its views. */
  readonly known_tables: Readonly<Record<string, KnownTable>>;
  readonly known_views: readonly string[];
  readonly known_indexes: readonly string[];
  /** Tables that LXD makes after the fork point. */
  readonly tables_of_later_source: readonly string[];
  /** Names of tables and indexes that incusd's schema updates make, by the number of the update. */
  readonly made_by_target: ByUpdate;
  /** Tables that incusd's schema updates copy as they are, by the number of the update. */
  readonly copied_by_target: ByUpdate;
  readonly local_database: LocalDatabaseRules;
  /** Every LXD does them in this order; some releases end earlier. */
  readonly patches_in_order: readonly string[];
  readonly triggers_kept: readonly string[];
  readonly json_columns: readonly { readonly table: string; readonly column: string }[];
  readonly emptied_tables: readonly { readonly table: string; readonly because: string }[];
  readonly descriptions: readonly {
    readonly table: string;
    readonly before: string;
    readonly after: string;
  }[];
  readonly idmap_keys: readonly string[];
  readonly paths: readonly PathRule[];
  readonly patches: readonly PatchRule[];
  readonly patches_on_every_pool: readonly string[];
  readonly drivers: Readonly<Record<string, DriverRule>>;
  readonly install: readonly {
    readonly id: string;
    readonly codename?: string;
    readonly command: string;
    /** What a person does first. */
    readonly before?: string;
  }[];
  readonly renamed_folders: readonly { readonly from: string; readonly to: string }[];
  readonly link_folders: readonly string[];
  readonly links: readonly string[];
  readonly required_commands: readonly string[];
  readonly bridge_commands: readonly string[];
  /** One of these is enough; `until`: first target version that does not use it any more. */
  readonly firewall_commands: readonly { readonly command: string; readonly until?: string }[];
  readonly pins: readonly PinRule[];
  /** What --purge-source removes beside the data directory. */
  readonly left_behind: readonly string[];
  readonly listens: readonly ListenRule[];
  /** `<directory>` stands for the data directory. */
  readonly log_files: Readonly<Record<'source' | 'target', readonly string[]>>;
  readonly accepted_differences: readonly AcceptedDifference[];
  readonly rehearsal: RehearsalRules;
  readonly changed_by_stop: StopRules;
}

/** Set by the build (src/dev/build.mjs) to the content of the files. */
declare const COMPILED_MIGRATION_RULES: MigrationRules;

let rules: MigrationRules | undefined;

export function migrationRules(): MigrationRules {
  rules ??= typeof COMPILED_MIGRATION_RULES === 'undefined' ? readRules() : COMPILED_MIGRATION_RULES;
  return rules;
}

function readRules(): MigrationRules {
  const folder = join(import.meta.dirname, '..', '..', '..', 'rules', 'migration');
  const files = [
    'config-keys',
    'schema',
    'storage',
    'host',
    'verify',
    'rehearsal',
    'stop',
    'known-keys',
    'tables',
  ];
  return Object.assign(
    {},
    ...files.map((name) => parse(readFileSync(join(folder, `${name}.yaml`), 'utf8'))),
  ) as MigrationRules;
}
