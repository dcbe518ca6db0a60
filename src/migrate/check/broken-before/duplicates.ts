// What may be there only once and is there twice: identities of instances, hardware and IP addresses, names but for their case.
import type { Database } from 'better-sqlite3';
import type { Finding } from '../finding.ts';
import { instanceName, note } from './broken.ts';

const joins = 'JOIN projects p ON p.id = i.project_id';

export function checkDuplicates(db: Database): Finding[] {
  return [
    ...note('same-uuid', {
      objects: groups(
        db,
        `SELECT c.value AS shared, ${instanceName} AS object FROM instances_config c JOIN instances i ON i.id = c.instance_id ${joins}
          WHERE c.key = 'volatile.uuid' AND c.value <> ''`,
      ),
      what: 'These instances have one UUID between them (volatile.uuid), as copies made by hand have. Guests see it as that of their machine, and OVN names ports by it.',
      action:
        'They are moved as they are: Incus keeps the UUID too. Unset volatile.uuid of the copy while it is stopped.',
    }),
    ...note('same-mac', {
      objects: groups(
        db,
        `SELECT lower(c.value) AS shared, ${instanceName} AS object FROM instances_config c JOIN instances i ON i.id = c.instance_id ${joins}
          WHERE c.key GLOB 'volatile.*.hwaddr' AND c.value <> ''
         UNION SELECT lower(c.value), ${instanceName} FROM instances_devices_config c
           JOIN instances_devices d ON d.id = c.instance_device_id JOIN instances i ON i.id = d.instance_id ${joins}
          WHERE c.key = 'hwaddr' AND c.value <> '' AND d.type = 1`,
      ),
      what: 'These instances have one hardware address between them. Only one of them could run on a network in LXD, and so it is in Incus.',
      action: 'They are moved as they are. Give one of them another hwaddr.',
    }),
    ...note('same-address', {
      objects: addresses(db),
      what: 'These instances are given one and the same address on a network. Only one of them could be started in LXD, and so it is in Incus.',
      action: 'They are moved as they are. Give one of them another address.',
    }),
    ...note('same-name-but-case', {
      objects: groups(
        db,
        `SELECT p.name || '/' || lower(i.name) AS shared, ${instanceName} AS object FROM instances i ${joins}`,
      ),
      what: 'The names of these instances differ in capital letters only. In the DNS of a bridge they are one name.',
      action: 'They are moved as they are. Rename one of them.',
    }),
  ];
}

function addresses(db: Database): string[] {
  return ['ipv4.address', 'ipv6.address'].flatMap((key) =>
    groups(
      db,
      `SELECT n.value || ' ' || lower(c.value) AS shared, ${instanceName} AS object FROM instances_devices_config c
         JOIN instances_devices_config n ON n.instance_device_id = c.instance_device_id AND n.key IN ('network', 'parent') AND n.value <> ''
         JOIN instances_devices d ON d.id = c.instance_device_id JOIN instances i ON i.id = d.instance_id ${joins}
        WHERE c.key = '${key}' AND c.value NOT IN ('', 'none') AND d.type = 1`,
    ),
  );
}

/** One line for each value that several objects share. */
function groups(db: Database, sql: string): string[] {
  const rows = db
    .prepare(
      `WITH uses AS (${sql}), several AS (SELECT shared FROM uses GROUP BY shared HAVING count(*) > 1)
       SELECT u.shared AS shared, u.object AS object FROM uses u JOIN several s ON s.shared = u.shared ORDER BY u.shared, u.object`,
    )
    .all() as { shared: string; object: string }[];
  const byValue = Map.groupBy(rows, ({ shared }) => shared);
  return [...byValue].map(([shared, list]) => `${list.map(({ object }) => object).join(' and ')}: ${shared}`);
}
