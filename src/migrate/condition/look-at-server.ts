// Looks how a server is: asks its daemon where one answers, and otherwise takes what its files tell.
import { Failure, systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { inTurn } from '../../core/in-turn.ts';
import { allInstances, apiPath, type DaemonClient, daemonClient } from '../daemon/client.ts';
import { configOf, fields, fieldsList, flagOf, textOf } from '../daemon/fields.ts';
import { runningOperations } from '../daemon/operations.ts';
import { isTrue } from '../is-true.ts';
import type { Condition } from '../model/condition.ts';
import type { Config, Inventory } from '../model/inventory.ts';
import { addressConditions } from './addresses.ts';
import { imageProblems } from './image-files.ts';

export interface States {
  /** Of the server and of this member. */
  readonly config: Config;
  readonly pools: Condition['pools'];
  readonly networks: Condition['networks'];
  readonly instances: Condition['instances'];
}

const usual = new Set(['Running', 'Ready', 'Frozen', 'Stopped']);

/**
 * What a daemon says of its pools, managed networks and instances.
 * @param listed the answer to `allInstances`, where it is asked for already: it is what takes longest
 * @throws daemon-*
 */
export async function askStates(
  client: DaemonClient,
  listed: Promise<unknown> = client.get(allInstances),
): Promise<States> {
  const ask = async (path: string, query: Readonly<Record<string, string>> = {}) =>
    fieldsList(await client.get(apiPath(['1.0', path], { recursion: '1', ...query })), `/1.0/${path}`);
  // LXD 5.0 lists the networks of one project at a time.
  const askNetworks = async (): Promise<Condition['networks']> => {
    const withNetworks = (await ask('projects'))
      .filter(
        (from) => textOf(from, 'name') === 'default' || isTrue(configOf(from, 'config')['features.networks']),
      )
      .map((from) => textOf(from, 'name'));
    const lists = await inTurn(withNetworks, 4, async (project) =>
      (await ask('networks', { project }))
        .filter((from) => flagOf(from, 'managed'))
        .map((from) => ({ project, name: textOf(from, 'name'), status: textOf(from, 'status') })),
    );
    return lists.flat();
  };
  const [server, pools, networks, instances] = await Promise.all([
    client.get('/1.0'),
    ask('storage-pools'),
    askNetworks(),
    listed,
  ]);
  return {
    config: configOf(fields(server, '/1.0'), 'config'),
    pools: pools.map((from) => ({ name: textOf(from, 'name'), status: textOf(from, 'status') })),
    networks,
    instances: inOddStates(
      fieldsList(instances, '/1.0/instances').map((from) => ({
        project: textOf(from, 'project') || 'default',
        name: textOf(from, 'name'),
        status: textOf(from, 'status'),
      })),
    ),
  };
}

/** The same, of what a daemon has just been asked for. */
export function statesIn({ server, pools, networks, instances }: Inventory): States {
  return {
    config: server.config,
    pools: pools.map(({ name, state }) => ({ name, status: state })),
    networks: networks.map(({ project, name, state }) => ({ project, name, status: state })),
    instances: inOddStates(instances.map(({ project, name, status = '' }) => ({ project, name, status }))),
  };
}

function inOddStates(instances: Condition['instances']): Condition['instances'] {
  return instances.filter(({ status }) => !usual.has(status));
}

/** What a daemon said, and when. */
export interface Asked {
  readonly states: States;
  /** The answer to `allInstances`. */
  readonly list: unknown;
  /** Of the clock that only goes forward (Host.clock), when it was asked. */
  readonly at: number;
}

/**
 * Why a daemon did not say it; `forbidden`: this user may not open its socket; `silent`: it listens, and answers nothing;
 * `late`: it answers, and did not answer this in time.
 */
export type Unasked =
  | { readonly why: 'not-listening' }
  | { readonly why: 'forbidden' | 'refused' | 'late'; readonly words: string }
  | {
      readonly why: 'silent';
      readonly words: string;
      /** The process that listens. */
      readonly pid?: number | undefined;
    };

/** What was said, or why nothing was. */
export type Answer<T> =
  | { readonly said: T; readonly unasked?: undefined }
  | { readonly said?: undefined; readonly unasked: Unasked };

/**
 * The same of the daemon that answers on one of the sockets. One that a service manager would have to start first is left
 * alone.
 * @param begun called when it has been asked, and may take long
 */
export async function askServer(
  host: Host,
  sockets: readonly string[],
  begun: () => void = () => {},
): Promise<Answer<Asked>> {
  let unasked: Unasked = { why: 'not-listening' };
  for (const socket of sockets) {
    const pid = host.listener(socket);
    if (pid === undefined) continue;
    const client = daemonClient(host, socket);
    // Nothing else is asked of one that hangs, or starts still.
    const first = await answered(client.get('/1.0', firstAnswerLimitMs));
    if (first.unasked !== undefined) {
      unasked = first.unasked.why === 'silent' ? { ...first.unasked, pid } : first.unasked;
      continue;
    }
    const at = host.clock();
    const listed = client.get(allInstances);
    // What a move asks later, when something has stopped already, is asked now: what LXD refuses then it refuses now.
    const answers = Promise.all([listed, askStates(client, listed), runningOperations(client)]);
    begun();
    const answer = await answered(answers);
    if (answer.unasked !== undefined) return { unasked: afterAnAnswer(answer.unasked) };
    const [list, states] = answer.said;
    return { said: { list, states, at } };
  }
  return { unasked };
}

const firstAnswerLimitMs = 10_000;

/** A list of thousands may take longer than the plan waits, and the move waits by their number. */
function afterAnAnswer(unasked: Unasked): Unasked {
  return unasked.why === 'silent' ? { why: 'late', words: unasked.words } : unasked;
}

/** What a daemon is asked for; where it does not say it, why. */
export async function answered<T>(asked: Promise<T>): Promise<Answer<T>> {
  try {
    return { said: await asked };
  } catch (error) {
    return { unasked: whyUnasked(error) };
  }
}

/** @throws what says nothing about a daemon */
function whyUnasked(error: unknown): Unasked {
  if (error instanceof Failure) {
    const { problem } = error;
    const { what, where } = error.explanation;
    const words = where === undefined ? what : `${what} (${where})`;
    if (problem.code === 'daemon-error' || problem.code === 'daemon-answer-unreadable')
      return { why: 'refused', words };
    const errno = 'errno' in problem ? problem.errno : undefined;
    return { why: errno === 'EACCES' || errno === 'EPERM' ? 'forbidden' : 'silent', words };
  }
  if (systemErrorCode(error) === undefined) throw error;
  return { why: 'silent', words: String(error) };
}

export interface Looked {
  readonly dataDirectory: string;
  readonly sockets: readonly string[];
}

/**
 * @param inventory from the server's database
 * @param states what its daemon says; undefined where none answers
 */
export function lookAtServer(
  host: Host,
  { dataDirectory, sockets }: Looked,
  inventory: Pick<Inventory, 'pools' | 'networks' | 'images' | 'server'>,
  states: States | undefined,
): Condition {
  const daemon = sockets.map((socket) => host.listener(socket)).find((pid) => pid !== undefined);
  return {
    asked: states !== undefined,
    // Of a daemon that does not run the rows tell what was never made, or went wrong when it was.
    pools: states?.pools ?? inventory.pools.map(({ name, state }) => ({ name, status: unusual(state) })),
    networks:
      states?.networks ??
      inventory.networks.map(({ project, name, state }) => ({ project, name, status: unusual(state) })),
    instances: states?.instances ?? [],
    addresses: addressConditions(host, states?.config ?? inventory.server.config, daemon, dataDirectory),
    images: imageProblems(host, dataDirectory, inventory.images),
  };
}

function unusual(state: string): string | null {
  return state === 'Created' ? null : state;
}
