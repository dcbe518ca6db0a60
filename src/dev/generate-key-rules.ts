// Writes rules/migration/config-keys.yaml from the compatibility study of both projects' key validators
// (a JSON file, given as the argument). Run again when that study changes; what it decides by itself stands here.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';

export interface StudiedKey {
  readonly entity: string;
  readonly type: string | null;
  readonly key: string;
  readonly in_lxd: readonly [string, string];
  readonly in_incus: readonly string[];
  readonly action: string;
  readonly new_key?: string;
  readonly reason: string;
  readonly seen: string;
}

export interface Study {
  readonly keys: readonly StudiedKey[];
  readonly pattern_rules: {
    readonly volatile_device_suffixes: Readonly<Record<string, readonly string[]>>;
    readonly volatile_fixed: Readonly<Record<string, readonly string[]>>;
  };
}

/** Pools of these drivers are refused as a whole (rules/migration/storage.yaml), so their keys need no rules. */
const driversOfLxdAlone = ['alletra', 'powerflex', 'powerstore', 'pure'];

/** Where the study's action is not one that data alone can express, or means something else in a conversion. */
const decided: Readonly<Record<string, Record<string, unknown>>> = {
  // No effect on hosts with cgroup2, and Incus has no instance-wide counterpart.
  'instance/limits.network.priority': { action: 'drop', severity: 'change' },
  'network/bridge.mode': {
    action: 'drop',
    severity: 'change',
    unless: { value: 'fan', action: 'block', severity: 'blocker' },
  },
  'network/fan.overlay_subnet': { action: 'drop', severity: 'change' },
  'network/fan.underlay_subnet': { action: 'drop', severity: 'change' },
  'network/fan.type': { action: 'drop', severity: 'change' },
  'server/core.trust_password': { severity: 'change' },
};

/** Values that change together with the name of their key. */
const transforms: readonly { readonly pattern: RegExp; readonly transform: string }[] = [
  { pattern: /^security\.delegate_bpf\./, transform: 'colons-to-commas' },
];

/** The text of rules/migration/config-keys.yaml. */
export function generateKeyRules(study: Study): string {
  const keys = [...rulesOf(study).values()];
  const document = {
    keys: keys.map(({ types, ...rule }) => (types.length === 0 ? rule : { ...rule, types })),
    volatile: {
      keys: since(study.pattern_rules.volatile_fixed),
      device_suffixes: since(study.pattern_rules.volatile_device_suffixes),
    },
  };
  return head + stringify(document, { lineWidth: 0 });
}

const head = `# What differs between the configuration keys of LXD 4.0 - 6.9 and of Incus 6.0 - 7.3.
# Written by src/dev/generate-key-rules.ts from a study of both projects' validators; change that script, not this file.
# types: only for objects of these types. kept_by: targets that know the key after all. volatile: what Incus accepts, and since when.
`;

type Rule = Record<string, unknown> & { types: string[] };

function rulesOf(study: Study): Map<string, Rule> {
  const rules = new Map<string, Rule>();
  for (const key of study.keys) {
    if (key.type !== null && driversOfLxdAlone.includes(key.type)) continue;
    // These are decided by one list of what Incus accepts (below), not key by key.
    if (key.action === 'keep-if-matching') continue;
    const id = `${key.entity}/${key.key}`;
    const type = key.type === null || key.type === 'any' ? [] : [key.type];
    const known = rules.get(id);
    if (known !== undefined) {
      known.types.push(...type.filter((name) => !known.types.includes(name)));
      continue;
    }
    const lossy =
      !key.key.startsWith('volatile.') &&
      /report|lost|lose|no Incus equivalent|removed in Incus|authentication was removed/i.test(key.reason);
    rules.set(id, {
      id,
      entity: key.entity,
      types: type,
      key: key.key,
      action: key.action === 'rewrite value' ? 'block' : key.action,
      ...(key.new_key !== undefined && key.action === 'rename' ? { to: key.new_key } : {}),
      ...transforms.filter(({ pattern }) => pattern.test(key.key)).map(({ transform }) => ({ transform }))[0],
      severity:
        key.action === 'block' || key.action === 'rewrite value'
          ? 'blocker'
          : key.action === 'rename'
            ? 'change'
            : lossy
              ? 'loss'
              : 'change',
      ...(key.in_incus.length === 0 ? {} : { kept_by: key.in_incus }),
      lxd: key.in_lxd.join(' - '),
      because: key.reason,
      seen: key.seen,
      ...decided[id],
    });
  }
  return rules;
}

/** `{name: first target that has it}`, in the order of the targets. */
function since(lists: Readonly<Record<string, readonly string[]>>): Record<string, string> {
  const first: Record<string, string> = {};
  for (const [target, names] of Object.entries(lists))
    for (const name of names) first[name] ??= target.replace(/-pre.*/, '');
  return first;
}

if (import.meta.main) {
  const [studyPath] = process.argv.slice(2);
  if (studyPath === undefined) {
    process.stderr.write('usage: node src/dev/generate-key-rules.ts STUDY.json\n');
    process.exit(2);
  }
  const out = join(import.meta.dirname, '..', '..', 'rules', 'migration', 'config-keys.yaml');
  writeFileSync(out, generateKeyRules(JSON.parse(readFileSync(studyPath, 'utf8')) as Study));
  process.stdout.write(`written: ${out}\n`);
}
