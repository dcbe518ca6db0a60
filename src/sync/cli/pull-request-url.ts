// The address of a pull request, as a browser shows it.
import { inert } from '../../core/text.ts';
import { syncFailure } from '../problem.ts';
import type { Thread } from '../publish/forge.ts';

/** `https://HOST/OWNER/NAME/pull/N`, of the forge that is configured. */
export function readPullRequestUrl(url: string, web: string): Thread {
  const found = /^(https?:\/\/[^/\s]+)\/([\w.-]+\/[\w.-]+)\/pull\/(\d{1,9})(?:[/?#].*)?$/.exec(url);
  const [, host, repository = '', number] = found ?? [];
  if (found === null || host !== web)
    throw syncFailure({
      code: 'usage',
      why: `This is not the address of a pull request on ${web}: ${inert(url)}`,
      next: `Give --pr ${web}/OWNER/NAME/pull/NUMBER.`,
    });
  return { repository, number: Number(number) };
}
