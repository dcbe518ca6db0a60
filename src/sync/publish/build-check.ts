// Runs the fork's own build on the finished branch, in a folder of its own and without anything secret around it.
import { Failure } from '../../core/failure.ts';
import { type Argv, run } from '../../core/run.ts';
import { buildEnvironment, openBuildTree } from '../build/open-build-tree.ts';

export interface BuildOptions {
  readonly gitDir: string;
  readonly commit: string;
  readonly argv: Argv;
  readonly timeoutMs: number;
  /** Names of variables that the build may see; besides PATH and LANG it sees nothing of this process. */
  readonly environment: readonly string[];
}

/** Undefined: it went well; otherwise what failed, with the last lines of its output. */
export async function checkBuild(options: BuildOptions): Promise<string | undefined> {
  try {
    const tree = await openBuildTree(options.gitDir);
    try {
      await tree.checkout(options.commit);
      await run(options.argv, {
        cwd: tree.files,
        timeoutMs: options.timeoutMs,
        env: buildEnvironment(tree.folder, options.environment),
      });
      return undefined;
    } finally {
      tree.close();
    }
  } catch (error) {
    if (error instanceof Failure) return error.message;
    throw error;
  }
}
