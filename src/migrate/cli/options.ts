// The options of the command line, as the commands get them.
import { resolve } from 'node:path';
import type { Output } from '../../core/output.ts';
import { ownCommand } from '../../core/program-name.ts';
import type { DetectOptions } from '../detect/index.ts';
import { readServicesFile, type Services } from '../detect/services-file.ts';
import type { Answers } from '../model/finding.ts';
import { migrateFailure } from '../problem.ts';
import { type AllOptions, usualStopTimeout } from './command-options.ts';

/** Of upstream's tool. */
export interface UpstreamOptions {
  readonly clusterMember?: boolean;
  readonly ignoreVersionCheck?: boolean;
}

/** Which installations a command is about; it may offer less than all of them. */
export type WhereOptions = Pick<
  AllOptions,
  'lxdDir' | 'incusDir' | 'source' | 'target' | 'services' | 'incusd'
>;

export function detectOptions(options: WhereOptions): DetectOptions {
  return {
    lxdDir: options.lxdDir,
    incusDir: options.incusDir,
    source: options.source,
    target: options.target,
    incusd: options.incusd,
    services: servicesOf(options),
  };
}

/** @throws {Failure<MigrateProblem>} bad-file */
export function servicesOf({ services }: Pick<AllOptions, 'services'>): Services | undefined {
  return services === undefined ? undefined : readServicesFile(services);
}

export function answersOf({ accept, fix }: Pick<AllOptions, 'accept' | 'fix'>): Answers {
  const ids = new Set(
    (accept ?? '')
      .split(',')
      .map((id) => id.trim())
      .filter((id) => id !== ''),
  );
  return { accept: ids, fix: fix === true };
}

export interface StopOptions {
  readonly stopLimitMs: number;
  readonly forceStop: boolean;
}

/** @throws {Failure<MigrateProblem>} bad-option */
export function stopOptions({
  stopTimeout = usualStopTimeout,
  forceStop,
}: Pick<AllOptions, 'stopTimeout' | 'forceStop'>): StopOptions {
  const stopLimitMs = /^\d+(\.\d+)?$/.test(stopTimeout.trim()) ? Number(stopTimeout) * 1000 : 0;
  // setTimeout takes no more than 31 bits of milliseconds.
  if (stopLimitMs <= 0 || stopLimitMs > 2 ** 31 - 1)
    throw migrateFailure({
      code: 'bad-option',
      option: '--stop-timeout',
      why: 'is a number of seconds above 0, and at most 24 days',
    });
  return { stopLimitMs, forceStop: forceStop === true };
}

export function stateFolder({ state }: Pick<AllOptions, 'state'>): string {
  return resolve(state);
}

/**
 * Confidential values go to a terminal and nowhere else: a file or another program would keep them.
 * @throws {Failure<MigrateProblem>} bad-option
 */
export function showsValues(
  { showValues }: Pick<AllOptions, 'showValues'>,
  output: Output,
  onTerminal = process.stdout.isTTY === true,
): boolean {
  if (showValues !== true) return false;
  if (output.json || !onTerminal)
    throw migrateFailure({
      code: 'bad-option',
      option: '--show-values',
      why: 'shows confidential values on a terminal only, and standard output is none. Leave it out: equal values have equal digests.',
    });
  return true;
}

/** Options of upstream's tool, recognised so that a script written for it gets an answer and not a surprise. */
export function refuseUpstreamOptions(options: UpstreamOptions): void {
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
