// Writes which instances incusd shall start by itself, so that exactly what ran runs again.
import type { Database } from 'better-sqlite3';
import type { TypedRow } from '../catalogue/config-tables.ts';
import { isTrue } from '../is-true.ts';
import type { Held, PowerRecord } from '../model/power.ts';
import type { Editor } from './editor.ts';

interface InstanceRow {
  readonly id: number;
  readonly name: string;
  readonly project: string;
}

/**
 * incusd starts an instance when its effective boot.autostart is true, or is unset and its last state is RUNNING
 * (incusd instances.go, instanceShouldAutoStart). So: RUNNING for what ran, STOPPED for the rest, and
 * boot.autostart=false, held until the switch is done, for what would start although it did not run.
 */
export function writePower(editor: Editor, rows: readonly TypedRow[], power: PowerRecord): Held[] {
  const instances = editor.db
    .prepare(
      'SELECT i.id AS id, i.name AS name, p.name AS project FROM instances i JOIN projects p ON p.id = i.project_id ORDER BY i.id',
    )
    .all() as InstanceRow[];
  const own = new Map(
    rows.filter((row) => row.table === 'instances_config').map((row) => [`${row.object} ${row.key}`, row]),
  );
  const fromProfiles = profileAutostart(editor.db);
  return instances.flatMap((instance) => {
    const name = `${instance.project}/${instance.name}`;
    const object = `instance ${name}`;
    const ran = power.running.has(name) || power.frozen.has(name);
    write(
      editor,
      instance.id,
      object,
      own.get(`${object} volatile.last_state.power`),
      'volatile.last_state.power',
      ran ? 'RUNNING' : 'STOPPED',
      'power-as-found',
    );
    const ownAutostart = own.get(`${object} boot.autostart`);
    // NULL reads as empty, and even an empty value of its own hides that of the profiles.
    const effective =
      ownAutostart === undefined ? (fromProfiles.get(instance.id) ?? '') : (ownAutostart.value ?? '');
    if (ran || !isTrue(effective)) return [];
    write(editor, instance.id, object, ownAutostart, 'boot.autostart', 'false', 'autostart-held');
    return [{ project: instance.project, name: instance.name, autostart: ownAutostart?.value ?? null }];
  });
}

function write(
  editor: Editor,
  id: number,
  object: string,
  row: TypedRow | undefined,
  key: string,
  value: string,
  rule: string,
): void {
  if (row === undefined) {
    if (key === 'volatile.last_state.power' && value === 'STOPPED') return;
    editor.addRow('instances_config', { column: 'instance_id', id }, object, key, value, rule);
  } else if (row.value !== value) {
    editor.setValue('instances_config', row, value, rule);
  }
}

/**
 * What the source's daemon would start by itself, by the same rule: for a server whose daemon and instances are
 * stopped when the migration begins. Instances as `project/name`.
 */
export function startedByItself(db: Database): string[] {
  const fromProfiles = profileAutostart(db);
  const rows = db
    .prepare(
      `SELECT i.id AS id, p.name || '/' || i.name AS name,
              (SELECT coalesce(value, '') FROM instances_config WHERE instance_id = i.id AND key = 'boot.autostart') AS autostart,
              (SELECT value FROM instances_config WHERE instance_id = i.id AND key = 'volatile.last_state.power') AS power
         FROM instances i JOIN projects p ON p.id = i.project_id ORDER BY i.id`,
    )
    .all() as { id: number; name: string; autostart: string | null; power: string | null }[];
  return rows
    .filter(({ id, autostart, power }) => {
      const effective = autostart ?? fromProfiles.get(id) ?? '';
      return isTrue(effective) || (effective === '' && power === 'RUNNING');
    })
    .map(({ name }) => name);
}

/** boot.autostart of each instance from its profiles; the last profile wins. */
function profileAutostart(db: Database): Map<number, string> {
  const rows = db
    .prepare(
      `SELECT ip.instance_id AS instance, c.value AS value FROM instances_profiles ip JOIN profiles_config c ON c.profile_id = ip.profile_id
        WHERE c.key = 'boot.autostart' ORDER BY ip.instance_id, ip.apply_order`,
    )
    .all() as { instance: number; value: string | null }[];
  return new Map(rows.map(({ instance, value }) => [instance, value ?? '']));
}
