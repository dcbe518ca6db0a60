// A GitHub over HTTP for tests: it remembers, it has a bare git repository behind it, and it can fail in every known way.
import { execFileSync, spawn } from 'node:child_process';
import { type KeyObject, verify } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { type JudgedRequest, openJudge } from './openapi.ts';
import type { KeptComment, KeptThread, KeptUser } from './shapes.ts';
import * as shapes from './shapes.ts';

export interface Call {
  readonly route: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly authorization: string;
}

export type FaultKind =
  | 'bad-gateway'
  /** The write is made, and the answer is a 502. */
  | 'bad-gateway-after'
  /** The write is made, and the connection breaks. */
  | 'lost-reply'
  | 'rate-limit'
  | 'secondary-limit'
  /** Another client was faster by a moment. */
  | 'done-by-another';

export interface Fault {
  readonly kind: FaultKind;
  readonly route: string;
  times: number;
}

export interface StandInOptions {
  /** A bare repository: `owner/name` on the forge. */
  readonly gitDir: string;
  readonly token?: string;
  readonly login?: string;
  readonly pageSize?: number;
  /** Seconds by which the forge's clock is ahead of this machine's. */
  readonly clockAhead?: number;
  /** A second `owner/name` that can be read and never written to. */
  readonly alsoNamed?: string;
  /** A GitHub App, by the public half of its key. */
  readonly app?: { readonly id: number; readonly publicKey: KeyObject };
}

export interface StandIn {
  readonly url: string;
  readonly repository: string;
  readonly token: string;
  readonly calls: Call[];
  /** What was against GitHub's description; a test asks that it stays empty. */
  readonly violations: string[];
  readonly threads: KeptThread[];
  readonly permissions: Map<string, string>;
  readonly faults: Fault[];
  /** What git is answered: `push` is the route of a push, and the kinds are those of the interface. */
  readonly gitFaults: Fault[];
  /** Called when a push has arrived and nothing of it is taken yet. */
  beforePush: () => void;
  /** Called when a write over the interface has been answered. */
  afterWrite: () => void;
  /** Writes over the interface, without those for tokens. */
  writes(): readonly Call[];
  say(number: number, login: string, body: string): KeptComment;
  /** Somebody closes a thread. */
  shut(number: number): void;
  /** Somebody opens a pull request; of another repository if one is named. */
  open(
    login: string,
    branch: string,
    from?: { readonly gitDir: string; readonly base: string; readonly head: string },
  ): number;
  close(): Promise<void>;
}

