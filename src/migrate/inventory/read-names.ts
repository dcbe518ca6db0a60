// Names of the objects that other rows point at by number.
import { names, number, type Tables } from './rows.ts';

export interface ObjectNames {
  readonly project: (id: unknown) => string;
  /** Empty for a row that belongs to no member. */
  readonly member: (id: unknown) => string;
  readonly pool: (id: unknown) => string;
  readonly members: readonly string[];
}

export function readNames(tables: Tables): ObjectNames {
  const members = names(tables, 'nodes');
  return {
    project: lookUp(names(tables, 'projects')),
    member: lookUp(members),
    pool: lookUp(names(tables, 'storage_pools')),
    members: [...members.values()],
  };
}

function lookUp(map: ReadonlyMap<number, string>): (id: unknown) => string {
  return (id) => (id === null || id === undefined ? '' : (map.get(number(id)) ?? `#${number(id)}`));
}
