// The containers of a server that run with ids of their own, and what its database says of their maps.
import type { Database } from 'better-sqlite3';
import { isTrue } from '../is-true.ts';
import { type IdMap, parseIdMap } from './id-map.ts';

export interface MappedContainer {
  /** `instance PROJECT/NAME`. */
  readonly object: string;
  readonly id: number;
  /** Whose the files on disk are (volatile.last_state.idmap); empty where they are nobody's but root's. */
  readonly disk: IdMap;
  /** What it runs with from its next start on (volatile.idmap.next). */
  readonly next: IdMap;
  readonly isolated: boolean;
  /** Values of security.idmap.base and .size, raw.idmap and volatile.idmap.base; '' where not set. */
  readonly base: string;
  readonly size: string;
  readonly raw: string;
  readonly volatileBase: string;
}

const keys = [
  'security.privileged',
  'security.idmap.isolated',
  'security.idmap.base',
  'security.idmap.size',
  'raw.idmap',
];
const volatileKeys = [
  'volatile.last_state.idmap',
  'volatile.idmap.next',
  'volatile.idmap.current',
  'volatile.idmap.base',
];

/** Every container that is not privileged; a map that cannot be read counts as none, as it does for nobody else. */
export function readMappedContainers(db: Database): MappedContainer[] {
  const list = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');
  const rows = (sql: string): unknown[][] => db.prepare<unknown[], unknown[]>(sql).raw().all();
  const config = new Map<number, Map<string, string>>();
  const fill = ([owner, key, value]: unknown[]): void => {
    const id = Number(owner);
    const own = config.get(id) ?? new Map<string, string>();
    own.set(textOf(key), textOf(value));
    config.set(id, own);
  };
  // A later profile wins over an earlier one, and the instance over all.
  for (const row of rows(
    `SELECT ip.instance_id, c.key, c.value FROM instances_profiles ip JOIN profiles_config c ON c.profile_id = ip.profile_id WHERE c.key IN (${list(keys)}) ORDER BY ip.instance_id, ip.apply_order, ip.id`,
  ))
    fill(row);
  for (const row of rows(
    `SELECT instance_id, key, value FROM instances_config WHERE key IN (${list([...keys, ...volatileKeys])})`,
  ))
    fill(row);
  return rows(
    "SELECT i.id, p.name || '/' || i.name FROM instances i JOIN projects p ON p.id = i.project_id WHERE i.type = 0 ORDER BY 2",
  ).flatMap(([number, name]) => {
    const id = Number(number);
    const value = (key: string): string => config.get(id)?.get(key) ?? '';
    if (isTrue(value('security.privileged'))) return [];
    const disk = parseIdMap(value('volatile.last_state.idmap')) ?? [];
    const set = ['volatile.idmap.next', 'volatile.idmap.current'].find((key) => config.get(id)?.has(key));
    return [
      {
        object: `instance ${textOf(name)}`,
        id,
        disk,
        next: set === undefined ? disk : (parseIdMap(value(set)) ?? disk),
        isolated: isTrue(value('security.idmap.isolated')),
        base: value('security.idmap.base'),
        size: value('security.idmap.size'),
        raw: value('raw.idmap'),
        volatileBase: value('volatile.idmap.base'),
      },
    ];
  });
}

/** SQLite keeps what it was given, whatever the column says. */
function textOf(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  return Buffer.isBuffer(cell) ? cell.toString('utf8') : String(cell);
}
