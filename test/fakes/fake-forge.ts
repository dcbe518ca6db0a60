// A forge in memory, for tests that are about what is asked of a forge and not about how.
import type {
  Comment,
  Ensured,
  Forge,
  Issue,
  Permission,
  PullRequest,
  Thread,
} from '../../src/sync/publish/forge.ts';
import { readMarker, sameText, withMarker } from '../../src/sync/publish/marker.ts';
import type { WriteGate } from '../../src/sync/publish/write-gate.ts';

export interface FakeThread {
  readonly number: number;
  title: string;
  body: string;
  state: 'open' | 'closed' | 'merged';
  readonly author: string;
  /** How many comments it had when it was closed. */
  closedAfter: number;
  labels: string[];
  comments: FakeComment[];
  /** Undefined for an issue. */
  readonly pull: { readonly base: string; readonly branch: string; readonly draft: boolean } | undefined;
}

export interface FakeComment extends Comment {
  body: string;
  createdAt: string;
  readonly reactions: { readonly content: string; readonly login: string }[];
}

/** What is remembered between runs. */
export interface FakeGitHub {
  readonly threads: FakeThread[];
  readonly permissions: Map<string, Permission>;
  /** What a branch points to. */
  readonly headOf: (branch: string) => string | undefined;
  say(number: number, author: string, body: string): FakeComment;
}

const me = 'sync-bot';

export function makeFakeGitHub(headOf: (branch: string) => string | undefined): FakeGitHub {
  const threads: FakeThread[] = [];
  let ticks = 0;
  return {
    threads,
    permissions: new Map(),
    headOf,
    say(number, author, body) {
      const thread = threads.find((one) => one.number === number);
      if (thread === undefined) throw new Error(`there is no #${number}`);
      ticks += 1;
      const made: FakeComment = {
        id: 1000 + ticks,
        author,
        body,
        createdAt: new Date(Date.UTC(2024, 0, 1, 0, 0, ticks)).toISOString(),
        url: `https://forge.example.org/${number}#${ticks}`,
        reactions: [],
      };
      thread.comments.push(made);
      return made;
    },
  };
}

