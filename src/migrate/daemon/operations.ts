// What a daemon does in the background, and which of it ends by itself when an instance stops.
import { inTurn } from '../../core/in-turn.ts';
import type { DaemonClient } from './client.ts';
import { apiPath } from './client.ts';
import { type Fields, fields, fieldsList, rawOf, textOf, textsOf } from './fields.ts';

export interface RunningOperation {
  readonly id: string;
  /** In the daemon's words, such as `Backing up instance`. */
  readonly description: string;
  /** `project/name` of the instances that it is about. */
  readonly instances: readonly string[];
  /** Names of what else it is about. */
  readonly others: readonly string[];
}

/**
 * A command or a console in an instance; the same words in LXD 4.24 to 5.21 and Incus 6.0 to 7.3 (operation_type.go). Their
 * class does not tell: migrations are of class websocket too. Transfers by sftp are no operations in either daemon.
 */
const sessions: readonly string[] = ['Executing command', 'Showing console'];

/** Somebody works in an instance by it: it ends with the instance, and nothing else need end it. */
export function isSession({ description, instances }: RunningOperation): boolean {
  return sessions.includes(description) && instances.length > 0;
}

/** A stop that was asked for before; the daemon takes another request to stop as the same one. */
export function isStopOrder({ description }: RunningOperation): boolean {
  return description === 'Stopping instance';
}

export function operationInWords({ description, instances, others }: RunningOperation): string {
  const about = instances.length > 0 ? instances : others;
  return about.length === 0 ? description : `${description} (${about.join(', ')})`;
}

/** A socket each: there may be hundreds of projects. */
const askedAtOnce = 8;

/** Of every project in one answer: LXD from 5.0.3 and 5.17 on, every Incus. Others take no notice of the parameter. */
const listsAllProjects = 'operations_get_query_all_projects';

/** Everything for which a daemon waits when it is told to stop (waitForOperations of lxd/operations.go). */
export async function runningOperations(client: DaemonClient): Promise<RunningOperation[]> {
  const server = fields(await client.get('/1.0'), '/1.0');
  if (textsOf(server, 'api_extensions').includes(listsAllProjects))
    return inAnswer(await client.get(operationsPath({ 'all-projects': 'true' })), 'default');
  // With the operations of a project come those that are of no project.
  const projects = textsOf(
    { where: '/1.0', values: { projects: await client.get('/1.0/projects') } },
    'projects',
  );
  const lists = await inTurn(projects.map(nameInPath), askedAtOnce, async (project) =>
    inAnswer(await client.get(operationsPath({ project })), project),
  );
  return [...new Map(lists.flat().map((operation) => [operation.id, operation])).values()];
}

function operationsPath(query: Readonly<Record<string, string>>): string {
  return apiPath(['1.0', 'operations'], { recursion: '1', ...query });
}

/** @param project of what names none: LXD before 5.0.3 never does, later ones and Incus only leave out the default one */
function inAnswer(answer: unknown, project: string): RunningOperation[] {
  if (answer === null || answer === undefined) return [];
  return (
    fieldsList(rawOf(fields(answer, 'operations'), 'running'), 'operations.running')
      // A token that nobody has used yet counts as running, and no daemon waits for it.
      .filter((operation) => textOf(operation, 'class') !== 'token')
      .map((operation) => toOperation(operation, project))
  );
}

function toOperation(operation: Fields, project: string): RunningOperation {
  const about = resourcesOf(operation).map((path) => resourceAt(path, project));
  return {
    id: textOf(operation, 'id'),
    description: textOf(operation, 'description'),
    instances: [...new Set(about.flatMap(({ instance }) => instance ?? []))],
    others: [...new Set(about.flatMap(({ instance, name }) => (instance === undefined ? name : [])))],
  };
}

/** Paths of what it is about. LXD from 6.8 on names them in the metadata alone (extension operation_metadata_entity_url). */
function resourcesOf(operation: Fields): readonly string[] {
  const resources = within(operation, 'resources');
  const named = Object.keys(resources.values).flatMap((kind) => textsOf(resources, kind));
  const entity = textOf(within(operation, 'metadata'), 'entity_url');
  return named.length > 0 || entity === '' ? named : [entity];
}

function within(from: Fields, key: string): Fields {
  return fields(rawOf(from, key) ?? {}, `${from.where}.${key}`);
}

/** Of `/1.0/instances/c1?project=dev`, and `/1.0/instances/c1/snapshots/s` in it: `dev/c1`. */
function resourceAt(path: string, project: string): { readonly name: string; readonly instance?: string } {
  const [bare = '', query] = path.split('?');
  const [, , kind, first = bare] = bare.split('/');
  if (kind !== 'instances' && kind !== 'containers') return { name: nameInPath(path) };
  const name = decoded(first);
  return { name, instance: `${new URLSearchParams(query).get('project') ?? project}/${name}` };
}

function nameInPath(path: string): string {
  const [bare = ''] = path.split('?');
  return decoded(bare.split('/').at(-1) ?? '');
}

/** LXD escapes names in paths only since some version. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
