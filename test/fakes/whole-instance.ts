// The answer to `GET /1.0/instances/NAME?recursion=1`, put together from recordings that hold its parts.

/** @param answerTo what was recorded for a path */
export function wholeInstance(answerTo: (path: string) => unknown, asked: string): unknown {
  const { pathname, searchParams } = new URL(asked, 'http://unix');
  const [, name] = /^\/1\.0\/instances\/([^/]+)$/.exec(pathname) ?? [];
  const project = searchParams.get('project');
  if (name === undefined || project === null || searchParams.get('recursion') !== '1') return undefined;
  const list = answerTo('/1.0/instances?recursion=1&all-projects=true');
  const found = (list as readonly { name: string; project?: string }[]).find(
    (one) => one.name === decodeURIComponent(name) && (one.project ?? 'default') === project,
  );
  if (found === undefined) return undefined;
  // Of nothing, the daemons make null.
  const part = (of: string): unknown => answerTo(`${pathname}/${of}?project=${project}&recursion=1`) ?? null;
  return { ...found, snapshots: part('snapshots'), backups: part('backups') };
}
