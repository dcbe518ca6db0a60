// The lines of a commit's files that have one of some words: asked of git, which reads no file twice for it.
import { run } from '../../core/run.ts';
import { gitEnvironment } from './git-environment.ts';

export interface FoundLine {
  readonly path: string;
  readonly line: string;
}

/** Lines of text files in which one of the extended expressions is found. */
export async function grepTree(
  gitDir: string,
  commit: string,
  expressions: readonly string[],
): Promise<readonly FoundLine[]> {
  if (expressions.length === 0) return [];
  const { stdout } = await run(
    ['git', `--git-dir=${gitDir}`, 'grep', '-I', '-E', '-z', '--no-color', '--full-name', '-f', '-', commit],
    {
      timeoutMs: 300_000,
      env: gitEnvironment,
      input: Buffer.from(`${expressions.join('\n')}\n`, 'latin1'),
      // 1: no line has any.
      accept: [1],
    },
  );
  const prefix = commit.length + 1;
  return stdout
    .toString('latin1')
    .split('\n')
    .flatMap((text) => {
      const end = text.indexOf('\0');
      return end < 0 ? [] : [{ path: text.slice(prefix, end), line: text.slice(end + 1) }];
    });
}

/** An expression for a text as it stands. */
export function literalExpression(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
}
