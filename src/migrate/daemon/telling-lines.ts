// The lines of a daemon's log that say why it failed, confidential values of its database veiled.
import Database from 'better-sqlite3';
import { systemErrorCode } from '../../core/failure.ts';
import { isConfidential, veil } from '../../core/secret.ts';
import { readConfigRows } from '../catalogue/config-tables.ts';
import { hasTable } from '../catalogue/schema-facts.ts';

/** The last ten; where some are more than chatter, of those. Nothing of an empty text. */
export function tellingLines(text: string, image: Buffer): string[] {
  if (text.trim() === '') return [];
  const values = confidentialValues(image);
  if (values === undefined)
    return ['(not shown: the database that says which of its words are confidential cannot be read)'];
  const lines = text.trimEnd().split('\n');
  const telling = lines.filter((line) => !/ level=(info|warning|debug)\b/.test(line));
  return (telling.length > 0 ? telling : lines)
    .slice(-10)
    .map((line) => values.reduce((shown, value) => shown.replaceAll(value, veil(value)), line));
}

/** The longest first; undefined where it is no database of a daemon, or a damaged one. */
function confidentialValues(image: Buffer): string[] | undefined {
  const db = new Database(image);
  try {
    if (!hasTable(db, 'schema')) return undefined;
    return readConfigRows(db)
      .filter(({ key, value }) => value !== null && value.length >= 4 && isConfidential(key, value))
      .map(({ value }) => value ?? '')
      .sort((a, b) => b.length - a.length);
  } catch (error) {
    if (systemErrorCode(error)?.startsWith('SQLITE_') !== true) throw error;
    return undefined;
  } finally {
    db.close();
  }
}
