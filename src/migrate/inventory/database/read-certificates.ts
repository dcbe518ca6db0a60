// Trusted certificates, from the tables of the database: rows of their own, and in LXD 5.21 and later one kind of identity.

import { certificateIdentity, certificateTypeName } from '../../catalogue/codes.ts';
import type { Certificate, OtherTable } from '../../model/inventory.ts';
import { sortBy } from '../order.ts';
import type { ObjectNames } from './read-names.ts';
import { flag, groupBy, number, type Row, type Tables, text } from './rows.ts';

export interface Certificates {
  readonly certificates: readonly Certificate[];
  /** Rows for users and tokens, of which the API shows no certificate; empty where all are certificates. */
  readonly otherIdentities: readonly OtherTable[];
}

export function readCertificates(tables: Tables, objects: ObjectNames): Certificates {
  // LXD 6.9 has a table of the same name for the certificates of identities, without what is said of them.
  if (tables.has('certificates', 'restricted') || !tables.has('identities'))
    return { certificates: readOwnRows(tables, objects), otherIdentities: [] };
  return readIdentities(tables, objects);
}

function readOwnRows(tables: Tables, objects: ObjectNames): Certificate[] {
  const projects = readProjectLinks(tables, 'certificates_projects', 'certificate_id', objects);
  const list = tables
    .rows('certificates', ['id', 'fingerprint', 'type', 'name', 'restricted', 'description'])
    .map(
      (row): Certificate => ({
        fingerprint: text(row['fingerprint']),
        name: text(row['name']),
        type: certificateTypeName(number(row['type'])),
        restricted: flag(row['restricted']),
        description: row['description'] === undefined ? undefined : text(row['description']),
        projects: projects(row),
      }),
    );
  return sortBy(list, ({ fingerprint }) => fingerprint);
}

/** As ToCertificate in db/cluster/identities.go makes certificates of them; the identifier is the fingerprint. */
function readIdentities(tables: Tables, objects: ObjectNames): Certificates {
  const projects = readProjectLinks(tables, 'identities_projects', 'identity_id', objects);
  // The certificates themselves and whose they are: neither is part of an inventory.
  for (const table of ['certificates', 'identities_certificates']) tables.rows(table, []);
  const rows = tables.rows('identities', ['id', 'type', 'identifier', 'name']);
  const list = rows.flatMap((row): Certificate[] => {
    const kind = certificateIdentity(number(row['type']));
    if (kind === undefined) return [];
    const own = { fingerprint: text(row['identifier']), name: text(row['name']), projects: projects(row) };
    return [{ ...own, ...kind, description: undefined }];
  });
  const others = rows.length - list.length;
  return {
    certificates: sortBy(list, ({ fingerprint }) => fingerprint),
    otherIdentities: others === 0 ? [] : [{ table: 'identities', rows: others }],
  };
}

function readProjectLinks(
  tables: Tables,
  table: string,
  owner: string,
  { project }: ObjectNames,
): (row: Row) => string[] {
  const links = groupBy(tables.rows(table, [owner, 'project_id']), owner);
  return (row) => (links.get(number(row['id'])) ?? []).map((link) => project(link['project_id'])).sort();
}
