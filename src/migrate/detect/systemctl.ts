// Questions to systemctl. No answer is not a "no": it is asked for again, and is a failure in the end.
import { existsSync } from 'node:fs';
import { Failure } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import type { RunResult } from '../../core/run.ts';
import { migrateFailure } from '../problem.ts';
import { unitFile } from './systemd.ts';

/** D-Bus itself gives up after 25 s; on a busy machine an answer was seen to take 20. */
const limitMs = 60_000;
const attempts = 3;
const pauseMs = 2_000;

export type ServiceManager =
  | { readonly kind: 'none' }
  | { readonly kind: 'acts' }
  /** systemctl answers from files, and no systemd runs that would start or stop anything. */
  | { readonly kind: 'offline'; readonly said: string };

/** As sd_booted(3) has it. An image or a tree that is entered with chroot may hold the folder all the same. */
function wasBooted(host: Host): boolean {
  return existsSync(host.path('/run/systemd/system'));
}

/** The socket of the manager that is process 1, for systemctl alone (bus_init_private, src/core/dbus.c). */
function managerListens(host: Host): boolean {
  return existsSync(host.path('/run/systemd/private'));
}

/** systemctl itself knows that it is in a tree without a manager of its own (running_in_chroot, sd_booted). */
const cannotAct = /Running in chroot|has not been booted with systemd|Can't operate/;

/**
 * Whether systemd is there, whatever process 1 is, and whether it can act on these units: then it says of each whether
 * it is active, while what a unit's files say is answered without it too.
 * @throws {Failure<MigrateProblem>} service-manager-failed, where it runs and does not answer
 */
export async function serviceManager(host: Host, units: readonly string[]): Promise<ServiceManager> {
  if (host.which('systemctl') === undefined) return { kind: 'none' };
  const booted = wasBooted(host);
  if (!booted) {
    const listed = await ask(host, ['list-unit-files'], ({ status }) => (status === 0 ? true : undefined), 1);
    if ('said' in listed) return { kind: 'none' };
  }
  if (units.length === 0) return { kind: 'acts' };
  const isThere = booted && managerListens(host);
  const asked = await ask(host, ['is-active', ...units], wordOfEach(units), isThere ? attempts : 1);
  if ('answer' in asked) return { kind: 'acts' };
  if (isThere && !cannotAct.test(asked.said)) throw failed(['is-active', ...units], asked.said);
  return { kind: 'offline', said: asked.said };
}

export interface UnitState {
  readonly unit: string;
  /** `enabled`, `disabled`, `static`, `masked`, … (systemctl(1)), or `not-found`. */
  readonly enabled: string;
}

/**
 * What `systemctl is-enabled` says of each unit.
 * @throws {Failure<MigrateProblem>} service-manager-failed
 */
export async function unitStates(host: Host, units: readonly string[]): Promise<UnitState[]> {
  if (units.length === 0) return [];
  const together = await ask(host, ['is-enabled', ...units], wordOfEach(units), 1);
  if ('answer' in together)
    return units.map((unit, index) => ({ unit, enabled: together.answer[index] ?? '' }));
  // systemd 252 ends at the first unit that does not exist, with no word about it and those after it.
  const states: UnitState[] = [];
  for (const unit of units) states.push({ unit, enabled: await stateOf(host, unit) });
  return states;
}

async function stateOf(host: Host, unit: string): Promise<string> {
  const isThere = unitFile(host, unit) !== undefined;
  const asked = await ask(host, ['is-enabled', unit], wordOfEach([unit]), isThere ? attempts : 1);
  if ('answer' in asked) return asked.answer[0] ?? '';
  if (!isThere) return 'not-found';
  throw failed(['is-enabled', unit], asked.said);
}

export interface UnitActivity {
  readonly unit: string;
  /** `active`, `inactive`, `failed`, … (systemctl(1)). */
  readonly state: string;
}

/**
 * What `systemctl is-active` says of each unit.
 * @throws {Failure<MigrateProblem>} service-manager-failed
 */
export async function unitActivity(host: Host, units: readonly string[]): Promise<UnitActivity[]> {
  if (units.length === 0) return [];
  const asked = await ask(host, ['is-active', ...units], wordOfEach(units), attempts);
  if ('said' in asked) throw failed(['is-active', ...units], asked.said);
  return units.map((unit, index) => ({ unit, state: asked.answer[index] ?? '' }));
}

/** One that is coming up counts: it was started, or is. */
export function isUp({ state }: UnitActivity): boolean {
  return ['active', 'activating', 'reloading', 'refreshing'].includes(state);
}

type Asked<T> = { readonly answer: T } | { readonly said: string };

async function ask<T>(
  host: Host,
  args: readonly string[],
  read: (result: RunResult) => T | undefined,
  times: number,
): Promise<Asked<T>> {
  for (let attempt = 1; ; attempt += 1) {
    let said: string;
    try {
      const result = await host.run(['systemctl', ...args], { timeoutMs: limitMs, accept: 'any' });
      const answer = read(result);
      if (answer !== undefined) return { answer };
      said = wordsOf(result);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      said = [error.explanation.what, error.explanation.where]
        .filter((part) => part !== undefined)
        .join('\n');
    }
    if (attempt >= times || cannotAct.test(said)) return { said };
    await host.sleep(pauseMs);
  }
}

/** A line a unit, in their order, each one word; anything else is no answer. */
function wordOfEach(units: readonly string[]): (result: RunResult) => string[] | undefined {
  return ({ stdout }) => {
    const lines = stdout.toString('utf8').trimEnd().split('\n');
    return lines.length === units.length && lines.every((line) => /^[a-z]+(?:-[a-z]+)*$/.test(line))
      ? lines
      : undefined;
  };
}

function wordsOf({ status, stdout, stderr }: RunResult): string {
  const text = [stderr, stdout].map((part) => part.toString('utf8').trim()).find((part) => part !== '');
  return text === undefined ? `status ${status}, without a word` : text.slice(0, 2_000);
}

function failed(args: readonly string[], said: string): Error {
  return migrateFailure({ code: 'service-manager-failed', asked: args.join(' '), attempts, limitMs, said });
}
