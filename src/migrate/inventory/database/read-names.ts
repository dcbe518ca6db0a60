// Names of the objects that other rows point at by number.
import { isTrue } from '../../is-true.ts';
import { configs, names, number, type Tables, text } from './rows.ts';

export interface ObjectNames {
  /** `default` where the table has no column for projects yet: what it holds belonged to that one when it got the column. */
  readonly project: (id: unknown) => string;
  /**
   * Whether a project shows objects of its own. One without the feature shows those of project default, and rows that it has
   * all the same are seen by nobody (project/project.go, ImageProject and its like).
   */
  readonly showsOwn: (feature: string) => (project: unknown) => boolean;
  /** Empty for a row that belongs to no member. */
  readonly member: (id: unknown) => string;
  readonly pool: (id: unknown) => string;
  /** Then what belongs to one member is kept apart, even where there is only one. */
  readonly clustered: boolean;
}

export function readNames(tables: Tables): ObjectNames {
  const members = names(tables, 'nodes');
  const lookUpProject = lookUp(names(tables, 'projects'));
  const project = (id: unknown): string => (id === undefined ? 'default' : lookUpProject(id));
  const features = configs(tables, 'projects_config', 'project_id');
  return {
    project,
    showsOwn: (feature) => (id) => project(id) === 'default' || isTrue(features(id)[feature]),
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
