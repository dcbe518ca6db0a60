// The forge on GitHub: reads before it writes, writes one thing at a time, and looks again where an answer got lost.
import type { Forge, Issue, Permission, PullRequest, WantedIssue, WantedPullRequest } from '../forge.ts';
import { readMarker, sameText, withMarker } from '../marker.ts';
import { isSameRepository } from '../same-repository.ts';
import type { WriteGate } from '../write-gate.ts';
import { asIssue, asPullRequest, asSha, split } from './answers.ts';
import { createOnce, forgeCall, statusOf } from './calls.ts';
import { openComments } from './comments.ts';
import { type GitHubClient, pageSize } from './open-client.ts';

export interface GitHubForgeOptions {
  readonly client: GitHubClient;
  readonly gate: WriteGate;
  /** The account that writes; asked of GitHub where it is not told (a workflow's own token may not ask). */
  readonly login: () => Promise<string>;
  /** Milliseconds that a second lasts: tests do not wait. */
  readonly secondMs?: number;
}

const permissions: readonly Permission[] = ['admin', 'maintain', 'write', 'triage', 'read', 'none'];

export function openGitHubForge(options: GitHubForgeOptions): Forge {
  const { client, gate } = options;
  const pauseMs = options.secondMs ?? 1000;
  let login: Promise<string> | undefined;
  const me = (): Promise<string> => {
    login ??= options.login();
    return login;
  };

  const findPullRequest: Forge['findPullRequest'] = (wanted) =>
    forgeCall(`look for a pull request of ${wanted.branch}`, async () => {
      const [headOwner] = wanted.headRepository.split('/');
      const { data } = await client.rest.pulls.list({
        ...split(wanted.repository),
        head: `${headOwner}:${wanted.branch}`,
        base: wanted.base,
        state: 'all',
        sort: 'created',
        direction: 'desc',
        per_page: 10,
      });
      const [newest] = data
        .filter((pull) => pull.head.ref === wanted.branch)
        .toSorted((left, right) => right.number - left.number);
      return newest === undefined ? undefined : asPullRequest(wanted.repository, newest);
    });

  const findIssue: Forge['findIssue'] = (repository, topic) =>
    forgeCall('look for the status issue', async () => {
      const creator = await me();
      // Without an account there is nothing of ours to find.
      if (creator === '') return undefined;
      for await (const { data } of client.paginate.iterator(client.rest.issues.listForRepo, {
        ...split(repository),
        creator,
        state: 'all',
        sort: 'created',
        direction: 'asc',
        per_page: pageSize,
      }))
        for (const issue of data) {
          if (issue.pull_request !== undefined || issue.user?.login !== creator) continue;
          if (readMarker(issue.body ?? '')?.topic === topic) return asIssue(repository, issue);
        }
      return undefined;
    });

  const createIssue = (wanted: WantedIssue, body: string, what: string): Promise<Issue> =>
    createOnce({
      what,
      pauseMs,
      find: () => findIssue(wanted.repository, wanted.topic),
      create: async () => {
        const { data } = await client.rest.issues.create({
          ...split(wanted.repository),
          title: wanted.title,
          body,
          labels: [...wanted.labels],
          request: { retries: 0 },
        });
        return asIssue(wanted.repository, data);
      },
    });

  const createPullRequest = (wanted: WantedPullRequest, body: string, what: string): Promise<PullRequest> => {
    const [headOwner, headName] = wanted.headRepository.split('/');
    const foreign = !isSameRepository(wanted.headRepository, wanted.repository);
    return createOnce({
      what,
      pauseMs,
      find: async () => {
        const found = await findPullRequest(wanted);
        return found?.state === 'open' ? found : undefined;
      },
      create: async () => {
        const { data } = await client.rest.pulls.create({
          ...split(wanted.repository),
          base: wanted.base,
          head: foreign ? `${headOwner}:${wanted.branch}` : wanted.branch,
          ...(foreign ? { head_repo: headName } : {}),
          title: wanted.title,
          body,
          draft: wanted.draft,
          request: { retries: 0 },
        });
        return asPullRequest(wanted.repository, data);
      },
    });
  };

  return {
    login: me,
    findPullRequest,
    findIssue,
    ...openComments({ client, gate, me, pauseMs }),

    readPullRequest: (thread) =>
      forgeCall(`read pull request ${thread.repository}#${thread.number}`, async () => {
        const { data } = await client.rest.pulls.get({
          ...split(thread.repository),
          pull_number: thread.number,
        });
        return asPullRequest(thread.repository, data);
      }),

    readPullRequestCommits: (thread) =>
      forgeCall(`read the commits of ${thread.repository}#${thread.number}`, async () => {
        const commits = await client.paginate(client.rest.pulls.listCommits, {
          ...split(thread.repository),
          pull_number: thread.number,
          per_page: pageSize,
        });
        return commits.map(asSha);
      }),

    commentsSinceClosed: (thread) =>
      forgeCall(`read the timeline of #${thread.number}`, async () => {
        const since = new Set<number>();
        const events = await client.paginate(client.rest.issues.listEventsForTimeline, {
          ...split(thread.repository),
          issue_number: thread.number,
          per_page: pageSize,
        });
        for (const event of events) {
          if (event.event === 'closed') since.clear();
          if (event.event === 'commented' && 'id' in event && event.id !== undefined) since.add(event.id);
        }
        return since;
      }),

    permissionOf: (repository, username) =>
      forgeCall(`ask what ${username} may do`, async () => {
        try {
          const { data } = await client.rest.repos.getCollaboratorPermissionLevel({
            ...split(repository),
            username,
          });
          // `permission` knows only admin, write, read, none; the role tells more (a custom role has a name of its own).
          return (
            permissions.find((known) => known === data.role_name) ??
            permissions.find((known) => known === data.permission) ??
            'none'
          );
        } catch (error) {
          // An account that was deleted or renamed since it wrote.
          if (statusOf(error) === 404) return 'none';
          throw error;
        }
      }),

    async ensurePullRequest(wanted) {
      const found = await findPullRequest(wanted);
      if (found?.state === 'closed' && !wanted.evenIfClosed) return { outcome: 'declined', value: found };
      const body = withMarker({ topic: 'pull-request', part: 1 }, wanted.body, wanted.title);
      if (found?.state === 'open') {
        const same = found.title === wanted.title && sameText(found.body, body);
        // What people write over the title or the text stays: it is their pull request too.
        const theirs = readMarker(found.body, found.title)?.edited !== false;
        if (same || theirs) return { outcome: 'unchanged', value: found };
        const what = `edit the text of pull request ${found.repository}#${found.number}`;
        const answer = gate.ask(what);
        if (answer !== 'go') return { outcome: answer === 'dry-run' ? 'would-update' : answer, value: found };
        const { data } = await forgeCall(what, () =>
          client.rest.pulls.update({
            ...split(wanted.repository),
            pull_number: found.number,
            title: wanted.title,
            body,
          }),
        );
        return { outcome: 'updated', value: asPullRequest(wanted.repository, data), edited: false };
      }
      const what = `open a pull request of ${wanted.branch} into ${wanted.repository} ${wanted.base}`;
      const answer = gate.ask(what);
      if (answer !== 'go')
        return { outcome: answer === 'dry-run' ? 'would-create' : answer, value: undefined };
      return { outcome: 'created', value: await createPullRequest(wanted, body, what) };
    },

    async ensureLabels(thread, wanted, ours) {
      const has = await forgeCall(`read the labels of #${thread.number}`, async () => {
        const { data } = await client.rest.issues.listLabelsOnIssue({
          ...split(thread.repository),
          issue_number: thread.number,
          per_page: pageSize,
        });
        return data.map(({ name }) => name);
      });
      // Labels are told apart without regard to capitals.
      const isIn = (names: readonly string[], name: string): boolean =>
        names.some((other) => other.toLowerCase() === name.toLowerCase());
      const missing = wanted.filter((name) => !isIn(has, name));
      const extra = has.filter((name) => isIn(ours, name) && !isIn(wanted, name));
      const answers: ReturnType<WriteGate['ask']>[] = [];
      const change = async (what: string, call: () => Promise<unknown>): Promise<void> => {
        const answer = gate.ask(what);
        answers.push(answer);
        if (answer === 'go') await forgeCall(what, call);
      };
      if (missing.length > 0)
        await change(`add the labels ${missing.join(', ')} to ${thread.repository}#${thread.number}`, () =>
          client.rest.issues.addLabels({
            ...split(thread.repository),
            issue_number: thread.number,
            labels: missing,
          }),
        );
      for (const name of extra)
        await change(`take the label ${name} from ${thread.repository}#${thread.number}`, () =>
          client.rest.issues
            .removeLabel({ ...split(thread.repository), issue_number: thread.number, name })
            // Somebody was faster.
            .catch((error: unknown) => (statusOf(error) === 404 ? undefined : Promise.reject(error))),
        );
      if (answers.includes('over-limit')) return { outcome: 'over-limit', value: wanted };
      if (answers.includes('dry-run')) return { outcome: 'would-update', value: wanted };
      return answers.length === 0
        ? { outcome: 'unchanged', value: wanted }
        : { outcome: 'updated', value: wanted, edited: false };
    },

    async ensureIssue(wanted) {
      const body = withMarker({ topic: wanted.topic, part: 1 }, wanted.body);
      const found = await findIssue(wanted.repository, wanted.topic);
      if (found === undefined) {
        const what = `open the issue "${wanted.title}" in ${wanted.repository}`;
        const answer = gate.ask(what);
        if (answer !== 'go')
          return { outcome: answer === 'dry-run' ? 'would-create' : answer, value: undefined };
        return { outcome: 'created', value: await createIssue(wanted, body, what) };
      }
      if (!found.open) return { outcome: 'declined', value: found };
      if (found.title === wanted.title && sameText(found.body, body))
        return { outcome: 'unchanged', value: found };
      const what = `edit the issue ${wanted.repository}#${found.number}`;
      const answer = gate.ask(what);
      if (answer !== 'go') return { outcome: answer === 'dry-run' ? 'would-update' : answer, value: found };
      const { data } = await forgeCall(what, () =>
        client.rest.issues.update({
          ...split(wanted.repository),
          issue_number: found.number,
          title: wanted.title,
          body,
        }),
      );
      const edited = readMarker(found.body)?.edited === true;
      return { outcome: 'updated', value: asIssue(wanted.repository, data), edited };
    },

    async ensureReaction(repository, comment, reaction) {
      const author = await me();
      const there = await forgeCall('read the reactions to a command', () =>
        client.paginate(client.rest.reactions.listForIssueComment, {
          ...split(repository),
          comment_id: comment.id,
          content: reaction,
          per_page: pageSize,
        }),
      );
      if (there.some(({ user }) => user?.login === author)) return { outcome: 'unchanged', value: reaction };
      const what = `react with ${reaction} to comment ${comment.id} of ${repository}`;
      const answer = gate.ask(what);
      if (answer !== 'go')
        return { outcome: answer === 'dry-run' ? 'would-create' : answer, value: undefined };
      // GitHub answers 200 with the reaction that is there: calling twice does no harm.
      await forgeCall(what, () =>
        client.rest.reactions.createForIssueComment({
          ...split(repository),
          comment_id: comment.id,
          content: reaction,
        }),
      );
      return { outcome: 'created', value: reaction };
    },
  };
}
