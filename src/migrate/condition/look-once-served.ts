// Looks how a server is that has just been started: some addresses take it a while.
import type { Host } from '../../core/host.ts';
import type { DaemonClient } from '../daemon/client.ts';
import type { Condition } from '../model/condition.ts';
import type { Inventory } from '../model/inventory.ts';
import { askStates, type Looked, lookAtServer, type States } from './look-at-server.ts';

/** An address on a bridge that the daemon itself makes is tried once more after 30 s (endpoints.go of both projects). */
const servedWithinMs = 45_000;

/**
 * Waits for addresses that nobody holds, apart from those that were not served before either; one that another program
 * holds does not come.
 * @param asked what the daemon has just said, where that is known
 */
export async function lookOnceServed(
  host: Host,
  client: DaemonClient,
  looked: Looked,
  inventory: Pick<Inventory, 'pools' | 'networks' | 'images' | 'server'>,
  before: Condition | undefined,
  asked?: States,
): Promise<Condition> {
  const unserved = new Set(
    before?.asked === true
      ? before.addresses.filter(({ holder }) => holder !== 'daemon').map(({ key }) => key)
      : [],
  );
  const end = host.clock() + servedWithinMs;
  for (let states = asked; ; states = undefined) {
    const now = lookAtServer(host, looked, inventory, states ?? (await askStates(client)));
    const comes = now.addresses.some(({ key, holder }) => holder === 'nobody' && !unserved.has(key));
    if (!comes || host.clock() > end) return now;
    await host.sleep(500);
  }
}
