// Answers in the shapes of GitHub's description, made from the little that the stand-in remembers.

export interface KeptUser {
  readonly login: string;
  readonly id: number;
  readonly bot?: boolean;
}

export interface KeptComment {
  readonly id: number;
  readonly author: KeptUser;
  body: string;
  readonly createdAt: string;
  updatedAt: string;
  readonly reactions: { readonly id: number; readonly user: KeptUser; readonly content: string }[];
}

export interface KeptThread {
  readonly number: number;
  readonly id: number;
  readonly author: KeptUser;
  title: string;
  body: string;
  state: 'open' | 'closed';
  labels: string[];
  comments: KeptComment[];
  readonly createdAt: string;
  closedAt: string | null;
  /** How many comments it had when it was closed. */
  closedAfter?: number;
  /** A pull request has these. */
  pull?: { readonly base: string; readonly branch: string; draft: boolean; mergedAt: string | null };
}

export interface Place {
  readonly root: string;
  readonly owner: string;
  readonly name: string;
}

export function user({ login, id, bot = false }: KeptUser, root: string): Record<string, unknown> {
  const url = `${root}/users/${encodeURIComponent(login)}`;
  return {
    login,
    id,
    node_id: `U_${id}`,
    avatar_url: `${root}/avatars/${id}`,
    gravatar_id: '',
    url,
    html_url: `${root}/${encodeURIComponent(login)}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: bot ? 'Bot' : 'User',
    site_admin: false,
  };
}

export function account(kept: KeptUser, root: string): Record<string, unknown> {
  return {
    ...user(kept, root),
    name: null,
    company: null,
    blog: null,
    location: null,
    email: null,
    hireable: null,
    bio: null,
    public_repos: 0,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: '2020-01-01T00:00:00Z',
    updated_at: '2020-01-01T00:00:00Z',
  };
}

const urls =
  'archive_url assignees_url blobs_url branches_url collaborators_url comments_url commits_url compare_url contents_url contributors_url deployments_url downloads_url events_url forks_url git_commits_url git_refs_url git_tags_url hooks_url issue_comment_url issue_events_url issues_url keys_url labels_url languages_url merges_url milestones_url notifications_url pulls_url releases_url stargazers_url statuses_url subscribers_url subscription_url tags_url teams_url trees_url'.split(
    ' ',
  );

export function repository({ root, owner, name }: Place): Record<string, unknown> {
  const url = `${root}/repos/${owner}/${name}`;
  return {
    id: 1,
    node_id: 'R_1',
    name,
    full_name: `${owner}/${name}`,
    private: false,
    owner: user({ login: owner, id: 1 }, root),
    html_url: `${root}/${owner}/${name}`,
    description: null,
    fork: false,
    url,
    ...Object.fromEntries(urls.map((key) => [key, `${url}/${key.slice(0, -4)}`])),
    clone_url: `${root}/${owner}/${name}.git`,
    git_url: `git://localhost/${owner}/${name}.git`,
    ssh_url: `git@localhost:${owner}/${name}.git`,
    svn_url: `${root}/${owner}/${name}`,
    mirror_url: null,
    homepage: null,
    language: null,
    forks: 0,
    forks_count: 0,
    stargazers_count: 0,
    watchers: 0,
    watchers_count: 0,
    size: 0,
    default_branch: 'main',
    open_issues: 0,
    open_issues_count: 0,
    topics: [],
    has_issues: true,
    has_projects: false,
    has_wiki: false,
    has_pages: false,
    has_downloads: true,
    archived: false,
    disabled: false,
    visibility: 'public',
    pushed_at: '2024-01-01T00:00:00Z',
    created_at: '2024-01-01T00:00:00Z',
    updated_at: '2024-01-01T00:00:00Z',
    license: null,
  };
}

export function label(name: string, root: string): Record<string, unknown> {
  return {
    id: [...name].reduce((sum, letter) => sum * 31 + (letter.codePointAt(0) ?? 0), 7) % 1_000_000,
    node_id: 'L_1',
    url: `${root}/labels/${encodeURIComponent(name)}`,
    name,
    description: '',
    color: 'ededed',
    default: false,
  };
}

export function comment(kept: KeptComment, thread: KeptThread, place: Place): Record<string, unknown> {
  const url = `${place.root}/repos/${place.owner}/${place.name}`;
  return {
    id: kept.id,
    node_id: `IC_${kept.id}`,
    url: `${url}/issues/comments/${kept.id}`,
    html_url: `${place.root}/${place.owner}/${place.name}/issues/${thread.number}#issuecomment-${kept.id}`,
    issue_url: `${url}/issues/${thread.number}`,
    user: user(kept.author, place.root),
    created_at: kept.createdAt,
    updated_at: kept.updatedAt,
    author_association: 'NONE',
    body: kept.body,
    performed_via_github_app: null,
  };
}

/** What happened on a thread, as far as the stand-in remembers it, in the order in which it did. */
export function timeline(kept: KeptThread, place: Place): readonly Record<string, unknown>[] {
  const url = `${place.root}/repos/${place.owner}/${place.name}/issues`;
  const commented = kept.comments.map((one) => ({
    ...comment(one, kept, place),
    event: 'commented',
    actor: user(one.author, place.root),
  }));
  const closed = {
    id: kept.id,
    node_id: `CE_${kept.id}`,
    url: `${url}/events/${kept.id}`,
    actor: user(kept.author, place.root),
    event: 'closed',
    commit_id: null,
    commit_url: null,
    created_at: kept.closedAt,
    performed_via_github_app: null,
  };
  return kept.closedAfter === undefined
    ? commented
    : [...commented.slice(0, kept.closedAfter), closed, ...commented.slice(kept.closedAfter)];
}

