// Between GitHub's words and ours: the halves of a repository's name, and answers as the values of the forge.
import * as z from 'zod';
import { syncFailure } from '../../problem.ts';
import type { Comment, Issue, PullRequest } from '../forge.ts';

export function split(repository: string): { readonly owner: string; readonly repo: string } {
  const [owner = '', repo = ''] = repository.split('/');
  return { owner, repo };
}

const text = z.string().nullish();

const pullRequestAnswer = z.object({
  number: z.int(),
  html_url: z.string(),
  state: z.string(),
  merged_at: z.string().nullable(),
  draft: z.boolean().optional(),
  title: z.string(),
  body: text,
  labels: z.array(z.object({ name: z.string().optional() })),
  base: z.object({ ref: z.string() }),
  head: z.object({
    ref: z.string(),
    sha: z.string(),
    repo: z.object({ clone_url: z.string().optional() }).nullable(),
  }),
});

export function asPullRequest(repository: string, answer: unknown): PullRequest {
  const pull = parse('a pull request', pullRequestAnswer, answer);
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

const commentAnswer = z.object({
  id: z.int(),
  body: text,
  user: z.object({ login: z.string() }).nullable(),
  created_at: z.string(),
  html_url: z.string(),
});

export function asComment(answer: unknown): Comment {
  const comment = parse('a comment', commentAnswer, answer);
  return {
    id: comment.id,
    // GitHub shows what deleted accounts wrote as the account `ghost`.
    author: comment.user?.login ?? 'ghost',
    body: comment.body ?? '',
    createdAt: comment.created_at,
    url: comment.html_url,
  };
}

const issueAnswer = z.object({
  number: z.int(),
  html_url: z.string(),
  state: z.string(),
  title: z.string(),
  body: text,
});

export function asIssue(repository: string, answer: unknown): Issue {
  const issue = parse('an issue', issueAnswer, answer);
  return {
    repository,
    number: issue.number,
    url: issue.html_url,
    open: issue.state === 'open',
    title: issue.title,
    body: issue.body ?? '',
  };
}

const shaAnswer = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) });

export function asSha(answer: unknown): string {
  return parse('a commit', shaAnswer, answer).sha;
}

/** Other versions of GitHub, and what only speaks like it, answer in other forms. */
function parse<T>(what: string, schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  const why = first === undefined ? '' : `${first.path.join('.')}: ${first.message}`;
  throw syncFailure({ code: 'forge-odd', what, why });
}
