// Where the token or the key of a GitHub App comes from: the environment or a file, never the command line.
import { syncFailure } from '../../problem.ts';
import { readGivenText } from '../../read-given-text.ts';

export interface CredentialSource {
  /** Name of an environment variable. */
  readonly tokenVariable?: string;
  readonly tokenFile?: string;
  readonly app?: AppSource;
}

export interface AppSource {
  readonly id: number;
  readonly keyVariable?: string;
  readonly keyFile?: string;
  /** Found from the repository where it is not given. */
  readonly installation?: number;
}

export type Credentials =
  | { readonly kind: 'token'; readonly token: string }
  | {
      readonly kind: 'app';
      readonly id: number;
      readonly key: string;
      readonly installation: number | undefined;
    }
  | { readonly kind: 'none' };

const largestSecret = 64 * 1024;

/** Takes what it reads out of this process's environment, so that no process it starts inherits it. */
export function readCredentials(
  source: CredentialSource,
  environment: NodeJS.ProcessEnv = process.env,
): Credentials {
  if (source.app !== undefined) {
    const key = readSecret(source.app.keyVariable, source.app.keyFile, environment);
    if (key === undefined)
      throw syncFailure({
        code: 'credentials-missing',
        why: 'the key of the GitHub App was not found',
        next: 'Name its file in forge.app.keyFile, or the variable that holds it in forge.app.keyVariable.',
      });
    return { kind: 'app', id: source.app.id, key, installation: source.app.installation };
  }
  const token = readSecret(source.tokenVariable ?? 'FORK_SYNC_TOKEN', source.tokenFile, environment);
  if (token === undefined) return { kind: 'none' };
  if (!/^[\x21-\x7e]+$/.test(token))
    throw syncFailure({
      code: 'credentials-missing',
      why: 'what was given as the token is not one: it has blanks or characters that no token has',
      next: 'Give the token alone.',
    });
  return { kind: 'token', token };
}

function readSecret(
  variable: string | undefined,
  file: string | undefined,
  environment: NodeJS.ProcessEnv,
): string | undefined {
  if (file !== undefined) return readSecretFile(file);
  if (variable === undefined) return undefined;
  const value = environment[variable]?.trim();
  delete environment[variable];
  return value === '' ? undefined : value;
}

function readSecretFile(path: string): string {
  const read = readGivenText(path, largestSecret);
  if ('text' in read) return read.text.trim();
  throw syncFailure({
    code: 'credentials-missing',
    why: `of the file ${path}, ${read.why}`,
    next: 'Name a file that this user can read.',
  });
}
