// Lists that the database holds as JSON: rules, ports, backends, zone entries.
import type { Entry } from '../model/inventory.ts';
import { compareText } from './order.ts';

/**
 * Reads such a list from a column (text, or a blob in LXD: networks_acls.ingress) or from an answer of the API. LXD writes
 * nothing where there is none, Incus `null` or `[]`: all three are an empty list. What is no list of objects is kept
 * under the name `unreadable`, so that it is seen and compared.
 */
export function entries(value: unknown): Entry[] {
  const text = Buffer.isBuffer(value) ? value.toString('utf8') : value;
  if (text === null || text === undefined || text === '') return [];
  let list: unknown = text;
  if (typeof text === 'string') {
    try {
      list = JSON.parse(text);
    } catch {
      return [{ unreadable: text }];
    }
  }
  if (list === null) return [];
  if (!Array.isArray(list)) return [{ unreadable: plain(list) }];
  return list.map((item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? fields(item)
      : { unreadable: plain(item) },
  );
}

function fields(item: object): Entry {
  return Object.fromEntries(
    Object.entries(item)
      .map(([key, value]: [string, unknown]) => [key, plain(value)] as const)
      .filter(([, value]) => value !== '')
      .sort(([a], [b]) => compareText(a, b)),
  );
}

function plain(value: unknown): string {
  // What Go leaves out when it is empty, and Incus 7 sometimes writes all the same (snat: false).
  if (value === null || value === undefined || value === 0 || value === false) return '';
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(plain).join(',');
  return JSON.stringify(value);
}
