// An LXD or Incus as it was found on the host.
import type { Argv } from '../../core/run.ts';

/** How daemons are started and stopped here. */
export type Service =
  | {
      readonly kind: 'systemd';
      /** Names of the units that exist, in the order in which they are stopped. */
      readonly units: readonly string[];
      readonly start: readonly string[];
    }
  | { readonly kind: 'commands'; readonly start: readonly Argv[]; readonly stop: readonly Argv[] }
  | {
      readonly kind: 'none';
      /** What systemctl says where it answers questions and no systemd runs that could start the units. */
      readonly offline?: string;
    };

export interface Installation {
  readonly role: 'source' | 'target';
  /** Name of the kind of installation; --source and --target take it. */
  readonly name: string;
  /** Why it is believed to be there; printed. */
  readonly evidence: readonly string[];
  readonly dataDirectory: string;
  /** Sockets to try, in this order. */
  readonly sockets: readonly string[];
  readonly runtimeDirectory: string | undefined;
  readonly service: Service;
  /** The daemon's program; for a source whose package is removed, where it was. */
  readonly program: string | undefined;
}

/** An installation before anybody was asked how it is started: found by looking at files alone. */
export interface FoundInstallation extends Omit<Installation, 'service'> {
  /** Names of systemd units that start it, in the order in which they are stopped; empty where none can. */
  readonly units: readonly string[];
  readonly startUnits: readonly string[];
}
