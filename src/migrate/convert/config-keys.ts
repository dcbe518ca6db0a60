// Applies the key rules: drops and renames what Incus does not know, and says what is lost.
import { unreachable } from '../../core/failure.ts';
import type { TypedRow } from '../catalogue/config-tables.ts';
import { compareVersions } from '../model/compare-versions.ts';
import type { Finding } from '../model/finding.ts';
import type { KeyRule, MigrationRules } from '../rules/migration-rules.ts';
import type { Editor } from './editor.ts';

/** Compiled once a conversion: a lookup from an exact key, and the few rules with patterns. */
function compile(rules: readonly KeyRule[]): (row: TypedRow, deviceKind: string) => KeyRule | undefined {
  const exact = new Map<string, KeyRule[]>();
  const patterns: { rule: KeyRule; pattern: RegExp }[] = [];
  for (const rule of rules) {
    if (!isPattern(rule)) {
      const name = `${rule.entity}/${rule.key}`;
      exact.set(name, [...(exact.get(name) ?? []), rule]);
      continue;
    }
    patterns.push({ rule, pattern: patternOf(rule) });
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

/** What the key of a rule matches; what `<name>` stands for is captured. */
export function patternOf({ key }: Pick<KeyRule, 'key'>): RegExp {
  const source = key
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/<[^>]+>/g, '(.+)')
    .replace(/\*$/, '.*');
  return new RegExp(`^${source}$`);
}

function isPattern(rule: Pick<KeyRule, 'key'>): boolean {
  return /[<*]/.test(rule.key);
}

/** Whether the target knows the key after all: a listed release, or a later one of the same series. */
function isKept(rule: KeyRule, targetVersion: string): boolean {
  const series = (version: string): string => version.split('.').slice(0, 2).join('.');
  return (rule.kept_by ?? []).some(
    (version) => series(version) === series(targetVersion) && compareVersions(targetVersion, version) >= 0,
  );
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
  const isKnown = knownKeys(rules);
  const accepts = acceptsVolatile(rules, targetVersion);
  return rows.filter((row) => {
    const kind = row.entity === 'device' && row.type === 'nic' ? `nic:${kinds(row)}` : row.type;
    const volatile = row.entity === 'instance' && row.key.startsWith('volatile.');
    const accepted = volatile && accepts(row.key);
    const rule = ruleFor(row, kind);
    // A pattern reaches further than it means to: `volatile.<device>.bus` is not `volatile.eth0.last_state.usb.bus`.
    if (rule !== undefined && !isKept(rule, targetVersion) && !(accepted && isPattern(rule)))
      return !applyRule(editor, row, rule);
    if (volatile && !accepted) {
      editor.deleteRow(row.table, row, 'volatile-unknown-to-target');
      return false;
    }
    if (rule === undefined && !row.key.startsWith('volatile.') && !isKnown(row)) {
      editor.deleteRow(row.table, row, 'unknown-to-both');
      editor.findings.push(keyUnknown(row));
      return false;
    }
    return true;
  });
}

/** Whether Incus knows the key of a row at all; of which type of object is for its validators to say. */
function knownKeys({ known_keys }: MigrationRules): (row: TypedRow) => boolean {
  const entities = new Map(
    Object.entries(known_keys).map(([entity, keys]) => [
      entity,
      {
        exact: new Set(keys),
        patterns: keys.filter((key) => isPattern({ key })).map((key) => patternOf({ key })),
      },
    ]),
  );
  return ({ entity, key }) => {
    const known = entities.get(entity);
    return known === undefined || known.exact.has(key) || known.patterns.some((pattern) => pattern.test(key));
  };
}

function keyUnknown({ object, key }: TypedRow): Finding {
  return {
    id: 'key-unknown',
    severity: 'loss',
    objects: [`${object}: ${key}`],
    what: 'Neither LXD 5.0 to 5.20 nor Incus knows these keys. Incus would refuse to start or change what has them.',
    action: 'They are dropped; their values stay in the LXD database that is kept.',
    answers: ['accept'],
  };
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
      if (effective.severity === 'loss') editor.findings.push(keyLost(rule, row.object));
      return true;
    case 'rename':
      renameOrGiveWay(editor, row, rule, rename(rule, row.key), transform(rule, value));
      return true;
    default:
      return unreachable(effective.action);
  }
}

export function keyLost(rule: KeyRule, object: string): Finding {
  return {
    id: `key-lost:${rule.key}`,
    severity: 'loss',
    objects: [object],
    what: `${rule.key} does not exist in Incus. ${rule.because}`,
    action: 'It is dropped; its value stays in the LXD database that is kept.',
    answers: ['accept'],
  };
}

