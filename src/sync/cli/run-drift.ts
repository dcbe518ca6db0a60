// `fork-sync drift`: how far the fork is from upstream's fork point put into the fork's words.
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import { formatTable } from '../../core/text.ts';
import { readable, readableJson } from '../git/output.ts';
import { resolveCommit } from '../git/resolve-commit.ts';
import { measureDrift } from '../replay/measure-drift.ts';
import { needRepositories, openEngineFor, type RepositoryOptions } from './options.ts';

const shown = 25;

export async function runDrift(
  options: RepositoryOptions & { readonly onto?: string; readonly json?: boolean },
): Promise<ExitCode> {
  const tip = await resolveCommit(needRepositories(options).fork, options.onto ?? 'HEAD');
  const engine = await openEngineFor(options);
  try {
    const drift = await measureDrift(engine, tip);
    if (options.json === true) {
      process.stdout.write(`${readableJson(drift)}\n`);
      return exitCode.done;
    }
    const furthest = drift.files.toSorted((left, right) => right.lines - left.lines).slice(0, shown);
    process.stdout.write(
      [
        `${drift.identical} files identical, ${drift.differing} differ, ${drift.gone} are not in the fork`,
        formatTable(
          ['lines', 'upstream', 'fork'],
          furthest.map((file) => [String(file.lines), readable(file.upstream), readable(file.fork ?? '-')]),
        ),
        formatTable(
          ['files', 'times', 'upstream', 'rules write', 'the fork has', 'rules right'],
          drift.unexplained
            .slice(0, shown)
            .map((one) => [
              String(one.files.length),
              String(one.count),
              readable(one.upstream),
              readable(one.rules),
              readable(one.fork),
              String(one.right),
            ]),
        ),
        '',
      ].join('\n\n'),
    );
    return exitCode.done;
  } finally {
    await engine.close();
  }
}
