// Looks how a server is that has just been started: some addresses take it a while.
import type { Host } from '../../core/host.ts';
import type { DaemonClient } from '../daemon/client.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { Condition } from './condition.ts';
import { askStates, type Looked, lookAtServer } from './look-at-server.ts';

/** An address on a bridge that the daemon itself makes is tried once more after 30 s (endpoints.go of both projects). */
const servedWithinMs = 45_000;

/**
 * Waits for addresses that nobody holds, apart from those that were not served before either; one that another program
 * holds does not come.
 */
export async function lookOnceServed(
  host: Host,
  client: DaemonClient,
  looked: Looked,
  inventory: Pick<Inventory, 'pools' | 'networks' | 'images' | 'server'>,
  before: Condition | undefined,
): Promise<Condition> {
  const unserved = new Set(
    before?.asked === true
      ? before.addresses.filter(({ holder }) => holder !== 'daemon').map(({ key }) => key)
      : [],
  );
  const end = host.clock() + servedWithinMs;
  for (;;) {
    const now = lookAtServer(host, looked, inventory, await askStates(client));
    const comes = now.addresses.some(({ key, holder }) => holder === 'nobody' && !unserved.has(key));
    if (!comes || host.clock() > end) return now;
    await host.sleep(500);
  }
}
