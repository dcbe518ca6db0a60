// Carries out what people said in comments: decisions become files, everything gets one reaction and one reply.
import { createHash } from 'node:crypto';
import { type DecisionChanges, decisionFile, formatDecision, formatProposal } from './decision-files.ts';
import {
  type Comment,
  type Forge,
  mayCommand,
  type Permission,
  type Reaction,
  type Thread,
} from './forge.ts';
import { inertBlock, inertCode } from './inert-markdown.ts';
import { readMarker } from './marker.ts';
import { type Command, type ParsedCommand, parseCommands } from './parse-commands.ts';
import type { KnownCommit, Planner } from './planner.ts';
import { isPick, type PublishPlan } from './publish-plan.ts';

export interface Request {
  readonly thread: Thread;
  readonly comment: Comment;
  readonly permission: Permission;
  readonly commands: readonly ParsedCommand[];
}

export interface Answer {
  readonly request: Request;
  readonly reaction: Reaction;
  /** Undefined: a reaction has to do (people who may not give commands cannot make the bot talk). */
  readonly reply: ((plan: PublishPlan) => string) | undefined;
}

export interface Obeyed {
  readonly changes: DecisionChanges;
  readonly answers: readonly Answer[];
  /** Seconds since 1970 of the last comment that changed something. */
  readonly time: number | undefined;
}

/** Comments with commands that have no reply yet, oldest first. Our own comments are never read for commands. */
export async function findRequests(forge: Forge, threads: readonly Thread[]): Promise<readonly Request[]> {
  const me = await forge.login();
  const permissions = new Map<string, Permission>();
  const requests: Request[] = [];
  for (const thread of threads) {
    const comments = await forge.readComments(thread);
    const answered = new Set(
      comments.filter(({ author }) => author === me).map(({ body }) => readMarker(body)?.topic),
    );
    for (const comment of comments) {
      if (comment.author === me || answered.has(answerTopic(comment))) continue;
      const commands = parseCommands(comment.body);
      if (commands.length === 0) continue;
      const known = permissions.get(comment.author);
      const permission = known ?? (await forge.permissionOf(thread.repository, comment.author));
      permissions.set(comment.author, permission);
      requests.push({ thread, comment, permission, commands });
    }
  }
  return requests.toSorted((left, right) => left.comment.id - right.comment.id);
}

export function answerTopic(comment: Comment): string {
  return `answer-${comment.id}`;
}

/** Comments in which somebody who may asked to try again. */
export function retriesIn(requests: readonly Request[]): readonly Request[] {
  return requests.filter(
    ({ permission, commands }) =>
      mayCommand(permission) &&
      commands.some((parsed) => 'command' in parsed && parsed.command.verb === 'retry'),
  );
}

/**
 * Whether somebody asked to try again after a pull request was closed. On another thread nobody can tell what came first:
 * what is not answered yet counts there.
 */
export async function asksAfterClosing(
  forge: Forge,
  closed: Thread,
  requests: readonly Request[],
): Promise<boolean> {
  const retries = retriesIn(requests);
  const inIt = retries.filter(({ thread }) => thread.number === closed.number);
  if (inIt.length < retries.length) return true;
  if (inIt.length === 0) return false;
  const since = await forge.commentsSinceClosed(closed);
  return inIt.some(({ comment }) => since.has(comment.id));
}

export interface ObeyOptions {
  readonly requests: readonly Request[];
  readonly planner: Planner;
  /** What stands on the branch and below it now. */
  readonly decisions: ReadonlyMap<string, string>;
  /** Why nothing can land now (a person's branch, a closed pull request, no folder for it); undefined: it can. */
  readonly obstacle: string | undefined;
  /** The fork commit for which it is asked where a commit stands. */
  readonly onto: string;
  readonly skipReasons: readonly string[];
}

export async function obeyCommands(options: ObeyOptions): Promise<Obeyed> {
  const changes = new Map<string, string | undefined>();
  const answers: Answer[] = [];
  let time: number | undefined;
  for (const request of options.requests) {
    if (!mayCommand(request.permission)) {
      answers.push({ request, reaction: '-1', reply: undefined });
      continue;
    }
    const before = changes.size;
    const outcomes: Outcome[] = [];
    for (const parsed of request.commands)
      outcomes.push(
        'mistake' in parsed
          ? { done: false, text: parsed.mistake }
          : await obey(parsed.command, request.comment, options, changes),
      );
    if (changes.size > before || outcomes.some(({ changed }) => changed === true))
      time = Math.floor(Date.parse(request.comment.createdAt) / 1000);
    answers.push({
      request,
      reaction: outcomes.every(({ done }) => done) ? '+1' : 'confused',
      reply: (plan) =>
        request.commands
          .map(({ line }, index) => `${inertBlock([line])}\n${textOf(outcomes[index], plan)}`)
          .join('\n\n'),
    });
  }
  return { changes, answers, time };
}

interface Outcome {
  readonly done: boolean;
  /** Markdown; foreign parts of it are inert. */
  readonly text: string | ((plan: PublishPlan) => string);
  readonly changed?: boolean;
}