interface Request extends JudgedRequest {
  readonly who: KeptUser | undefined;
  /** What is wrong with the signature of an app, or undefined for a good one. */
  readonly app: string | undefined;
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

type Handler = (request: Request) => Answer;

const owner = 'mine';
const name = 'onyx';

export async function startGitHub(options: StandInOptions): Promise<StandIn> {
  const judge = openJudge();
  const { gitDir, token = 'ghs_standintoken0123456789', login = 'sync-bot' } = options;
  const calls: Call[] = [];
  const violations: string[] = [];
  const threads: KeptThread[] = [];
  const faults: Fault[] = [];
  const gitFaults: Fault[] = [];
  const permissions = new Map<string, string>();
  const users = new Map<string, KeptUser>();
  let ids = 1000;
  let ticks = 0;
  const nextId = (): number => {
    ids += 1;
    return ids;
  };
  const userOf = (who: string): KeptUser => {
    const known = users.get(who) ?? { login: who, id: nextId(), bot: who.endsWith('[bot]') };
    users.set(who, known);
    return known;
  };
  /** Each moment is a second later than the one before, as seen by the forge's clock. */
  const now = (): string => {
    ticks += 1;
    const at = Date.now() + (options.clockAhead ?? 0) * 1000 + ticks * 1000;
    return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
  };
  const git = (...args: string[]): string =>
    execFileSync('git', [`--git-dir=${gitDir}`, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  /** Loose refs only: a bare repository that is pushed to has no others. */
  const shaOf = (branch: string): string | undefined => {
    const path = join(gitDir, 'refs', 'heads', branch);
    return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
  };
  let root = '';
  const place = () => ({ root, owner, name });
  const lastHeads = new Map<number, string>();
  const elsewhere = new Map<
    number,
    { readonly gitDir: string; readonly base: string; readonly head: string }
  >();
  const asPull = (thread: KeptThread) => {
    const { branch = '', base = '' } = thread.pull ?? {};
    const head = shaOf(branch) ?? lastHeads.get(thread.number) ?? '';
    lastHeads.set(thread.number, head);
    return shapes.pullRequest(thread, place(), { head, base: shaOf(base) ?? '' });
  };
  const threadOf = (number: string | undefined): KeptThread | undefined =>
    threads.find((thread) => thread.number === Number(number));
  const addThread = (author: KeptUser, title: string, body: string): KeptThread => {
    const thread: KeptThread = {
      number: threads.length + 1,
      id: nextId(),
      author,
      title,
      body,
      state: 'open',
      labels: [],
      comments: [],
      createdAt: now(),
      closedAt: null,
    };
    threads.push(thread);
    return thread;
  };
  const addComment = (thread: KeptThread, author: KeptUser, body: string): KeptComment => {
    const at = now();
    const made: KeptComment = { id: nextId(), author, body, createdAt: at, updatedAt: at, reactions: [] };
    thread.comments.push(made);
    return made;
  };
  const notFound: Answer = {
    status: 404,
    body: { message: 'Not Found', documentation_url: 'https://docs.github.com/rest', status: '404' },
  };
  const invalid = (message: string, resource: string): Answer => ({
    status: 422,
    body: {
      message: 'Validation Failed',
      errors: [{ resource, code: 'custom', message }],
      documentation_url: 'https://docs.github.com/rest',
    },
  });
  const page = (request: Request, items: readonly unknown[], path: string): Answer => {
    const size = Math.min(Number(request.query.get('per_page') ?? 30), options.pageSize ?? 100);
    const number = Number(request.query.get('page') ?? 1);
    const more = number * size < items.length;
    const next = new URLSearchParams(request.query);
    next.set('page', String(number + 1));
    return {
      status: 200,
      body: items.slice((number - 1) * size, number * size),
      headers: more ? { link: `<${root}${path}?${next}>; rel="next"` } : {},
    };
  };
  const notSigned = (message: string): Answer => ({
    status: 401,
    body: { message, documentation_url: 'https://docs.github.com/rest' },
  });
  const repositoryPath = `/repos/${owner}/${name}`;
  /** Keys of a JSON body as text; the judge has looked at it already. */
  const field = (request: Request, key: string): string | undefined => {
    const value = (request.body as Record<string, unknown> | undefined)?.[key];
    return value === undefined ? undefined : String(value);
  };
  const mayWrite = (who: KeptUser | undefined): boolean =>
    who !== undefined && ['admin', 'maintain', 'write'].includes(permissions.get(who.login) ?? 'none');
  permissions.set(login, 'write');

  const routes: Readonly<Record<string, Handler>> = {
    'GET /user': ({ who }) =>
      who === undefined
        ? { status: 401, body: { message: 'Requires authentication', documentation_url: '' } }
        : { status: 200, body: shapes.account(who, root) },
    'GET /app': ({ app }) =>
      app === undefined
        ? { status: 200, body: shapes.integration(options.app?.id ?? 0, root) }
        : notSigned(app),
    'GET /repos/{owner}/{repo}/installation': ({ app }) =>
      app === undefined
        ? { status: 200, body: shapes.installation(options.app?.id ?? 0, root) }
        : notSigned(app),
    'POST /app/installations/{installation_id}/access_tokens': ({ app }) =>
      app === undefined
        ? {
            status: 201,
            body: { token, expires_at: new Date(Date.now() + 3_600_000).toISOString(), permissions: {} },
          }
        : notSigned(app),
    'GET /repos/{owner}/{repo}/pulls': (request) => {
      const [, branch] = (request.query.get('head') ?? ':').split(':');
      const state = request.query.get('state') ?? 'open';
      const found = threads
        .filter(({ pull }) => pull !== undefined)
        .filter(({ pull }) => branch === '' || pull?.branch === branch)
        .filter(({ pull }) => [null, pull?.base].includes(request.query.get('base')))
        .filter((thread) => state === 'all' || thread.state === state)
        .toReversed();
      return page(
        request,
        found.map(asPull).map(({ body, ...rest }) => ({ ...rest, body })),
        `${repositoryPath}/pulls`,
      );
    },
    'POST /repos/{owner}/{repo}/pulls': (request) => {
      if (!mayWrite(request.who)) return notFound;
      const branch = field(request, 'head') ?? '';
      const base = field(request, 'base') ?? '';
      if (threads.some((thread) => thread.state === 'open' && thread.pull?.branch === branch))
        return invalid(`A pull request already exists for ${owner}:${branch}.`, 'PullRequest');
      if (shaOf(branch) === undefined) return invalid('head does not exist', 'PullRequest');
      const title = field(request, 'title') ?? '';
      if (title.length > 256) return invalid('title is too long (maximum is 256 characters)', 'PullRequest');
      if (shaOf(base) === shaOf(branch))
        return invalid(`No commits between ${base} and ${branch}`, 'PullRequest');
      const thread = addThread(request.who ?? userOf('ghost'), title, field(request, 'body') ?? '');
      thread.pull = { base, branch, draft: field(request, 'draft') === 'true', mergedAt: null };
      return { status: 201, body: asPull(thread) };
    },
    'GET /repos/{owner}/{repo}/pulls/{pull_number}': (request) => {
      const thread = threadOf(request.path['pull_number']);
      return thread?.pull === undefined ? notFound : { status: 200, body: asPull(thread) };
    },
    'PATCH /repos/{owner}/{repo}/pulls/{pull_number}': (request) => {
      const thread = threadOf(request.path['pull_number']);
      if (thread?.pull === undefined || !mayWrite(request.who)) return notFound;
      thread.title = field(request, 'title') ?? thread.title;
      thread.body = field(request, 'body') ?? thread.body;
      return { status: 200, body: asPull(thread) };
    },
    'GET /repos/{owner}/{repo}/pulls/{pull_number}/commits': (request) => {
      const thread = threadOf(request.path['pull_number']);
      if (thread?.pull === undefined) return notFound;
      const from = elsewhere.get(thread.number) ?? {
        gitDir,
        base: thread.pull.base,
        head: thread.pull.branch,
      };
      const range = `refs/heads/${from.base}..refs/heads/${from.head}`;
      const shas = git(`--git-dir=${from.gitDir}`, 'rev-list', '--reverse', range)
        .split('\n')
        .filter(Boolean);
      return page(
        request,
        shas.map((sha) => shapes.commit(sha, place())),
        `${repositoryPath}/pulls/${thread.number}/commits`,
      );
    },
    'GET /repos/{owner}/{repo}/issues': (request) => {
      const creator = request.query.get('creator');
      const state = request.query.get('state') ?? 'open';
      const found = threads
        .filter((thread) => creator === null || thread.author.login === creator)
        .filter((thread) => state === 'all' || thread.state === state)
        .map((thread) => shapes.issue(thread, place()));
      return page(request, found, `${repositoryPath}/issues`);
    },
    'POST /repos/{owner}/{repo}/issues': (request) => {
      if (request.who === undefined) return notFound;
      const thread = addThread(request.who, field(request, 'title') ?? '', field(request, 'body') ?? '');
      const { labels = [] } = request.body as { readonly labels?: readonly string[] };
      thread.labels = [...labels];
      return { status: 201, body: shapes.issue(thread, place()) };
    },
    'PATCH /repos/{owner}/{repo}/issues/{issue_number}': (request) => {
      const thread = threadOf(request.path['issue_number']);
      if (thread === undefined || !mayWrite(request.who)) return notFound;
      thread.title = field(request, 'title') ?? thread.title;
      thread.body = field(request, 'body') ?? thread.body;
      return { status: 200, body: shapes.issue(thread, place()) };
    },
    'GET /repos/{owner}/{repo}/issues/{issue_number}/comments': (request) => {
      const thread = threadOf(request.path['issue_number']);
      if (thread === undefined) return notFound;
      const found = thread.comments.map((comment) => shapes.comment(comment, thread, place()));
      return page(request, found, `${repositoryPath}/issues/${thread.number}/comments`);
    },
    'GET /repos/{owner}/{repo}/issues/{issue_number}/timeline': (request) => {
      const thread = threadOf(request.path['issue_number']);
      if (thread === undefined) return notFound;
      const found = shapes.timeline(thread, place());
      return page(request, found, `${repositoryPath}/issues/${thread.number}/timeline`);
    },
    'POST /repos/{owner}/{repo}/issues/{issue_number}/comments': (request) => {
      const thread = threadOf(request.path['issue_number']);
      if (thread === undefined || request.who === undefined) return notFound;
      const body = field(request, 'body') ?? '';
      if ([...body].length > 65_536)
        return invalid('body is too long (maximum is 65536 characters)', 'IssueComment');
      return { status: 201, body: shapes.comment(addComment(thread, request.who, body), thread, place()) };
    },
    'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}': (request) => {
      for (const thread of threads)
        for (const comment of thread.comments) {
          if (comment.id !== Number(request.path['comment_id'])) continue;
          if (comment.author.login !== request.who?.login && !mayWrite(request.who)) return notFound;
          comment.body = field(request, 'body') ?? comment.body;
          comment.updatedAt = now();
          return { status: 200, body: shapes.comment(comment, thread, place()) };
        }
      return notFound;
    },
    'DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}': (request) => {
      for (const thread of threads)
        thread.comments = thread.comments.filter(({ id }) => id !== Number(request.path['comment_id']));
      return { status: 204 };
    },
    'GET /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions': (request) => {
      const comment = threads
        .flatMap(({ comments }) => comments)
        .find(({ id }) => id === Number(request.path['comment_id']));
      if (comment === undefined) return notFound;
      const found = comment.reactions
        .filter(({ content }) => [null, content].includes(request.query.get('content')))
        .map(({ id, user, content }) => ({
          id,
          node_id: `RE_${id}`,
          user: shapes.user(user, root),
          content,
          created_at: '2024-01-01T00:00:00Z',
        }));
      return page(request, found, `${repositoryPath}/issues/comments/${comment.id}/reactions`);
    },
    'POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions': (request) => {
      const comment = threads
        .flatMap(({ comments }) => comments)
        .find(({ id }) => id === Number(request.path['comment_id']));
      const { who } = request;
      if (comment === undefined || who === undefined) return notFound;
      const content = field(request, 'content') ?? '';
      const before = comment.reactions.find((one) => one.user.login === who.login && one.content === content);
      const reaction = before ?? { id: nextId(), user: who, content };
      if (before === undefined) comment.reactions.push(reaction);
      return {
        status: before === undefined ? 201 : 200,
        body: {
          id: reaction.id,
          node_id: `RE_${reaction.id}`,
          user: shapes.user(who, root),
          content,
          created_at: '2024-01-01T00:00:00Z',
        },
      };
    },
    'GET /repos/{owner}/{repo}/issues/{issue_number}/labels': (request) => {
      const thread = threadOf(request.path['issue_number']);
      if (thread === undefined) return notFound;
      return page(
        request,
        thread.labels.map((text) => shapes.label(text, root)),
        `${repositoryPath}/issues/${thread.number}/labels`,
      );
    },
    'POST /repos/{owner}/{repo}/issues/{issue_number}/labels': (request) => {
      const thread = threadOf(request.path['issue_number']);
      if (thread === undefined || !mayWrite(request.who)) return notFound;
      const { labels } = request.body as { readonly labels: readonly string[] };
      thread.labels = [...new Set([...thread.labels, ...labels])];
      return { status: 200, body: thread.labels.map((text) => shapes.label(text, root)) };
    },
    'DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}': (request) => {
      const thread = threadOf(request.path['issue_number']);
      if (thread === undefined || !mayWrite(request.who)) return notFound;
      thread.labels = thread.labels.filter((text) => text !== request.path['name']);
      return { status: 200, body: thread.labels.map((text) => shapes.label(text, root)) };
    },
    'GET /repos/{owner}/{repo}/collaborators/{username}/permission': (request) => {
      const who = request.path['username'] ?? '';
      if (!users.has(who) && !permissions.has(who)) return notFound;
      const role = permissions.get(who) ?? 'read';
      const permission = role === 'maintain' ? 'write' : role === 'triage' ? 'read' : role;
      return {
        status: 200,
        body: { permission, role_name: role, user: { ...shapes.user(userOf(who), root), role_name: role } },
      };
    },
  };
  const patterns = Object.keys(routes).map((route) => {
    const [method = '', template = ''] = route.split(' ');
    const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, found = '']) => found);
    return { route, method, names, test: new RegExp(`^${template.replace(/\{\w+\}/g, '([^/]+)')}$`) };
  });