/** One run's view of it: every write passes the gate, as it does on the way to a real one. */
export function openFakeForge(github: FakeGitHub, gate: WriteGate): Forge {
  const find = (thread: Thread): FakeThread => {
    const found = github.threads.find(({ number }) => number === thread.number);
    if (found === undefined) throw new Error(`there is no #${thread.number}`);
    return found;
  };
  const asPull = (repository: string, thread: FakeThread): PullRequest => ({
    repository,
    number: thread.number,
    url: `https://forge.example.org/${thread.number}`,
    state: thread.state,
    draft: thread.pull?.draft === true,
    title: thread.title,
    body: thread.body,
    labels: thread.labels,
    base: thread.pull?.base ?? '',
    branch: thread.pull?.branch ?? '',
    head: github.headOf(thread.pull?.branch ?? '') ?? '',
    cloneUrl: 'https://forge.example.org/onyx.git',
  });
  const asIssue = (repository: string, thread: FakeThread): Issue => ({
    repository,
    number: thread.number,
    url: `https://forge.example.org/${thread.number}`,
    open: thread.state === 'open',
    title: thread.title,
    body: thread.body,
  });
  const write = <T>(
    what: string,
    kind: 'create' | 'update',
    edited: boolean,
    make: () => T,
    before?: T,
  ): Ensured<T> => {
    const answer = gate.ask(what);
    if (answer === 'over-limit') return { outcome: 'over-limit', value: before };
    if (answer === 'dry-run') return { outcome: `would-${kind}`, value: before };
    return kind === 'create'
      ? { outcome: 'created', value: make() }
      : { outcome: 'updated', value: make(), edited };
  };
  const add = (title: string, body: string, pull: FakeThread['pull']): FakeThread => {
    const thread: FakeThread = {
      number: github.threads.length + 1,
      title,
      body,
      state: 'open',
      author: me,
      closedAfter: 0,
      labels: [],
      comments: [],
      pull,
    };
    github.threads.push(thread);
    return thread;
  };
  const newest = (branch: string): FakeThread | undefined =>
    github.threads.findLast(({ pull }) => pull?.branch === branch);

  return {
    login: async () => me,
    findPullRequest: async ({ repository, branch }) => {
      const found = newest(branch);
      return found === undefined ? undefined : asPull(repository, found);
    },
    readPullRequest: async (thread) => asPull(thread.repository, find(thread)),
    readPullRequestCommits: async () => [],
    findIssue: async (repository, topic) => {
      const found = github.threads.find(
        ({ pull, body }) => pull === undefined && readMarker(body)?.topic === topic,
      );
      return found === undefined ? undefined : asIssue(repository, found);
    },
    readComments: async (thread) => [...find(thread).comments],
    commentsSinceClosed: async (thread) => {
      const { comments, closedAfter } = find(thread);
      return new Set(comments.slice(closedAfter).map(({ id }) => id));
    },
    permissionOf: async (_repository, login) => github.permissions.get(login) ?? 'read',
    async ensurePullRequest({ repository, base, branch, title, body, draft, evenIfClosed }) {
      const found = newest(branch);
      if (found?.state === 'closed' && !evenIfClosed)
        return { outcome: 'declined', value: asPull(repository, found) };
      const marked = withMarker({ topic: 'pull-request', part: 1 }, body, title);
      if (found?.state !== 'open')
        return write(`open a pull request of ${branch} into ${repository} ${base}`, 'create', false, () =>
          asPull(repository, add(title, marked, { base, branch, draft })),
        );
      if (found.title === title && sameText(found.body, marked))
        return { outcome: 'unchanged', value: asPull(repository, found) };
      return write(`edit the text of pull request ${found.number}`, 'update', false, () => {
        Object.assign(found, { title, body: marked });
        return asPull(repository, found);
      });
    },
    async ensureLabels(thread, wanted, ours) {
      const found = find(thread);
      const kept = found.labels.filter((name) => !ours.includes(name) || wanted.includes(name));
      const labels = [...new Set([...kept, ...wanted])];
      if (labels.join() === found.labels.join()) return { outcome: 'unchanged', value: labels };
      return write(`change the labels of ${thread.number}`, 'update', false, () => {
        found.labels = labels;
        return labels;
      });
    },
    async ensureComments(thread, topic, texts) {
      const { comments } = find(thread);
      return texts.map((text, index) => {
        const body = withMarker({ topic, part: index + 1 }, text);
        const before = comments.find((one) => {
          const marker = one.author === me ? readMarker(one.body) : undefined;
          return marker?.topic === topic && marker.part === index + 1;
        });
        if (before === undefined)
          return write<Comment>(`write the comment ${topic}/${index + 1}`, 'create', false, () =>
            github.say(thread.number, me, body),
          );
        if (sameText(before.body, body)) return { outcome: 'unchanged', value: before };
        const edited = readMarker(before.body)?.edited === true;
        return write<Comment>(`edit the comment ${topic}/${index + 1}`, 'update', edited, () =>
          Object.assign(before, { body }),
        );
      });
    },
    async ensureIssue({ repository, title, body }) {
      const marked = withMarker({ topic: 'status', part: 1 }, body);
      const found = github.threads.find(({ pull }) => pull === undefined);
      if (found === undefined)
        return write('open the issue', 'create', false, () =>
          asIssue(repository, add(title, marked, undefined)),
        );
      if (sameText(found.body, marked)) return { outcome: 'unchanged', value: asIssue(repository, found) };
      return write('edit the issue', 'update', false, () =>
        asIssue(repository, Object.assign(found, { body: marked })),
      );
    },
    async ensureReaction(_repository, comment, reaction) {
      const found = github.threads.flatMap(({ comments }) => comments).find(({ id }) => id === comment.id);
      if (found?.reactions.some(({ content }) => content === reaction) === true)
        return { outcome: 'unchanged', value: reaction };
      return write(`react to ${comment.id}`, 'create', false, () => {
        found?.reactions.push({ content: reaction, login: me });
        return reaction;
      });
    },
  };
}
