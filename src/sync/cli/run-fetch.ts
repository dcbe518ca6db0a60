// `fork-sync fetch`: upstream's commits and trees, and the files of those commits alone that the licence gate cleared.
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import { inert } from '../../core/text.ts';
import {
  fetchBranches,
  fetchObjects,
  licenceTexts,
  neededFiles,
  openPartialClone,
} from '../fetch/fetch-upstream.ts';
import { judgeWhole } from '../gate/judge-whole.ts';
import { createGate } from '../gate/licence-gate.ts';
import { jsonLine, readable } from '../git/output.ts';
import { resolveCommit } from '../git/resolve-commit.ts';
import type { Engine } from '../pick/open-engine.ts';
import { syncFailure } from '../problem.ts';
import type { RulePack } from '../rules/model.ts';
import { openConfig } from './open-config.ts';
import { branchName, openScanFor, type ScanOptions } from './open-scan.ts';
import { needRepositories, openEngineFor, openPack } from './options.ts';

export interface FetchOptions extends ScanOptions {
  readonly from?: string;
  /** Of `nightly`: names repositories, rules, cache and branches in place of the options. */
  readonly config?: string;
  readonly json?: boolean;
}

/** Fetches in three steps, each deciding what the next may ask for: trees, licence texts, files. */
export async function runFetch(given: FetchOptions): Promise<ExitCode> {
  const { options, pack } =
    given.config === undefined ? { options: given, pack: openPack(given) } : fromConfig(given, given.config);
  const { upstream, fork } = needRepositories(options);
  // Before the network is asked for what may take minutes.
  await resolveCommit(fork, options.onto ?? 'HEAD');
  const wanted = options.branch ?? (pack.info.licence?.branches ?? []).map((branch) => readable(branch.name));
  await openPartialClone(upstream, options.from);
  const { names, withFiles } = await fetchBranches(upstream, {
    names: wanted.map(branchName),
    all: options.branch !== undefined,
  });
  if (withFiles)
    process.stderr.write(
      'Upstream sends all files, those of barred commits too: it would need uploadpack.allowFilter. Barred files are not read.\n',
    );
  const branches = wanted.filter((text) => names.includes(branchName(text)));
  const texts = await inEngine(options, pack, async (engine) => {
    const { upstream: history } = await openScanFor({ ...options, branch: branches }, pack, engine);
    const commits = history.commits.map((commit) => commit.sha);
    const names = pack.info.licence?.files ?? [];
    return fetchObjects(upstream, engine.objects, await licenceTexts(engine.objects, names, commits));
  });
  // Opened anew: a reader that runs does not see packs that came after it.
  const files = await inEngine(options, pack, async (engine) => {
    const { scan } = await openScanFor({ ...options, branch: branches }, pack, engine);
    const gate = createGate(engine.objects, pack.info.licence);
    const needed = new Set<string>();
    for (const { sha, state } of scan.commits) {
      if (state !== 'pending' && state !== 'parked' && state !== 'imported') continue;
      const { verdict } = await judgeWhole(gate, engine.objects, await engine.objects.commit(sha));
      // What is imported teaches how people spell things; only what is to be picked needs the code around it.
      for (const one of await neededFiles(engine.objects, sha, verdict, state === 'pending')) needed.add(one);
    }
    return fetchObjects(upstream, engine.objects, needed);
  });
  process.stdout.write(
    options.json === true
      ? `${jsonLine({ branches, texts, files })}\n`
      : `${inert(branches.join(', '))}: ${texts} licence texts and ${files} files of cleared commits fetched\n`,
  );
  return exitCode.done;
}

function fromConfig(
  given: FetchOptions,
  path: string,
): { readonly options: FetchOptions; readonly pack: RulePack } {
  for (const option of ['upstream', 'fork', 'rules', 'cache', 'branch', 'onto'] as const)
    if (given[option] !== undefined)
      throw syncFailure({
        code: 'usage',
        why: `--${option} and --config say the same thing twice.`,
        next: `Leave out --${option}, or --config.`,
      });
  const { config, pack } = openConfig(path);
  const { upstream, fork, cache, branches, publish } = config;
  const options = {
    ...given,
    upstream,
    fork,
    cache,
    // What is imported is told by the branch that the picks go to; a clone's HEAD may be another one.
    onto: publish.base,
    ...(branches === undefined ? {} : { branch: branches }),
  };
  return { options, pack };
}

async function inEngine<T>(
  options: FetchOptions,
  pack: RulePack,
  use: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = await openEngineFor(options, pack);
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}