export function issue(kept: KeptThread, place: Place): Record<string, unknown> {
  const url = `${place.root}/repos/${place.owner}/${place.name}/issues/${kept.number}`;
  const page = `${place.root}/${place.owner}/${place.name}/issues/${kept.number}`;
  return {
    id: kept.id,
    node_id: `I_${kept.id}`,
    url,
    repository_url: `${place.root}/repos/${place.owner}/${place.name}`,
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    html_url: page,
    number: kept.number,
    state: kept.state,
    title: kept.title,
    body: kept.body,
    user: user(kept.author, place.root),
    labels: kept.labels.map((name) => label(name, place.root)),
    assignee: null,
    assignees: [],
    milestone: null,
    locked: false,
    active_lock_reason: null,
    comments: kept.comments.length,
    closed_at: kept.closedAt,
    created_at: kept.createdAt,
    updated_at: kept.createdAt,
    author_association: 'NONE',
    state_reason: null,
    ...(kept.pull === undefined
      ? {}
      : { pull_request: { url, html_url: page, diff_url: `${page}.diff`, patch_url: `${page}.patch` } }),
  };
}

export function pullRequest(
  kept: KeptThread,
  place: Place,
  shas: { readonly head: string; readonly base: string },
): Record<string, unknown> {
  const { pull } = kept;
  if (pull === undefined) throw new Error('not a pull request');
  const url = `${place.root}/repos/${place.owner}/${place.name}/pulls/${kept.number}`;
  const page = `${place.root}/${place.owner}/${place.name}/pull/${kept.number}`;
  const { comments: _count, pull_request: _links, events_url: _events, ...common } = issue(kept, place);
  const side = (ref: string, sha: string): Record<string, unknown> => ({
    label: `${place.owner}:${ref}`,
    ref,
    sha,
    user: user({ login: place.owner, id: 1 }, place.root),
    repo: repository(place),
  });
  return {
    ...common,
    url,
    html_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    issue_url: `${place.root}/repos/${place.owner}/${place.name}/issues/${kept.number}`,
    commits_url: `${url}/commits`,
    review_comments_url: `${url}/comments`,
    review_comment_url: `${url}/comments{/number}`,
    comments_url: `${place.root}/repos/${place.owner}/${place.name}/issues/${kept.number}/comments`,
    statuses_url: `${place.root}/repos/${place.owner}/${place.name}/statuses/${shas.head}`,
    merged_at: pull.mergedAt,
    merge_commit_sha: null,
    requested_reviewers: [],
    requested_teams: [],
    head: side(pull.branch, shas.head),
    base: side(pull.base, shas.base),
    _links: Object.fromEntries(
      'self html issue comments review_comments review_comment commits statuses'
        .split(' ')
        .map((name) => [name, { href: `${url}/${name}` }]),
    ),
    auto_merge: null,
    draft: pull.draft,
    merged: pull.mergedAt !== null,
    mergeable: true,
    rebaseable: true,
    mergeable_state: 'clean',
    merged_by: null,
    comments: kept.comments.length,
    review_comments: 0,
    maintainer_can_modify: false,
    commits: 1,
    additions: 0,
    deletions: 0,
    changed_files: 0,
  };
}

export function commit(sha: string, place: Place): Record<string, unknown> {
  const url = `${place.root}/repos/${place.owner}/${place.name}/commits/${sha}`;
  return {
    url,
    sha,
    node_id: `C_${sha}`,
    html_url: url,
    comments_url: `${url}/comments`,
    commit: {
      url,
      author: null,
      committer: null,
      message: '',
      comment_count: 0,
      tree: { sha, url },
    },
    author: null,
    committer: null,
    parents: [],
  };
}

export function integration(id: number, root: string): Record<string, unknown> {
  return {
    id,
    slug: 'sync-app',
    node_id: `A_${id}`,
    owner: user({ login: 'mine', id: 1 }, root),
    name: 'Sync',
    description: null,
    external_url: root,
    html_url: `${root}/apps/sync-app`,
    created_at: '2024-01-01T00:00:00Z',
    updated_at: '2024-01-01T00:00:00Z',
    permissions: { contents: 'write' },
    events: [],
  };
}

export function installation(app: number, root: string): Record<string, unknown> {
  const url = `${root}/app/installations/77`;
  return {
    id: 77,
    account: user({ login: 'mine', id: 1 }, root),
    repository_selection: 'selected',
    access_tokens_url: `${url}/access_tokens`,
    repositories_url: `${root}/installation/repositories`,
    html_url: url,
    app_id: app,
    app_slug: 'sync-app',
    target_id: 1,
    target_type: 'Organization',
    permissions: { contents: 'write' },
    events: [],
    created_at: '2024-01-01T00:00:00Z',
    updated_at: '2024-01-01T00:00:00Z',
    single_file_name: null,
    suspended_by: null,
    suspended_at: null,
  };
}
