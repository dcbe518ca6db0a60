// Names of the objects that other rows point at by number.
import { names, number, type Tables, text } from './rows.ts';

export interface ObjectNames {
  readonly project: (id: unknown) => string;
  /** Empty for a row that belongs to no member. */
  readonly member: (id: unknown) => string;
  readonly pool: (id: unknown) => string;
  /** Then what belongs to one member is kept apart, even where there is only one. */
  readonly clustered: boolean;
}

export function readNames(tables: Tables): ObjectNames {
  const members = names(tables, 'nodes');
  return {
    project: lookUp(names(tables, 'projects')),
    member: lookUp(members),
    pool: lookUp(names(tables, 'storage_pools')),
    clustered: isClustered(tables),
  };
}

/** The one row of a server that is not clustered has the address 0.0.0.0 (db/cluster/open.go, EnsureSchema). */
function isClustered(tables: Tables): boolean {
  const addresses = tables.rows('nodes', ['address']).map((row) => text(row['address']));
  return addresses.length > 1 || addresses.some((address) => address !== '0.0.0.0');
}

function lookUp(map: ReadonlyMap<number, string>): (id: unknown) => string {
  return (id) => (id === null || id === undefined ? '' : (map.get(number(id)) ?? `#${number(id)}`));
}
