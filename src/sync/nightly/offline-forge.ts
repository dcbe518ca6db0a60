// A forge that is not there: nothing is found, nothing is written. With it a dry run needs no network.
import type { Ensured, Forge } from '../publish/forge.ts';
import type { WriteGate } from '../publish/write-gate.ts';

export function openOfflineForge(gate: WriteGate): Forge {
  const would = <T>(what: string): Ensured<T> => {
    gate.ask(what);
    return { outcome: 'would-create', value: undefined };
  };
  const unread = (what: string): never => {
    throw new Error(`an offline run asked for ${what}`);
  };
  return {
    login: async () => 'fork-sync',
    findPullRequest: async () => undefined,
    findIssue: async () => undefined,
    readComments: async () => [],
    commentsSinceClosed: async () => new Set(),
    permissionOf: async () => 'none',
    readPullRequest: async () => unread('a pull request'),
    readPullRequestCommits: async () => unread('the commits of a pull request'),
    ensurePullRequest: async ({ branch, base, repository }) =>
      would(`open a pull request of ${branch} into ${repository} ${base}`),
    ensureLabels: async () => would('add labels'),
    ensureComments: async (_thread, topic) => [would(`write the comment ${topic}`)],
    ensureIssue: async ({ title, repository }) => would(`open the issue "${title}" in ${repository}`),
    ensureReaction: async () => would('react to a comment'),
  };
}
