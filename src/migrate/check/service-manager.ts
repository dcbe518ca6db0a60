// The finding about a service manager that answers questions and cannot act.

import type { Finding } from '../model/finding.ts';
import type { Installation } from '../model/installation.ts';

/** @param said systemctl's own words */
export function serviceManagerOffline({ dataDirectory }: Installation, said: string): Finding {
  return {
    id: 'service-manager-offline',
    severity: 'blocker',
    objects: [dataDirectory],
    what: `systemctl reads unit files here, but no systemd runs that could stop or start anything. It says: "${said.split('\n').join(' ')}".`,
    action:
      'Run it where systemd runs, or say with --services FILE how both daemons are started and stopped.',
  };
}
