// Objects of projects that show those of project default instead: neither daemon ever shows them.
import type { Database } from 'better-sqlite3';
import { hasTable } from '../../catalogue/schema-facts.ts';
import type { Finding } from '../../model/finding.ts';
import { effectiveProjects, note, objects } from './broken.ts';

interface Kind {
  readonly feature: string;
  readonly table: string;
  readonly where?: string;
  readonly kind: string;
  readonly name?: string;
}

const kinds: readonly Kind[] = [
  { feature: 'features.profiles', table: 'profiles', kind: 'profile' },
  { feature: 'features.images', table: 'images', kind: 'image', name: 't.fingerprint' },
  { feature: 'features.networks', table: 'networks', kind: 'network' },
  { feature: 'features.networks', table: 'networks_acls', kind: 'network ACL' },
  { feature: 'features.storage.volumes', table: 'storage_volumes', where: 't.type = 2', kind: 'volume' },
  { feature: 'features.storage.buckets', table: 'storage_buckets', kind: 'storage bucket' },
];

export function checkHiddenRows(db: Database): Finding[] {
  return note('hidden', {
    objects: kinds.filter(({ table }) => hasTable(db, table)).flatMap((kind) => hidden(db, kind)),
    what: 'These are in a project that uses those of project default instead. Neither LXD nor Incus shows or uses them.',
    action:
      'Their rows are moved as they are. To see them again, the project needs the feature back (lxc project set).',
  });
}

function hidden(db: Database, { feature, table, where = '1', kind, name = 't.name' }: Kind): string[] {
  return objects(
    db,
    `${effectiveProjects(feature)} SELECT '${kind} ' || p.name || '/' || ${name} FROM "${table}" t
       JOIN projects p ON p.id = t.project_id JOIN effective e ON e.project_id = p.id
      WHERE e.owner_id <> p.id AND ${where} ORDER BY 1`,
  );
}