  const limitHeaders = (left: number): Record<string, string> => ({
    'x-ratelimit-limit': '5000',
    'x-ratelimit-remaining': String(left),
    'x-ratelimit-reset': String(Math.floor(Date.parse(now()) / 1000) + 60),
    date: new Date(Date.now() + (options.clockAhead ?? 0) * 1000).toUTCString(),
  });

  const answerApi = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(message.url ?? '/', 'http://localhost');
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(Buffer.from(chunk));
    const method = message.method ?? 'GET';
    const path = url.pathname.replace(/^\/api\/v3/, '');
    const authorization = message.headers.authorization ?? '';
    const finish = (route: string, answer: Answer): void => {
      calls.push({ route, method, path, status: answer.status, authorization });
      if (route !== '')
        violations.push(
          ...judge.response(route, answer.status, answer.body).map((error) => `answer: ${error}`),
        );
      if (method !== 'GET') response.once('finish', () => standIn.afterWrite());
      response.writeHead(answer.status, {
        'content-type': 'application/json; charset=utf-8',
        ...limitHeaders(4000),
        ...answer.headers,
      });
      response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
    };
    const pattern = patterns.find((one) => one.method === method && one.test.test(path));
    if (pattern === undefined) {
      violations.push(`no such route: ${method} ${path}`);
      return finish('', notFound);
    }
    const values = (pattern.test.exec(path) ?? []).slice(1).map(decodeURIComponent);
    const text = Buffer.concat(chunks).toString('utf8');
    const request: Request = {
      path: Object.fromEntries(pattern.names.map((key, index) => [key, values[index] ?? ''])),
      query: url.searchParams,
      body: text === '' ? undefined : JSON.parse(text),
      who: authorization === `token ${token}` ? userOf(login) : undefined,
      app: faultOfApp(authorization, options),
    };
    const { route } = pattern;
    violations.push(...judge.request(route, request).map((error) => `request: ${error}`));
    if (authorization !== '' && request.who === undefined && !authorization.startsWith('bearer '))
      return finish(route, {
        status: 401,
        body: { message: 'Bad credentials', documentation_url: 'https://docs.github.com/rest' },
      });
    const named = `${values[0]}/${values[1]}`;
    const known = named === `${owner}/${name}` || (method === 'GET' && named === options.alsoNamed);
    if (request.path['owner'] !== undefined && !known) return finish(route, notFound);
    const fault = faults.find((one) => one.times > 0 && one.route === route);
    if (fault === undefined) return finish(route, (routes[route] ?? (() => notFound))(request));
    fault.times -= 1;
    const limited = (text: string, headers: Record<string, string>): void =>
      finish(route, { status: 403, body: { message: text, documentation_url: '' }, headers });
    switch (fault.kind) {
      case 'bad-gateway':
        return finish(route, { status: 502, body: { message: 'Server Error' } });
      case 'bad-gateway-after':
        routes[route]?.(request);
        return finish(route, { status: 502, body: { message: 'Server Error' } });
      case 'lost-reply':
        routes[route]?.(request);
        calls.push({ route, method, path, status: 0, authorization });
        message.socket.destroy();
        return;
      case 'done-by-another':
        routes[route]?.(request);
        return finish(route, (routes[route] ?? (() => notFound))(request));
      case 'rate-limit':
        return limited('API rate limit exceeded for installation ID 1.', limitHeaders(0));
      case 'secondary-limit':
        return limited('You have exceeded a secondary rate limit. Please wait.', { 'retry-after': '30' });
    }
  };

  const server: Server = createServer((message, response) => {
    const answer = /^\/[^/]+\/[^/]+\.git\//.test(message.url ?? '')
      ? answerGit(message, response, {
          gitDir,
          token,
          prefix: `/${owner}/${name}.git`,
          faults: gitFaults,
          beforePush: () => standIn.beforePush(),
        })
      : answerApi(message, response);
    answer.catch((error: unknown) => {
      violations.push(`the stand-in broke: ${error instanceof Error ? error.stack : String(error)}`);
      response.writeHead(500).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  root = `http://127.0.0.1:${address.port}`;
  const standIn: StandIn = {
    url: root,
    repository: `${owner}/${name}`,
    token,
    calls,
    violations,
    threads,
    permissions,
    faults,
    gitFaults,
    beforePush: () => {},
    afterWrite: () => {},
    writes: () => calls.filter(({ method }) => method !== 'GET'),
    open(who, branch, from) {
      const thread = addThread(userOf(who), branch, '');
      thread.pull = { base: 'main', branch, draft: false, mergedAt: null };
      if (from !== undefined) elsewhere.set(thread.number, from);
      return thread.number;
    },
    say(number, who, body) {
      const thread = threadOf(String(number));
      if (thread === undefined) throw new Error(`there is no #${number}`);
      return addComment(thread, userOf(who), body);
    },
    shut(number) {
      const thread = threadOf(String(number));
      if (thread === undefined) throw new Error(`there is no #${number}`);
      Object.assign(thread, { state: 'closed', closedAt: now(), closedAfter: thread.comments.length });
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return standIn;
}

/** GitHub looks at the times by its own clock, and takes no more than ten minutes. */
function faultOfApp(authorization: string, { app, clockAhead = 0 }: StandInOptions): string | undefined {
  const [head = '', body = '', signature = ''] = authorization.replace(/^bearer /, '').split('.');
  if (app === undefined || signature === '') return 'A JSON web token could not be decoded';
  const right = verify(
    'RSA-SHA256',
    Buffer.from(`${head}.${body}`),
    app.publicKey,
    Buffer.from(signature, 'base64url'),
  );
  const { iss, exp, iat } = JSON.parse(Buffer.from(body, 'base64url').toString());
  if (!right || Number(iss) !== app.id) return 'A JSON web token could not be decoded';
  const now = Date.now() / 1000 + clockAhead;
  if (exp < now || exp > now + 660)
    return "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires";
  return iat > now + 1
    ? "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
    : undefined;
}

/** Git's own protocol, by git's own server; writing needs the token. */
async function answerGit(
  message: IncomingMessage,
  response: ServerResponse,
  options: {
    readonly gitDir: string;
    readonly token: string;
    readonly prefix: string;
    readonly faults: readonly Fault[];
    readonly beforePush: () => void;
  },
): Promise<void> {
  const url = new URL(message.url ?? '/', 'http://localhost');
  const path = url.pathname;
  const expected = `Basic ${Buffer.from(`x-access-token:${options.token}`).toString('base64')}`;
  const known = message.headers.authorization === expected;
  const writes = path.endsWith('/git-receive-pack') || url.searchParams.get('service') === 'git-receive-pack';
  if (!path.startsWith(options.prefix) || (writes && !known) || (message.headers.authorization && !known)) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="stand-in"' }).end();
    return;
  }
  // A push asks twice: for the refs, and with what it wants.
  const isPush = path.endsWith('/git-receive-pack') && message.method === 'POST';
  if (isPush) options.beforePush();
  const fault = isPush ? options.faults.find(({ times }) => times > 0) : undefined;
  if (fault !== undefined) fault.times -= 1;
  if (fault?.kind === 'bad-gateway') {
    response.writeHead(502).end();
    return;
  }
  // As `git http-backend` starts it, of which there would be two processes more for each request (http-backend.c).
  const service = writes ? 'receive-pack' : 'upload-pack';
  const advertises = path.endsWith('/info/refs');
  const how = advertises ? '--http-backend-info-refs' : '--stateless-rpc';
  const protocol = String(message.headers['git-protocol'] ?? '');
  const child = spawn('git', [service, how, '.'], {
    cwd: options.gitDir,
    env: {
      PATH: process.env['PATH'],
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_PROTOCOL: protocol,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.on('error', () => {});
  (message.headers['content-encoding'] === 'gzip' ? message.pipe(createGunzip()) : message).pipe(child.stdin);
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(Buffer.from(chunk));
  if (fault?.kind === 'lost-reply') {
    message.socket.destroy();
    return;
  }
  // Protocol 2 needs no telling which service answers.
  const first = `# service=git-${service}\n`;
  const line = (first.length + 4).toString(16).padStart(4, '0');
  const named = advertises && protocol !== 'version=2';
  response.writeHead(200, {
    'cache-control': 'no-cache, max-age=0, must-revalidate',
    'content-type': `application/x-git-${service}-${advertises ? 'advertisement' : 'result'}`,
  });
  response.end(Buffer.concat([Buffer.from(named ? `${line}${first}0000` : ''), ...chunks]));
}
