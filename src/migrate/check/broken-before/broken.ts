// The findings of this family, and how objects are named in its queries.
import type { Database } from 'better-sqlite3';
import type { Finding } from '../../model/finding.ts';

interface Text {
  readonly objects: readonly string[];
  readonly what: string;
  readonly action: string;
}

/** Something that does not work in LXD either. None where there is no object. */
export function note(detail: string, { objects, ...text }: Text): Finding[] {
  if (objects.length === 0) return [];
  return [{ id: `broken-before:${detail}`, severity: 'note', objects, ...text }];
}

/** Something with which Incus would not come up, or could not be asked for what it has. */
export function blocker(detail: string, { objects, ...text }: Text): Finding[] {
  if (objects.length === 0) return [];
  return [{ id: `broken-before:${detail}`, severity: 'blocker', objects, ...text }];
}

/** The one column of a query. Each goes over whole tables: a server may have tens of thousands of rows. */
export function objects(db: Database, sql: string, ...values: readonly string[]): string[] {
  return (
    db
      .prepare(sql)
      .pluck()
      .all(...values) as unknown[]
  ).map(String);
}

/** SQL for names; the aliases are i and p, v, sp and p, f and p, … */
export const instanceName = "'instance ' || p.name || '/' || i.name";
export const profileName = "'profile ' || p.name || '/' || f.name";
export const volumeName =
  "CASE v.type WHEN 0 THEN 'container volume ' WHEN 1 THEN 'image volume ' WHEN 3 THEN 'virtual-machine volume ' ELSE 'volume ' END || sp.name || '/' || p.name || '/' || v.name";
export const volumeJoins =
  'JOIN storage_pools sp ON sp.id = v.storage_pool_id JOIN projects p ON p.id = v.project_id';
/** Type of the volume that stands behind an instance i. */
export const volumeType = 'CASE i.type WHEN 1 THEN 3 ELSE 0 END';

/**
 * SQL for the project whose objects a project uses: itself where it has the feature, else project default. As a table
 * `effective (project_id, owner_id)`, to begin a query with.
 */
export function effectiveProjects(feature: string): string {
  return `WITH effective AS (
    SELECT p.id AS project_id, CASE WHEN p.name = 'default' OR EXISTS (
      SELECT 1 FROM projects_config c WHERE c.project_id = p.id AND c.key = '${feature}' AND lower(c.value) IN ('true', '1', 'yes', 'on')
    ) THEN p.id ELSE d.id END AS owner_id
    FROM projects p JOIN projects d ON d.name = 'default')`;
}
