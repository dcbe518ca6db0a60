// A client that asks each question once, for work that follows at once and would ask the same of thousands of instances.
import { Failure } from '../../core/failure.ts';
import { inTurn } from '../../core/in-turn.ts';
import { allInstances, apiPath, type DaemonClient, type InstanceName } from './client.ts';
import { type Fields, fieldsList, textOf } from './fields.ts';

/** What a daemon has said, and which paths were changed since. */
export interface Remembered {
  readonly answers: Map<string, Promise<unknown>>;
  readonly changed: Set<string>;
}

export function nothingRemembered(): Remembered {
  return { answers: new Map(), changed: new Set() };
}

/** @param remembered what it adds to; questions about what was changed through it are asked anew */
export function rememberingClient(client: DaemonClient, remembered: Remembered): DaemonClient {
  const { answers, changed } = remembered;
  return {
    ...client,
    get(path, limitMs) {
      const question = questionOf(path);
      const known = answers.get(question);
      if (known !== undefined && !changed.has(objectOf(path))) return known;
      const asked = client.get(path, limitMs);
      answers.set(question, asked);
      // A failure is nobody's answer for ever.
      asked.catch(() => {
        if (answers.get(question) === asked) answers.delete(question);
      });
      return asked;
    },
    async change(path, method, body, limitMs) {
      changed.add(objectOf(path));
      return client.change(path, method, body, limitMs);
    },
  };
}

/** More are asked for in one list. */
const askedOneByOne = 20;

/**
 * The answer to `allInstances`, of which only those that may have changed since it was given are asked for anew.
 * @param mayDiffer those whose state may be another by now, beside those that were changed
 */
export async function instancesAnew(
  client: DaemonClient,
  { answers, changed }: Remembered,
  mayDiffer: (list: readonly Fields[]) => readonly InstanceName[],
): Promise<unknown> {
  const known = answers.get(questionOf(allInstances));
  if (known === undefined) return client.get(allInstances);
  const answer = await known;
  const list = fieldsList(answer, '/1.0/instances');
  const differing = new Set(mayDiffer(list).map(pathOf));
  const asked = list.filter(
    (from) => changed.has(pathOf(nameOf(from))) || differing.has(pathOf(nameOf(from))),
  );
  if (asked.length > askedOneByOne) return client.get(allInstances);
  try {
    const anew = await inTurn(asked, 4, (from) => client.get(pathOf(nameOf(from))));
    const now = new Map(asked.map((from, index) => [from, anew[index]]));
    const before: unknown[] = Array.isArray(answer) ? answer : [];
    return before.map((one, index) => {
      const from = list[index];
      return from !== undefined && now.has(from) ? now.get(from) : one;
    });
  } catch (error) {
    // One is gone meanwhile: the list tells.
    if (!(error instanceof Failure) || error.problem.code !== 'daemon-error') throw error;
    return client.get(allInstances);
  }
}

function nameOf(from: Fields): InstanceName {
  return { project: textOf(from, 'project') || 'default', name: textOf(from, 'name') };
}

function pathOf({ project, name }: InstanceName): string {
  return apiPath(['1.0', 'instances', name], { project });
}

/** Of two ways to write one question. */
function questionOf(path: string): string {
  const [where = '', query = ''] = path.split('?');
  const parameters = new URLSearchParams(query);
  parameters.sort();
  return `${where}?${parameters}`;
}

/** The instance of whatever a path asks or changes, by its own path; others by theirs. */
function objectOf(path: string): string {
  const [where = '', query = ''] = path.split('?');
  const instance = /^\/1\.0\/instances\/([^/]+)/.exec(where)?.[1];
  if (instance === undefined) return where;
  const project = new URLSearchParams(query).get('project') ?? 'default';
  return pathOf({ project, name: decodeURIComponent(instance) });
}
