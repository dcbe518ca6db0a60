// On which of its sockets a daemon answers.
import type { Host } from '../../core/host.ts';
import type { DaemonRef } from '../model/step.ts';
import { daemonClient } from './client.ts';

/** The socket on which the daemon of an installation answers now; undefined when none does. */
export async function answeringSocket(host: Host, daemon: DaemonRef): Promise<string | undefined> {
  for (const socket of daemon.sockets) {
    // Asking a socket that only a service manager holds would start the daemon.
    if (host.listener(socket) !== undefined && (await daemonClient(host, socket).isAnswering()))
      return socket;
  }
  return undefined;
}
