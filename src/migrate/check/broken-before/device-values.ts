// What is set on the devices of instances and of profiles, read once.
import type { Database } from 'better-sqlite3';

/** By device (`i` or `p`, and the number of its row) and key; empty values are none. */
export function deviceValues(
  db: Database,
  keys: readonly string[],
): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const wanted = `coalesce(value, '') <> '' AND key IN (${keys.map(() => '?').join(', ')})`;
  const rows = db
    .prepare<string[], [string, string, unknown]>(
      `SELECT 'i' || instance_device_id, key, value FROM instances_devices_config WHERE ${wanted}
       UNION ALL SELECT 'p' || profile_device_id, key, value FROM profiles_devices_config WHERE ${wanted}`,
    )
    .raw()
    .all(...keys, ...keys);
  const byDevice = new Map<string, Map<string, string>>();
  for (const [device, key, value] of rows) {
    const own = byDevice.get(device) ?? new Map<string, string>();
    own.set(key, String(value));
    byDevice.set(device, own);
  }
  return byDevice;
}
