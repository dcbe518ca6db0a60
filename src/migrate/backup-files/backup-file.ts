// What a daemon writes into an instance's backup.yaml, put together from what its API says.
import { isDeepStrictEqual } from 'node:util';
import { parse, stringify } from 'yaml';
import { type Fields, rawOf, textOf } from '../daemon/fields.ts';
import { lastPart } from '../inventory/api/objects.ts';

/** What the API says of an instance and of what belongs to it. */
export interface BackupParts {
  readonly instance: Fields;
  readonly pool: Fields;
  readonly profiles: readonly Fields[];
  readonly volume: Fields;
  /** Of the instance, in the order in which the daemon names them; none where it has none. */
  readonly snapshots: readonly Fields[];
  readonly volumeSnapshots: readonly Fields[];
}

/**
 * As both daemons make it (storage/backend.go, GenerateInstanceBackupConfig): the objects of the API, but without what uses
 * them. Lists that are empty are left out (backup/config/backup_config.go).
 */
export function backupContent({
  instance,
  pool,
  profiles,
  volume,
  snapshots,
  volumeSnapshots,
}: BackupParts): object {
  const content = {
    container: instance.values,
    pool: unused(pool),
    profiles: profiles.map(unused),
    volume: unused(volume),
  };
  if (snapshots.length === 0) return content;
  return {
    ...content,
    snapshots: snapshots.map(({ values }) => values),
    volume_snapshots: volumeSnapshots.map((from) => ofVolume(from, volume)),
  };
}

/** In the list of snapshots the daemons leave out what is that of the volume, and the moment that means never. */
function ofVolume(from: Fields, volume: Fields): object {
  return {
    ...from.values,
    name: lastPart(textOf(from, 'name')),
    content_type: textOf(volume, 'content_type'),
    expires_at: rawOf(from, 'expires_at') ?? never,
  };
}

/** Go's zero time. */
const never = '0001-01-01T00:00:00Z';

function unused({ values }: Fields): object {
  return { ...values, used_by: [] };
}

/** undefined where it holds what a YAML reader does not take. */
export function backupText(content: object): string | undefined {
  const text = stringify(content, {
    // Incus reads it as YAML 1.1: `yes` as a text is put into quotes.
    version: '1.1',
    aliasDuplicateObjects: false,
    lineWidth: 0,
    blockQuote: false,
    indentSeq: false,
  });
  return printable.test(text) && keysAreShort(content) ? text : undefined;
}

/** Go's reader refuses every other character (yamlprivateh.go, is_printable). */
const printable = /^[\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]*$/u;
/** A key may have 1,024 characters (YAML 1.1, 7.3.3), some of which escaping takes. */
const longestKey = 500;

function keysAreShort(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, item]) => key.length <= longestKey && keysAreShort(item));
}

/** Whether a file that the daemon has just written holds this. */
export function isContentOf(text: string, content: object): boolean {
  try {
    // Timestamps stay text, as they are in the API's answers.
    return isDeepStrictEqual(parse(text, { version: '1.2', logLevel: 'silent' }), content);
  } catch {
    return false;
  }
}

/**
 * Whether a file that was written when the instance started is still right: apart from what a start changes, it holds
 * this.
 */
export function isStillRight(text: string, content: object): boolean {
  try {
    const written: unknown = parse(text, { version: '1.2', logLevel: 'silent' });
    return isDeepStrictEqual(withoutState(written), withoutState(content));
  } catch {
    return false;
  }
}

const ofAStart = new Set(['status', 'status_code', 'last_used_at']);

function withoutState(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutState);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => !ofAStart.has(key) && !key.startsWith('volatile.'));
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutState(item)]));
}
