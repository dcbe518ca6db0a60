// The answer to a question for all projects at once, put together from what was said project by project.

type Item = Readonly<Record<string, unknown>>;

/** @param asked a path with `all-projects=true` */
export function ofAllProjects(answers: Readonly<Record<string, unknown>>, asked: string): Item[] {
  const found = new Map<string, Item>();
  for (const [path, list] of Object.entries(answers)) {
    const { pathname, searchParams } = new URL(path, 'http://unix');
    const project = searchParams.get('project');
    if (pathname !== new URL(asked, 'http://unix').pathname || project === null || !Array.isArray(list))
      continue;
    for (const item of list as Item[]) {
      // LXD 4.0 does not say of which project a volume is; those of images are always of project default.
      const said = { project: item['type'] === 'image' ? 'default' : project, ...item };
      // What belongs to project default is shown in others, too.
      const id = JSON.stringify([
        said.project,
        item['type'],
        item['name'] ?? item['fingerprint'],
        item['location'],
      ]);
      if (!found.has(id)) found.set(id, said);
    }
  }
  return [...found.values()];
}
