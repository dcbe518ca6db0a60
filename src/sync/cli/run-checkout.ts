// `fork-sync checkout` and `fork-sync continue`: a conflict goes to a person and comes back as a commit.
import { resolve } from 'node:path';
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import { inert, shellWord } from '../../core/text.ts';
import { readable } from '../git/output.ts';
import { resolveCommit } from '../git/resolve-commit.ts';
import { ownCall } from '../own-command.ts';
import { checkoutPick, continuePick, readNote } from '../pick/checkout-pick.ts';
import { pickRef } from '../pick/pick-batches.ts';
import { syncFailure } from '../problem.ts';
import { needRepositories, openEngineFor, type RepositoryOptions, refuseUnused } from './options.ts';

export async function runCheckout(
  commit: string,
  folder: string,
  options: RepositoryOptions & { readonly onto?: string; readonly commit?: string },
): Promise<ExitCode> {
  if (/^https?:\/\//.test(commit)) {
    refuseUnused(
      options,
      ['onto', 'upstream', 'fork', 'rules', 'cache'],
      'for a pull request: it has both sides of its conflicts itself',
    );
    const { runCheckoutPullRequest } = await import('./on-forge.ts');
    return runCheckoutPullRequest(commit, folder, options);
  }
  refuseUnused(
    options,
    ['commit'],
    'where the commit itself is named; it is for the address of a pull request',
  );
  const { upstream, fork } = needRepositories(options);
  if (options.onto === undefined)
    throw syncFailure({
      code: 'usage',
      why: 'checkout needs a fork commit.',
      next: 'Give --onto FORK_COMMIT.',
    });
  const request = {
    upstream: await resolveCommit(upstream, commit),
    onto: await resolveCommit(fork, options.onto),
  };
  const engine = await openEngineFor(options);
  try {
    const { open, result } = await checkoutPick(engine, request, folder);
    const lines = [
      `${result.status}: laid out in ${folder}`,
      ...open.map((path) => `  to solve: ${readable(path)}`),
      ...result.doubts.map((doubt) => `  look at ${readable(doubt.path)}: ${readable(doubt.why)}`),
      `Then: git add, git commit -s (the message is prepared), ${ownCall(['continue', resolve(folder)], 'repositories')}`,
    ];
    process.stdout.write(`${lines.map(inert).join('\n')}\n`);
    return exitCode.done;
  } finally {
    await engine.close();
  }
}

export async function runContinue(folder: string, options: RepositoryOptions): Promise<ExitCode> {
  const request = readNote(folder);
  const engine = await openEngineFor(options);
  try {
    const commit = await continuePick(engine, folder);
    const call = `git fetch ${shellWord(engine.gitDir)} ${pickRef(request)}`;
    process.stdout.write(`${inert(`commit ${commit}; to have it: ${call}`)}\n`);
    return exitCode.done;
  } finally {
    await engine.close();
  }
}
