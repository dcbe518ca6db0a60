// Lays a pick out in a folder for a person to finish, and takes back what the person committed.
import { writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { asFileFailure } from '../../core/as-file-failure.ts';
import { makeFolders } from '../../core/durable.ts';
import { run } from '../../core/run.ts';
import { inert } from '../../core/text.ts';
import { formatCommit, parseCommit } from '../git/commit.ts';
import { countFiles } from '../git/count-files.ts';
import { gitEnvironment, noTidying } from '../git/git-environment.ts';
import { readable } from '../git/output.ts';
import { refuseTakenFolder } from '../git/refuse-taken-folder.ts';
import { timeLimit } from '../git/time-limit.ts';
import { fileMode } from '../git/tree.ts';
import { otherFormatOf, writtenHere } from '../other-format.ts';
import { syncFailure } from '../problem.ts';
import { readGivenText } from '../read-given-text.ts';
import type { Engine } from './open-engine.ts';
import type { PickRequest } from './open-workshop.ts';
import { pickRef } from './pick-batches.ts';
import { pickCommit } from './pick-commit.ts';
import type { PickResult } from './pick-result.ts';
import { rewriteMessage } from './rewrite-message.ts';

const noteFile = 'fork-sync.json';
const largestNote = 4096;
const usualLimitMs = 300_000;
const markers = /^(?:<{7}|\|{7}|={7}|>{7})(?: |$)/m;

export interface CheckedOut {
  readonly result: PickResult;
  readonly open: readonly string[];
}

function gitIn(folder: string, timeoutMs: number) {
  return async (args: readonly string[], input?: Buffer): Promise<string> => {
    const result = await run(['git', '-C', folder, ...args], {
      timeoutMs,
      env: { ...gitEnvironment, GIT_OPTIONAL_LOCKS: undefined },
      ...(input === undefined ? {} : { input }),
    });
    return result.stdout.toString('latin1');
  };
}

/** Makes a repository in `folder` with the pick's files staged and its conflicts open, as after a stopped merge. */
export async function checkoutPick(
  engine: Engine,
  request: PickRequest,
  folder: string,
): Promise<CheckedOut> {
  const path = resolve(folder);
  refuseTakenFolder(path);
  const shop = await engine.workshop([request]);
  const { result, outcomes } = await pickCommit(shop, request);
  if (result.status === 'blocked')
    throw syncFailure({
      code: 'checkout-refused',
      path,
      why: `the pick is blocked: ${result.reasons.join('; ')}`,
      next: 'Solve what blocks it first.',
    });
  const upstream = await engine.objects.commit(request.upstream);
  const onto = await engine.objects.commit(request.onto);
  await engine.writer.flush(engine.gitDir);
  asFileFailure('make the folder', path, () => makeFolders(path, 0o700));
  const git = gitIn(path, timeLimit(usualLimitMs, await countFiles(engine.gitDir, onto.sha), 20));
  await git(['init', '--quiet', '--template=']);
  makeFolders(join(path, '.git', 'objects', 'info'));
  writeFileSync(join(path, '.git', 'objects', 'info', 'alternates'), `${join(engine.gitDir, 'objects')}\n`);
  await git(['update-ref', '--no-deref', 'HEAD', onto.sha]);
  await git(['read-tree', onto.tree]);
  await git(['checkout-index', '--all', '--quiet']);
  const index: string[] = [];
  const none = '0'.repeat(40);
  for (const { path: file, edit, open, sides } of outcomes) {
    if (edit === 'delete') index.push(`0 ${none}\t${file}\0`);
    else if (edit !== undefined) index.push(`${edit.mode} ${edit.sha} 0\t${file}\0`);
    if (open === undefined || sides === undefined) continue;
    const here = await engine.objects.entry(onto.tree, file);
    index.push(`0 ${none}\t${file}\0`);
    const mode = here?.mode ?? fileMode.file;
    const put = (text: string): string => engine.writer.put('blob', Buffer.from(text, 'latin1'));
    index.push(`${mode} ${put(sides.base)} 1\t${file}\0`);
    if (here !== undefined) index.push(`${mode} ${here.sha} 2\t${file}\0`);
    index.push(`${mode} ${put(sides.theirs)} 3\t${file}\0`);
  }
  await engine.writer.flush(engine.gitDir);
  await git(['update-index', '-z', '--index-info'], Buffer.from(index.join(''), 'latin1'));
  await git(['checkout-index', '--all', '--force', '--quiet']).catch(() => undefined);
  for (const { path: file, edit, open, sides } of outcomes) {
    if (edit === 'delete') await git(['clean', '-q', '-f', '--', file]).catch(() => undefined);
    if (open === undefined || sides === undefined) continue;
    const at = join(path, readable(file));
    makeFolders(dirname(at));
    writeFileSync(at, Buffer.from(sides.marked, 'latin1'));
  }
  const { info, messages } = engine.pack;
  const message = rewriteMessage(upstream.message, info, messages, upstream.sha);
  writeFileSync(join(path, '.git', 'MERGE_MSG'), Buffer.from(message, 'latin1'));
  const note = { ...writtenHere, upstream: request.upstream, onto: request.onto };
  writeFileSync(join(path, '.git', noteFile), JSON.stringify(note), { mode: 0o600 });
  return {
    result,
    open: outcomes.filter((outcome) => outcome.open !== undefined).map((outcome) => outcome.path),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isSha(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{40}$/.test(value);
}

/** Which pick a folder was made for. */
export function readNote(folder: string): PickRequest {
  const read = readGivenText(join(resolve(folder), '.git', noteFile), largestNote, 'refuse');
  const note = 'text' in read ? parseJson(read.text) : undefined;
  const other = otherFormatOf(note);
  if (other !== undefined)
    throw syncFailure({
      code: 'other-version',
      what: `The folder ${inert(resolve(folder))}`,
      other,
      next: 'Or lay the pick out anew in another folder, with checkout of this version.',
    });
  if (typeof note === 'object' && note !== null && 'upstream' in note && 'onto' in note) {
    const { upstream, onto } = note;
    if (isSha(upstream) && isSha(onto)) return { upstream, onto };
  }
  // A folder that is not ours and a note that cannot be read come to the same: nothing to continue.
  throw syncFailure({
    code: 'checkout-refused',
    path: resolve(folder),
    why: 'this folder was not made by fork-sync checkout',
    next: 'Name the folder that checkout made.',
  });
}

/** Takes the commit on top of the fork commit, gives it upstream's author and dates, and keeps it as the pick. */
export async function continuePick(engine: Engine, folder: string): Promise<string> {
  const path = resolve(folder);
  const request = readNote(folder);
  const git = gitIn(path, usualLimitMs);
  const refuse = (why: string, next: string) => syncFailure({ code: 'checkout-refused', path, why, next });
  const head = (await git(['rev-parse', 'HEAD'])).trim();
  if (head === request.onto)
    throw refuse('nothing was committed yet', 'Solve the conflicts, git add, git commit.');
  const made = parseCommit(head, Buffer.from(await git(['cat-file', 'commit', head]), 'latin1'));
  if (made.parents.length !== 1 || made.parents[0] !== request.onto)
    throw refuse('there is more than one commit on top of the fork commit', 'Squash them into one.');
  const changed = (
    await git(['diff-tree', '-r', '-z', '--name-only', '--diff-filter=AM', request.onto, head])
  )
    .split('\0')
    .filter((file) => file !== '');
  for (const file of changed)
    if (markers.test(await git(['cat-file', 'blob', `${head}:${file}`])))
      throw refuse(`conflict markers are left in ${readable(file)}`, 'Solve them and amend the commit.');
  const upstream = await engine.objects.commit(request.upstream);
  await run(
    [
      'git',
      `--git-dir=${engine.gitDir}`,
      ...noTidying.flatMap(([key, value]) => ['-c', `${key}=${value}`]),
      'fetch',
      '--quiet',
      '--no-tags',
      '--no-write-fetch-head',
      path,
      'HEAD',
    ],
    {
      timeoutMs: usualLimitMs,
      env: gitEnvironment,
    },
  );
  const { info, messages } = engine.pack;
  const trailer = `(cherry picked from commit ${request.upstream})`;
  const commit = engine.writer.put(
    'commit',
    formatCommit({
      tree: made.tree,
      parents: [request.onto],
      author: upstream.author,
      committer: made.committer,
      encoding: upstream.encoding,
      message: made.message.includes(trailer)
        ? made.message
        : rewriteMessage(made.message, info, messages, request.upstream),
    }),
  );
  await engine.writer.flush(engine.gitDir);
  await run(['git', `--git-dir=${engine.gitDir}`, 'update-ref', pickRef(request), commit], {
    timeoutMs: usualLimitMs,
    env: gitEnvironment,
  });
  return commit;
}
