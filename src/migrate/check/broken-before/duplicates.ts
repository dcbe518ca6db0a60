// What may be there only once and is there twice: identities of instances, hardware and IP addresses, names but for their case.
import { isIPv6, SocketAddress } from 'node:net';
import type { Database } from 'better-sqlite3';
import type { Finding } from '../../model/finding.ts';
import { instanceName, note } from './broken.ts';
import { type ExpandedNic, expandedNics } from './expanded-nics.ts';

interface Use {
  /** What must be one's own. */
  readonly shared: string;
  readonly object: string;
  /** How it is shown; `shared` itself where that is not said. */
  readonly shown?: string;
}

export function checkDuplicates(db: Database): Finding[] {
  const nics = expandedNics(db);
  return [
    ...note('same-uuid', {
      objects: groups(
        uses(
          db,
          `SELECT c.value, ${instanceName} FROM instances_config c JOIN instances i ON i.id = c.instance_id ${joins}
            WHERE c.key = 'volatile.uuid' AND c.value <> ''`,
        ),
      ),
      what: 'These instances have one UUID between them (volatile.uuid), as copies made by hand have. Guests see it as that of their machine, and OVN names ports by it.',
      action:
        'They are moved as they are: Incus keeps the UUID too. Unset volatile.uuid of the copy while it is stopped.',
    }),
    ...note('same-mac', {
      objects: groups(
        nics.filter(({ mac }) => mac !== '').map(({ mac, object }) => ({ shared: mac, object })),
      ),
      what: 'These devices have one hardware address between them, of their own or from a profile. Only one of them could run on a network in LXD, and so it is in Incus.',
      action: 'They are moved as they are. Give one of them another hwaddr.',
    }),
    ...note('same-address', {
      objects: groups(nics.flatMap(addressUses)),
      what: 'These devices are given one and the same address on a network, of their own or from a profile. Only one of them could be started in LXD, and so it is in Incus.',
      action: 'They are moved as they are. Give one of them another address.',
    }),
    ...note('same-name-but-case', {
      objects: groups(
        uses(db, `SELECT p.name || '/' || lower(i.name), ${instanceName} FROM instances i ${joins}`),
      ),
      what: 'The names of these instances differ in capital letters only. In the DNS of a bridge they are one name.',
      action: 'They are moved as they are. Rename one of them.',
    }),
  ];
}

const joins = 'JOIN projects p ON p.id = i.project_id';

function uses(db: Database, sql: string): Use[] {
  return db
    .prepare<[], [unknown, unknown]>(sql)
    .raw()
    .all()
    .map(([shared, object]) => ({ shared: String(shared), object: String(object) }));
}

function addressUses({ network, networkProject, addresses, object }: ExpandedNic): Use[] {
  if (network === '') return [];
  return addresses.map((address) => {
    const one = canonical(address);
    return { shared: `${networkProject} ${network} ${one}`, object, shown: `${network} ${one}` };
  });
}

/** IPv6 has many spellings of one address. */
function canonical(address: string): string {
  return isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : address;
}

/** One line for each value that several objects share, in the order of values and of objects. */
function groups(list: readonly Use[]): string[] {
  const shared = [...Map.groupBy(list, (one) => one.shared)].filter(([, several]) => several.length > 1);
  return shared
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([value, several]) => {
      const names = several.map(({ object }) => object).toSorted();
      return `${names.join(' and ')}: ${several[0]?.shown ?? value}`;
    });
}
