// What fork-sync asks of a forge: readings, and `ensure…` verbs that say what they found or changed; calling twice is safe.

/** `owner/name`. */
export type RepositoryName = string;

/** An issue or a pull request: comments and labels are alike on both. */
export interface Thread {
  readonly repository: RepositoryName;
  readonly number: number;
}

export interface PullRequest extends Thread {
  readonly url: string;
  readonly state: 'open' | 'closed' | 'merged';
  readonly draft: boolean;
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
  readonly base: string;
  readonly branch: string;
  readonly head: string;
  /** Where the branch can be fetched from; undefined when its repository is gone. */
  readonly cloneUrl: string | undefined;
}

export interface Issue extends Thread {
  readonly url: string;
  readonly open: boolean;
  readonly title: string;
  readonly body: string;
}

export interface Comment {
  /** Of two comments the later one has the higher number; times of a forge have whole seconds, and clocks are set. */
  readonly id: number;
  readonly author: string;
  readonly body: string;
  readonly createdAt: string;
  readonly url: string;
}

export type Permission = 'admin' | 'maintain' | 'write' | 'triage' | 'read' | 'none';

/** How a call came out that wanted something to be so. */
export type Ensured<T> =
  | { readonly outcome: 'created' | 'unchanged'; readonly value: T }
  /** `edited`: somebody had changed what stood there, which is now only in the forge's history of edits. */
  | { readonly outcome: 'updated'; readonly value: T; readonly edited: boolean }
  | { readonly outcome: 'would-create' | 'would-update' | 'over-limit'; readonly value: T | undefined }
  /** People closed it: that is their answer. */
  | { readonly outcome: 'declined'; readonly value: T };

export interface WantedPullRequest {
  readonly repository: RepositoryName;
  readonly base: string;
  /** Where the branch is, if not in `repository` itself. */
  readonly headRepository: RepositoryName;
  readonly branch: string;
  readonly title: string;
  readonly body: string;
  /** Only heeded when it is made: the REST interface cannot change it, and people may have. */
  readonly draft: boolean;
  /** A pull request that people closed is an answer, unless they asked again afterwards. */
  readonly evenIfClosed: boolean;
}

export interface WantedIssue {
  readonly repository: RepositoryName;
  /** Names the issue in a hidden marker, so that it is found again whatever its title says. */
  readonly topic: string;
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
}

export type Reaction = '+1' | '-1' | 'confused' | 'eyes';

export interface Forge {
  /** The account that writes: only its own comments and issues are ever edited. */
  login(): Promise<string>;
  /** The newest pull request from a branch into a base, whatever its state. */
  findPullRequest(
    wanted: Pick<WantedPullRequest, 'repository' | 'base' | 'headRepository' | 'branch'>,
  ): Promise<PullRequest | undefined>;
  readPullRequest(thread: Thread): Promise<PullRequest>;
  /** The commits of a pull request, oldest first. */
  readPullRequestCommits(thread: Thread): Promise<readonly string[]>;
  findIssue(repository: RepositoryName, topic: string): Promise<Issue | undefined>;
  readComments(thread: Thread): Promise<readonly Comment[]>;
  /** Ids of the comments that were written after a closed pull request was closed last, in the forge's own order. */
  commentsSinceClosed(thread: Thread): Promise<ReadonlySet<number>>;
  permissionOf(repository: RepositoryName, login: string): Promise<Permission>;
  ensurePullRequest(wanted: WantedPullRequest): Promise<Ensured<PullRequest>>;
  /** Labels of `ours` that are not wanted go; labels that people set stay. */
  ensureLabels(
    thread: Thread,
    wanted: readonly string[],
    ours: readonly string[],
  ): Promise<Ensured<readonly string[]>>;
  /** One comment a text, in order, edited in place; those of the topic that are left over are removed. */
  ensureComments(
    thread: Thread,
    topic: string,
    texts: readonly string[],
  ): Promise<readonly Ensured<Comment>[]>;
  ensureIssue(wanted: WantedIssue): Promise<Ensured<Issue>>;
  ensureReaction(
    repository: RepositoryName,
    comment: Comment,
    reaction: Reaction,
  ): Promise<Ensured<Reaction>>;
}

/** Which permissions let a person give commands. */
export function mayCommand(permission: Permission): boolean {
  return permission === 'admin' || permission === 'maintain' || permission === 'write';
}
