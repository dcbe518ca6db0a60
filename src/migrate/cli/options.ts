// The options of the command line, as the commands get them.
import { resolve } from 'node:path';
import { ownCommand } from '../../core/program-name.ts';
import type { Answers } from '../check/index.ts';
import type { DetectOptions } from '../detect/index.ts';
import { readServicesFile } from '../detect/services-file.ts';
import { migrateFailure } from '../problem.ts';

export interface CommonOptions {
  readonly lxdDir?: string;
  readonly incusDir?: string;
  readonly source?: string;
  readonly target?: string;
  readonly services?: string;
  readonly incusd?: string;
  readonly state: string;
  readonly accept?: string;
  readonly fix?: boolean;
  readonly report?: string;
  readonly showValues?: boolean;
  readonly clusterMember?: boolean;
  readonly ignoreVersionCheck?: boolean;
}

export function detectOptions(options: CommonOptions): DetectOptions {
  return {
    lxdDir: options.lxdDir,
    incusDir: options.incusDir,
    source: options.source,
    target: options.target,
    incusd: options.incusd,
    services: options.services === undefined ? undefined : readServicesFile(options.services),
  };
}

export function answersOf(options: CommonOptions): Answers {
  const accept = new Set(
    (options.accept ?? '')
      .split(',')
      .map((id) => id.trim())
      .filter((id) => id !== ''),
  );
  return { accept, fix: options.fix === true };
}

/** The tool's own folder, unless told. */
export const usualState = '/var/lib/lxd-to-incus';

export function stateFolder(options: CommonOptions): string {
  return resolve(options.state);
}

/** Options of upstream's tool, recognised so that a script written for it gets an answer and not a surprise. */
export function refuseUpstreamOptions(options: CommonOptions): void {
  if (options.clusterMember === true) {
    throw migrateFailure({
      code: 'bad-option',
      option: '--cluster-member',
      why: "is an option of upstream's tool. Clusters are not moved by this version.",
    });
  }
  if (options.ignoreVersionCheck === true) {
    throw migrateFailure({
      code: 'bad-option',
      option: '--ignore-version-check',
      why: `is an option of upstream's tool. Here the database's schema and what it uses decide, never the version; "${ownCommand('plan')}" shows what stands in the way.`,
    });
  }
}
