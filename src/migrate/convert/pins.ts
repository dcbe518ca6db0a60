// Writes down defaults that differ between the two daemons, so that networks go on as they were.

import { hasTable } from '../catalogue/schema-facts.ts';
import { compareVersions } from '../model/compare-versions.ts';
import type { MigrationRules, PinRule } from '../rules/migration-rules.ts';
import type { Editor } from './editor.ts';

const networkTypes = ['bridge', 'macvlan', 'sriov', 'ovn', 'physical'];

/** @param fromHost values that only the host knows: `<network>/<key>` → value */
export function pinDefaults(
  editor: Editor,
  rules: MigrationRules,
  targetVersion: string,
  fromHost: ReadonlyMap<string, string>,
): void {
  for (const pin of rules.pins) {
    if (pin.since !== undefined && compareVersions(targetVersion, pin.since) < 0) continue;
    if (pin.until !== undefined && compareVersions(targetVersion, pin.until) >= 0) continue;
    if (pin.server_key !== undefined) pinServer(editor, pin, pin.server_key);
    else pinNetworks(editor, pin, fromHost);
  }
}

function pinServer(editor: Editor, pin: PinRule, key: string): void {
  if (
    pin.value === undefined ||
    editor.db.prepare('SELECT 1 FROM config WHERE key = ?').get(key) !== undefined
  )
    return;
  if (!hasTable(editor.db, 'networks') || editor.db.prepare('SELECT 1 FROM networks').get() === undefined)
    return;
  editor.addRow('config', undefined, 'server', key, pin.value, `pin:${key}`);
}

function pinNetworks(editor: Editor, pin: PinRule, fromHost: ReadonlyMap<string, string>): void {
  const { key } = pin;
  if (key === undefined || !hasTable(editor.db, 'networks')) return;
  const networks = editor.db
    .prepare(
      `SELECT n.id AS id, n.name AS name, n.type AS type, p.name AS project FROM networks n JOIN projects p ON p.id = n.project_id
        WHERE NOT EXISTS (SELECT 1 FROM networks_config c WHERE c.network_id = n.id AND c.key = ? AND coalesce(c.value, '') <> '') ORDER BY n.id`,
    )
    .all(key) as { id: number; name: string; type: number; project: string }[];
  for (const { id, name, type, project } of networks) {
    if (pin.network_types?.includes(networkTypes[type] ?? '') !== true) continue;
    const object = `network ${project}/${name}`;
    const value = pin.from_host === true ? fromHost.get(`${name}/${key}`) : pin.value;
    if (value === undefined) {
      editor.findings.push({
        id: `pin-unknown:${key}`,
        severity: 'note',
        objects: [object],
        what: `${key} is not set, and no network interface of this machine shows its present value: the network is not up here, or only a copy of the database is. ${pin.because}`,
        action: `Nothing is written. To keep the value, set ${key} in LXD before the move, or plan while LXD runs.`,
      });
      continue;
    }
    // A row with an empty value would make the insert collide.
    const empty = editor.db
      .prepare(
        "SELECT id, key, value FROM networks_config WHERE network_id = ? AND key = ? AND coalesce(value, '') = ''",
      )
      .get(id, key) as { id: number; key: string; value: string | null } | undefined;
    if (empty !== undefined) editor.setValue('networks_config', { ...empty, object }, value, `pin:${key}`);
    else editor.addRow('networks_config', { column: 'network_id', id }, object, key, value, `pin:${key}`);
  }
}
