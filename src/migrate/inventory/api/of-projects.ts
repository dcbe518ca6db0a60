// Objects of one kind of every project, asked of a daemon: at once where it lists those of all projects.
import { inTurn } from '../../../core/in-turn.ts';
import { apiPath, type DaemonClient } from '../../daemon/client.ts';
import { type Fields, fieldsList, textOf } from '../../daemon/fields.ts';

export interface OfProjects {
  /** Parts of the path of the list, below `/1.0`. */
  readonly path: readonly string[];
  /** The API extension with which the list can be of all projects. */
  readonly extension: string;
  /** Projects that have such objects of their own; the others show those of project default. */
  readonly owners: readonly string[];
  /** Where each project is asked: which ones, if more than these. */
  readonly askedOneByOne?: readonly string[];
}

export interface OfProject {
  readonly from: Fields;
  readonly project: string;
}

/**
 * Asked one by one, a hundred projects take a daemon a second and more. The list of all shows rows of projects, too, that use
 * those of project default: nobody can ask for such a row, and it is left out.
 */
export async function askOfProjects(
  client: DaemonClient,
  { path, extension, owners, askedOneByOne = owners }: OfProjects,
  extensions: ReadonlySet<string>,
): Promise<OfProject[]> {
  const ask = async (query: Readonly<Record<string, string>>): Promise<Fields[]> =>
    fieldsList(
      await client.get(apiPath(['1.0', ...path], { recursion: '1', ...query })),
      `/1.0/${path.join('/')}`,
    );
  if (extensions.has(extension)) {
    const list = await ask({ 'all-projects': 'true' });
    const placed = list.map((from) => ({ from, project: textOf(from, 'project') }));
    const own = new Set(owners);
    // An answer that does not say of which project each is would be no use.
    if (placed.every(({ project }) => project !== ''))
      return placed.filter(({ project }) => own.has(project));
  }
  const lists = await inTurn(askedOneByOne, 2, async (project) =>
    (await ask({ project })).map((from) => ({ from, project })),
  );
  return lists.flat();
}
