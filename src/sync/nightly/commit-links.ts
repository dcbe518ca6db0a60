// Where the commits that comments name can be looked at.
import type { CommitLinks } from '../publish/entry-text.ts';
import type { RulePack } from '../rules/model.ts';
import { type NightlyConfig, webOf } from './load-config.ts';

/** Upstream's on GitHub by the pack's name of it, unless the configuration says otherwise; the fork's where it is published. */
export function commitLinks({ publish, forge }: NightlyConfig, pack: RulePack): CommitLinks {
  return {
    upstream: publish.commitUrl ?? `https://github.com/${pack.info.upstream.repository}/commit/`,
    fork: `${webOf(forge.apiUrl)}/${publish.repository}/commit/`,
  };
}