function textOf(outcome: Outcome | undefined, plan: PublishPlan): string {
  const text = outcome?.text ?? '';
  return typeof text === 'string' ? text : text(plan);
}

async function obey(
  command: Command,
  comment: Comment,
  options: ObeyOptions,
  changes: Map<string, string | undefined>,
): Promise<Outcome> {
  const { obstacle } = options;
  const by = `${comment.author} <${comment.author}@users.noreply.github.com>`;
  const on = comment.createdAt.slice(0, 10);
  const change = (name: string, text: string | undefined): void => void changes.set(name, text);
  if (command.verb === 'retry')
    return { done: true, text: 'Everything is picked again, onto the newest commit of the fork.' };
  if (command.verb === 'rule') {
    if (obstacle !== undefined) return { done: false, text: obstacle };
    const { from, to } = command;
    const id = createHash('sha256').update(`${from}\0${to}`).digest('hex').slice(0, 12);
    change(`rule-${id}.yaml`, bytes(formatProposal({ from, to, by, on, said: comment.url })));
    return {
      done: true,
      changed: true,
      text: `Written down as the proposal \`rule-${id}\`. It changes nothing until somebody puts it into the rule pack.`,
    };
  }
  const found = await oneCommit(options.planner, command.sha, options.onto);
  if ('mistake' in found) return { done: false, text: found.mistake };
  const { sha } = found.commit;
  if (command.verb === 'explain') return { done: true, text: (plan) => explain(found.commit, plan) };
  if (obstacle !== undefined) return { done: false, text: obstacle };
  const name = decisionFile(sha);
  const said = { upstream: sha, by, on };
  switch (command.verb) {
    case 'skip': {
      const [first = '', ...more] = command.reason.split(/\s+/);
      const word = first.replace(/:$/, '');
      const known = options.skipReasons.includes(word);
      const reason = known ? word : 'not-wanted';
      const why = known && more.length > 0 ? more.join(' ') : command.reason;
      change(name, bytes(formatDecision({ ...said, decision: 'skip', reason, why })));
      return { done: true, changed: true, text: `\`${sha.slice(0, 12)}\` is skipped (${reason}).` };
    }
    case 'park': {
      const why = command.reason === '' ? 'said so' : command.reason;
      change(name, bytes(formatDecision({ ...said, decision: 'park', why })));
      return {
        done: true,
        changed: true,
        text: `\`${sha.slice(0, 12)}\` is parked, and what depends on it with it.`,
      };
    }
    case 'take': {
      const here = changes.has(name) ? changes.get(name) : options.decisions.get(name);
      const shas = await options.planner.forkCommitsOf(sha, options.onto);
      const { fork } = command;
      const named = fork === undefined ? shas[0] : shas.find((one) => one.startsWith(fork));
      if (fork !== undefined && named === undefined && fork.length < 40)
        return {
          done: false,
          text: 'No commit of the fork that begins like this names the upstream commit; give its whole sha.',
        };
      const taken = named ?? fork;
      if (taken !== undefined) {
        change(
          name,
          bytes(formatDecision({ ...said, decision: 'take', fork: taken, why: 'carried over by hand' })),
        );
        return {
          done: true,
          changed: true,
          text: `\`${sha.slice(0, 12)}\` is in the fork as \`${taken.slice(0, 12)}\`.`,
        };
      }
      if (here !== undefined) {
        change(name, undefined);
        return {
          done: true,
          changed: true,
          text: `The decision about \`${sha.slice(0, 12)}\` is taken back: it is proposed again.`,
        };
      }
      return { done: true, text: `Nothing stands against \`${sha.slice(0, 12)}\`: it comes in its turn.` };
    }
  }
}

async function oneCommit(
  planner: Planner,
  prefix: string,
  onto: string,
): Promise<{ readonly commit: KnownCommit } | { readonly mistake: string }> {
  const found = await planner.find(prefix, onto);
  const [only] = found;
  if (only === undefined) return { mistake: `No upstream commit begins with \`${prefix}\`.` };
  if (found.length > 1)
    return { mistake: `${found.length} upstream commits begin with \`${prefix}\`: give more digits.` };
  return { commit: only };
}

/** What the run made of it goes before what was known of it. */
function explain({ sha, subject, ...known }: KnownCommit, plan: PublishPlan): string {
  const entry = plan.entries.find(({ upstream }) => upstream === sha);
  const state = entry?.state ?? known.state;
  const reasons =
    entry === undefined
      ? known.reasons
      : [
          ...entry.reasons,
          ...(isPick(entry)
            ? [
                ...entry.conflicts.map((conflict) => `${conflict.type} in ${conflict.path}: ${conflict.why}`),
                ...entry.doubts.map((doubt) => `${doubt.rule} in ${doubt.path}: ${doubt.why}`),
                ...entry.licence,
              ]
            : []),
        ];
  return [
    `\`${sha}\` ${inertCode(subject)}: **${state}**`,
    ...reasons.map((reason) => `- ${inertCode(reason, 400)}`),
  ].join('\n');
}

/** Files are bytes, kept as latin1. */
function bytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
