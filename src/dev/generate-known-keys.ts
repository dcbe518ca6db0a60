// Writes rules/migration/known-keys.yaml: the configuration keys that Incus knows, from the data of its documentation
// (internal/server/metadata/configuration.json of each release that counts, given as arguments) and from what only its
// validators name. Run again for a new release.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';

interface Documentation {
  readonly configs: Readonly<
    Record<string, Readonly<Record<string, { readonly keys: readonly Readonly<Record<string, unknown>>[] }>>>
  >;
}

/** Kinds of the documentation by what they begin with, and the entity whose rows hold their keys. */
const entities: readonly (readonly [string, string | undefined])[] = [
  ['cluster_group', undefined],
  ['network_address_set', undefined],
  ['network_integration', undefined],
  ['image', undefined],
  ['cluster', 'member'],
  ['devices', 'device'],
  ['instance', 'instance'],
  ['kernel', 'instance'],
  ['network_forward', 'network-other'],
  ['network_load_balancer', 'network-other'],
  ['network_zone', 'network-other'],
  ['network_', 'network'],
  ['project', 'project'],
  ['server', 'server'],
  ['storage_bucket', 'storage-bucket'],
  ['storage_volume', 'storage-volume'],
  ['storage_', 'storage-pool'],
];

/** What the documentation of no release lists (Incus 6.0.4). */
const onlyInValidators: Readonly<Record<string, readonly string[]>> = {
  // internal/server/device/config/devices.go, gpu.go
  device: ['gputype', 'type'],
  // internal/instance/config.go; `image.` is what an instance keeps of its image
  instance: ['image.*', 'security.syscalls.blacklist*', 'security.syscalls.whitelist'],
  // internal/server/storage/drivers: defaults of volumes stand with their pool
  'storage-pool': ['ceph.osd.pg_num', 'cephobject.bucket.name_prefix', 'volume.*'],
  'network-acl': [],
};

/** Every object may have these (validators of each entity). */
const everywhere = ['user.*'];

/** The text of rules/migration/known-keys.yaml. */
export function generateKnownKeys(documentations: readonly Documentation[]): string {
  const known: Record<string, Set<string>> = {};
  const add = (entity: string, names: readonly string[]): void => {
    known[entity] ??= new Set(everywhere);
    for (const name of names) known[entity].add(name);
  };
  for (const { configs } of documentations) {
    for (const [kind, groups] of Object.entries(configs)) {
      const entity = entities.find(([prefix]) => kind.startsWith(prefix))?.[1];
      if (entity === undefined) continue;
      const names = Object.values(groups).flatMap(({ keys }) => keys.flatMap((key) => Object.keys(key)));
      // What is below `volatile.` is decided by a list of its own (config-keys.yaml).
      add(
        entity,
        names
          .filter((name) => !name.startsWith('volatile.'))
          .map((name) =>
            name.replace(/\b[A-Z]+(?:_[A-Z]+)*(?=\.|$)/g, (part) => (/^\d/.test(part) ? part : '<name>')),
          ),
      );
    }
  }
  for (const [entity, names] of Object.entries(onlyInValidators)) add(entity, names);
  const sorted = Object.entries(known).sort(([a], [b]) => (a < b ? -1 : 1));
  return (
    head +
    stringify(
      { known_keys: Object.fromEntries(sorted.map(([entity, names]) => [entity, [...names].sort()])) },
      { lineWidth: 0 },
    )
  );
}

const head = `# Configuration keys that some Incus from 6.0.4 to 7.3.0 knows, by entity; \`<name>\` stands for a name, a final \`*\` for any ending.
# Written by src/dev/generate-known-keys.ts; change that script, not this file.
`;

if (import.meta.main) {
  const paths = process.argv.slice(2);
  if (paths.length === 0) {
    process.stderr.write('usage: node src/dev/generate-known-keys.ts CONFIGURATION.json…\n');
    process.exit(2);
  }
  const out = join(import.meta.dirname, '..', '..', 'rules', 'migration', 'known-keys.yaml');
  writeFileSync(
    out,
    generateKnownKeys(paths.map((path) => JSON.parse(readFileSync(path, 'utf8')) as Documentation)),
  );
  process.stdout.write(`written: ${out}\n`);
}
