// The comments of one run: each thread is read once, and each text is edited in its place.
import type { Comment, Ensured, Forge, Thread } from '../forge.ts';
import { readMarker, sameText, withMarker } from '../marker.ts';
import type { WriteGate } from '../write-gate.ts';
import { asComment, split } from './answers.ts';
import { createOnce, forgeCall, statusOf } from './calls.ts';
import { type GitHubClient, pageSize } from './open-client.ts';

export interface CommentsOptions {
  readonly client: GitHubClient;
  readonly gate: WriteGate;
  /** The account whose comments are edited. */
  readonly me: () => Promise<string>;
  readonly pauseMs: number;
}

export function openComments(options: CommentsOptions): Pick<Forge, 'readComments' | 'ensureComments'> {
  const { client, gate, me, pauseMs } = options;
  /** What this run reads of a thread, and what it has written there since. */
  const threads = new Map<string, readonly Comment[]>();

  const readComments: Forge['readComments'] = async (thread) => {
    const known = threads.get(keyOf(thread));
    if (known !== undefined) return known;
    const comments = await forgeCall(`read the comments of #${thread.number}`, async () => {
      const found = await client.paginate(client.rest.issues.listComments, {
        ...split(thread.repository),
        issue_number: thread.number,
        per_page: pageSize,
      });
      return found.map(asComment);
    });
    threads.set(keyOf(thread), comments);
    return comments;
  };
  const reread = (thread: Thread): Promise<readonly Comment[]> => {
    threads.delete(keyOf(thread));
    return readComments(thread);
  };

  const commentOf = async (
    topic: string,
    part: number,
    comments: readonly Comment[],
  ): Promise<Comment | undefined> => {
    const author = await me();
    return comments.find((comment) => {
      const marker = comment.author === author ? readMarker(comment.body) : undefined;
      return marker?.topic === topic && marker.part === part;
    });
  };

  const ensureComment = async (
    thread: Thread,
    topic: string,
    part: number,
    text: string,
  ): Promise<Ensured<Comment>> => {
    const body = withMarker({ topic, part }, text);
    const found = await commentOf(topic, part, await readComments(thread));
    if (found !== undefined && sameText(found.body, body)) return { outcome: 'unchanged', value: found };
    const what = `${found === undefined ? 'write' : 'edit'} the comment ${topic}/${part} on ${thread.repository}#${thread.number}`;
    const answer = gate.ask(what);
    if (answer === 'over-limit') return { outcome: 'over-limit', value: found };
    if (answer === 'dry-run')
      return { outcome: found === undefined ? 'would-create' : 'would-update', value: found };
    if (found === undefined) {
      const value = await createOnce({
        what,
        pauseMs,
        find: async () => commentOf(topic, part, await reread(thread)),
        create: async () =>
          asComment(
            (
              await client.rest.issues.createComment({
                ...split(thread.repository),
                issue_number: thread.number,
                body,
                request: { retries: 0 },
              })
            ).data,
          ),
      });
      threads.delete(keyOf(thread));
      return { outcome: 'created', value };
    }
    const edited = readMarker(found.body)?.edited === true;
    const { data } = await forgeCall(what, () =>
      client.rest.issues.updateComment({ ...split(thread.repository), comment_id: found.id, body }),
    );
    threads.delete(keyOf(thread));
    return { outcome: 'updated', value: asComment(data), edited };
  };

  const removeLeftOver = async (thread: Thread, topic: string, parts: number): Promise<void> => {
    const author = await me();
    for (const comment of await readComments(thread)) {
      const marker = comment.author === author ? readMarker(comment.body) : undefined;
      if (marker?.topic !== topic || marker.part <= parts) continue;
      const what = `remove the comment ${topic}/${marker.part} from ${thread.repository}#${thread.number}`;
      if (gate.ask(what) !== 'go') continue;
      await forgeCall(what, () =>
        client.rest.issues
          .deleteComment({ ...split(thread.repository), comment_id: comment.id })
          // It is gone: by somebody else, or by a request whose answer got lost.
          .catch((error: unknown) => (statusOf(error) === 404 ? undefined : Promise.reject(error))),
      );
      threads.delete(keyOf(thread));
    }
  };

  return {
    readComments,
    ensureComments: async (thread, topic, texts) => {
      const results: Ensured<Comment>[] = [];
      for (const [index, text] of texts.entries())
        results.push(await ensureComment(thread, topic, index + 1, text));
      await removeLeftOver(thread, topic, texts.length);
      return results;
    },
  };
}

function keyOf(thread: Thread): string {
  return `${thread.repository}#${thread.number}`;
}