/** Where the object has a row of the new name already, that one stays: the table holds a key once. */
function renameOrGiveWay(editor: Editor, row: TypedRow, rule: KeyRule, key: string, value: string): void {
  const present = sameOwner(editor, row, key);
  if (present === undefined) {
    editor.renameKey(row.table, row, key, value, rule.id);
    return;
  }
  editor.deleteRow(row.table, row, rule.id);
  if ((present.value ?? '') === value) return;
  editor.findings.push({
    id: `key-collision:${rule.key}`,
    severity: 'loss',
    objects: [row.object],
    what: `${row.key} is called ${key} in Incus, and that key is set as well, to another value.`,
    action: `The value of ${key} is kept, that of ${row.key} is dropped.`,
    answers: ['accept'],
  });
}

/** The row of another key that belongs to the same object (and, where rows belong to members, to the same member). */
function sameOwner(editor: Editor, row: TypedRow, key: string): { value: string | null } | undefined {
  const columns = (editor.db.pragma(`table_info("${row.table}")`) as { name: string }[])
    .map(({ name }) => name)
    .filter((name) => !['id', 'key', 'value'].includes(name));
  const same = columns.map((name) => ` AND other."${name}" IS own."${name}"`).join('');
  return editor.db
    .prepare(
      `SELECT other.value AS value FROM "${row.table}" own JOIN "${row.table}" other ON other.key = ?${same} WHERE own.id = ?`,
    )
    .get(key, row.id) as { value: string | null } | undefined;
}

function rename(rule: KeyRule, key: string): string {
  const to = rule.to ?? key;
  const names = patternOf(rule).exec(key)?.slice(1) ?? [];
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

function acceptsVolatile(rules: MigrationRules, targetVersion: string): (key: string) => boolean {
  const since = (entries: Readonly<Record<string, string>>): string[] =>
    Object.entries(entries).flatMap(([name, version]) =>
      compareVersions(targetVersion, version) >= 0 ? [name] : [],
    );
  const exact = new Set(since(rules.volatile.keys));
  const suffixes = since(rules.volatile.device_suffixes);
  return (key) => exact.has(key) || suffixes.some((suffix) => key.endsWith(suffix));
}

/**
 * What kind a network interface is: its own `nictype`, or the type of the managed network it names. That one belongs
 * to the project of the device, or to project default where the project has no networks of its own.
 */
function nicKinds(editor: Editor): (row: TypedRow) => string {
  const cache = new Map<string, string>();
  return (row) => {
    const owner = deviceOwners[row.table];
    if (owner === undefined) return 'bridged';
    const known = cache.get(`${row.table} ${row.object}`);
    if (known !== undefined) return known;
    const own = (key: string): string =>
      `(SELECT value FROM "${row.table}" WHERE "${owner.column}" = c."${owner.column}" AND key = '${key}')`;
    const found = editor.db
      .prepare(
        `SELECT ${own('nictype')} AS own,
                (SELECT n.type FROM networks n JOIN projects p ON p.id = n.project_id
                  WHERE n.name = ${own('network')} AND (n.project_id = ${owner.project} OR p.name = 'default')
                  ORDER BY n.project_id = ${owner.project} DESC LIMIT 1) AS network
           FROM "${row.table}" c JOIN ${owner.joins} WHERE c.id = ?`,
      )
      .get(row.id) as { own: string | null; network: number | null } | undefined;
    const kind =
      found?.own ?? ['bridged', 'macvlan', 'sriov', 'ovn', 'physical'][found?.network ?? 0] ?? 'bridged';
    cache.set(`${row.table} ${row.object}`, kind);
    return kind;
  };
}

const deviceOwners: Readonly<Record<string, { column: string; joins: string; project: string }>> = {
  profiles_devices_config: {
    column: 'profile_device_id',
    joins: 'profiles_devices d ON d.id = c.profile_device_id JOIN profiles f ON f.id = d.profile_id',
    project: 'f.project_id',
  },
  instances_devices_config: {
    column: 'instance_device_id',
    joins: 'instances_devices d ON d.id = c.instance_device_id JOIN instances i ON i.id = d.instance_id',
    project: 'i.project_id',
  },
  instances_snapshots_devices_config: {
    column: 'instance_snapshot_device_id',
    joins:
      'instances_snapshots_devices d ON d.id = c.instance_snapshot_device_id JOIN instances_snapshots s ON s.id = d.instance_snapshot_id JOIN instances i ON i.id = s.instance_id',
    project: 'i.project_id',
  },
};
