// Between GitHub's words and ours: the halves of a repository's name, and answers as the values of the forge.
import type { Comment, Issue, PullRequest } from '../forge.ts';

export function split(repository: string): { readonly owner: string; readonly repo: string } {
  const [owner = '', repo = ''] = repository.split('/');
  return { owner, repo };
}

interface PullRequestAnswer {
  readonly number: number;
  readonly html_url: string;
  readonly state: string;
  readonly merged_at: string | null;
  readonly draft?: boolean;
  readonly title: string;
  readonly body: string | null;
  readonly labels: readonly { readonly name?: string }[];
  readonly base: { readonly ref: string };
  readonly head: {
    readonly ref: string;
    readonly sha: string;
    readonly repo: { readonly clone_url?: string } | null;
  };
}

export function asPullRequest(repository: string, pull: PullRequestAnswer): PullRequest {
  return {
    repository,
    number: pull.number,
    url: pull.html_url,
    state: pull.merged_at !== null ? 'merged' : pull.state === 'open' ? 'open' : 'closed',
    draft: pull.draft === true,
    title: pull.title,
    body: pull.body ?? '',
    labels: pull.labels.flatMap(({ name }) => (name === undefined ? [] : [name])),
    base: pull.base.ref,
    branch: pull.head.ref,
    head: pull.head.sha,
    cloneUrl: pull.head.repo?.clone_url,
  };
}

interface CommentAnswer {
  readonly id: number;
  readonly body?: string | undefined;
  readonly user: { readonly login: string } | null;
  readonly created_at: string;
  readonly html_url: string;
}

export function asComment(comment: CommentAnswer): Comment {
  return {
    id: comment.id,
    // GitHub shows what deleted accounts wrote as the account `ghost`.
    author: comment.user?.login ?? 'ghost',
    body: comment.body ?? '',
    createdAt: comment.created_at,
    url: comment.html_url,
  };
}

interface IssueAnswer {
  readonly number: number;
  readonly html_url: string;
  readonly state: string;
  readonly title: string;
  readonly body?: string | null | undefined;
}

export function asIssue(repository: string, issue: IssueAnswer): Issue {
  return {
    repository,
    number: issue.number,
    url: issue.html_url,
    open: issue.state === 'open',
    title: issue.title,
    body: issue.body ?? '',
  };
}
