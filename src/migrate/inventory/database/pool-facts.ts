// What of its pools a daemon mounts and attaches by itself: read from its database, kept in the steps that clear up after it.
import type { Database } from 'better-sqlite3';
import type { PoolFacts } from '../../model/pool-facts.ts';

export function poolFacts(db: Database): PoolFacts[] {
  const rows = db
    .prepare(
      `SELECT p.name AS name, p.driver AS driver,
         (SELECT c.value FROM storage_pools_config c WHERE c.storage_pool_id = p.id AND c.key = 'source' ORDER BY c.id LIMIT 1) AS source
       FROM storage_pools p ORDER BY p.name`,
    )
    .all() as { name: string; driver: string; source: string | null }[];
  return rows.map(({ name, driver, source }) => ({ name, driver, source: source ?? undefined }));
}

/** The same pools once their daemon's directory has another name. */
export function movedPools(pools: readonly PoolFacts[], from: string, to: string): PoolFacts[] {
  return pools.map(({ source, ...pool }) => ({
    ...pool,
    source: source?.startsWith(`${from}/`) === true ? `${to}${source.slice(from.length)}` : source,
  }));
}
