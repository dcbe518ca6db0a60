// Reads fork-sync.yaml and the rule pack that it names, and holds the one against the other.
import { loadConfig, type NightlyConfig } from '../nightly/load-config.ts';
import { syncFailure } from '../problem.ts';
import { branchInTitle } from '../publish/pull-request-text.ts';
import type { RulePack } from '../rules/model.ts';
import { openPack } from './options.ts';

export interface ConfigAndPack {
  readonly config: NightlyConfig;
  readonly pack: RulePack;
}

/** @throws {Failure<SyncProblem>} config-invalid, pack-invalid */
export function openConfig(path = 'fork-sync.yaml'): ConfigAndPack {
  const config = loadConfig(path);
  const pack = openPack(config.rules === undefined ? {} : { rules: config.rules });
  const { title, base } = config.publish;
  const named = branchInTitle(title, pack.info.stableBranches);
  if (named !== undefined && named !== base)
    throw syncFailure({
      code: 'config-invalid',
      path,
      errors: [
        {
          at: 'publish.title',
          why: `it ends with (${named}), by which the fork would take it for that branch, but publish.base is ${base}`,
        },
      ],
    });
  return { config, pack };
}
