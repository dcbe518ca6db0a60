// Applies the key rules: drops and renames what Incus does not know, and says what is lost.
import { unreachable } from '../../core/failure.ts';
import type { KeyRule, MigrationRules } from '../rules/migration-rules.ts';
import type { Editor } from './change.ts';
import type { TypedRow } from './config-tables.ts';
import { compareVersions } from './version.ts';

/** Compiled once a conversion: a lookup from an exact key, and the few rules with patterns. */
function compile(rules: readonly KeyRule[]): (row: TypedRow, deviceKind: string) => KeyRule | undefined {
  const exact = new Map<string, KeyRule[]>();
  const patterns: { rule: KeyRule; pattern: RegExp }[] = [];
  for (const rule of rules) {
    if (!/[<*]/.test(rule.key)) {
      const name = `${rule.entity}/${rule.key}`;
      exact.set(name, [...(exact.get(name) ?? []), rule]);
      continue;
    }
    const source = rule.key
      .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
      .replace(/<[^>]+>/g, '.+')
      .replace(/\*$/, '.*');
    patterns.push({ rule, pattern: new RegExp(`^${source}$`) });
  }
  return (row, kind) => {
    const fits = (rule: KeyRule): boolean =>
      rule.types === undefined || row.type === 'any' || rule.types.includes(kind);
    return (
      exact.get(`${row.entity}/${row.key}`)?.find(fits) ??
      patterns.find(({ rule, pattern }) => rule.entity === row.entity && fits(rule) && pattern.test(row.key))
        ?.rule
    );
  };
}

/**
 * Applies every rule to every row, and drops `volatile.` keys of instances that this target would refuse at the next
 * edit. Returns the rows that are left as they were.
 */
export function applyKeyRules(
  editor: Editor,
  rows: readonly TypedRow[],
  rules: MigrationRules,
  targetVersion: string,
): TypedRow[] {
  const ruleFor = compile(rules.keys);
  const kinds = nicKinds(editor);
  return rows.filter((row) => {
    const kind = row.entity === 'device' && row.type === 'nic' ? `nic:${kinds(row)}` : row.type;
    const rule = ruleFor(row, kind);
    if (rule !== undefined && rule.kept_by?.some((version) => version.startsWith(targetVersion)) !== true) {
      return !applyRule(editor, row, rule);
    }
    if (
      row.entity === 'instance' &&
      row.key.startsWith('volatile.') &&
      !acceptsVolatile(rules, row.key, targetVersion)
    ) {
      editor.deleteRow(row.table, row, 'volatile-unknown-to-target');
      return false;
    }
    return true;
  });
}

/** Whether the row was changed. */
function applyRule(editor: Editor, row: TypedRow, rule: KeyRule): boolean {
  const value = row.value ?? '';
  const effective =
    rule.unless !== undefined && rule.unless.value === value ? { ...rule, ...rule.unless } : rule;
  switch (effective.action) {
    case 'block':
      editor.findings.push({
        id: `key-blocked:${rule.key}`,
        severity: 'blocker',
        objects: [row.object],
        what: `${rule.key} is set and Incus has nothing that does the same. ${rule.because}`,
        action: 'Change or unset it in LXD, then plan again.',
      });
      return false;
    case 'drop':
      editor.deleteRow(row.table, row, rule.id);
      if (effective.severity === 'loss') {
        editor.findings.push({
          id: `key-lost:${rule.key}`,
          severity: 'loss',
          objects: [row.object],
          what: `${rule.key} does not exist in Incus. ${rule.because}`,
          action: 'It is dropped; its value stays in the LXD database that is kept.',
          answers: ['accept'],
        });
      }
      return true;
    case 'rename':
      editor.renameKey(row.table, row, rename(rule, row.key), transform(rule, value), rule.id);
      return true;
    default:
      return unreachable(effective.action);
  }
}

function rename(rule: KeyRule, key: string): string {
  const to = rule.to ?? key;
  const names =
    new RegExp(`^${rule.key.replace(/\./g, '\\.').replace(/<[^>]+>/g, '(.+)')}$`).exec(key)?.slice(1) ?? [];
  let next = 0;
  return to.replace(/<[^>]+>/g, () => names[next++] ?? '');
}

function transform(rule: KeyRule, value: string): string {
  if (rule.transform === undefined) return value;
  switch (rule.transform) {
    case 'colons-to-commas':
      return value.replaceAll(':', ',');
    default:
      return unreachable(rule.transform);
  }
}

function acceptsVolatile(rules: MigrationRules, key: string, targetVersion: string): boolean {
  const since = (version: string | undefined): boolean =>
    version !== undefined && compareVersions(targetVersion, version) >= 0;
  return (
    since(rules.volatile.keys[key]) ||
    Object.entries(rules.volatile.device_suffixes).some(
      ([suffix, version]) => key.endsWith(suffix) && since(version),
    )
  );
}

/** What kind a network interface is: its own `nictype`, or the type of the managed network it names. */
function nicKinds(editor: Editor): (row: TypedRow) => string {
  const cache = new Map<string, string>();
  return (row) => {
    const owner = ownerColumns[row.table];
    if (owner === undefined) return 'bridged';
    const known = cache.get(`${row.table} ${row.object}`);
    if (known !== undefined) return known;
    const found = editor.db
      .prepare(
        `SELECT (SELECT value FROM "${row.table}" WHERE "${owner}" = c."${owner}" AND key = 'nictype') AS own,
                (SELECT type FROM networks WHERE name = (SELECT value FROM "${row.table}" WHERE "${owner}" = c."${owner}" AND key = 'network')) AS network
           FROM "${row.table}" c WHERE id = ?`,
      )
      .get(row.id) as { own: string | null; network: number | null } | undefined;
    const kind =
      found?.own ?? ['bridged', 'macvlan', 'sriov', 'ovn', 'physical'][found?.network ?? 0] ?? 'bridged';
    cache.set(`${row.table} ${row.object}`, kind);
    return kind;
  };
}

const ownerColumns: Readonly<Record<string, string>> = {
  profiles_devices_config: 'profile_device_id',
  instances_devices_config: 'instance_device_id',
  instances_snapshots_devices_config: 'instance_snapshot_device_id',
};
