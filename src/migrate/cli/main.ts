// Entry of lxd-to-incus: runs the command line and turns whatever happens into an exit code and a message.
import { CommanderError } from 'commander';
import { diskFailureOf } from '../../core/as-file-failure.ts';
import { exitCode } from '../../core/exit-code.ts';
import { Failure } from '../../core/failure.ts';
import { type Output, openOutput } from '../../core/output.ts';
import { realHost } from '../../core/real-host.ts';
import { describeLoss, standardOutputLost } from '../../core/standard-streams.ts';
import { inertLines } from '../../core/text.ts';
import { buildProgram } from './program.ts';

/** Their work is done on the host or in a file; of all others what they print is all that they do. */
const workers: ReadonlySet<string> = new Set(['migrate', 'resume', 'rollback', 'export-db']);

/** @returns the exit code of the process (docs/cli.md) */
export async function main(argv: readonly string[]): Promise<number> {
  const output = openOutput({ json: argv.includes('--json'), colour: !argv.includes('--no-color') });
  let ran = '';
  const code = await carryOut(argv, output, (command) => {
    ran = command;
  });
  const loss = describeLoss(await standardOutputLost());
  if (loss === undefined) return code;
  output.message(`lxd-to-incus: ${loss}`);
  return workers.has(ran) || code === exitCode.usage ? code : exitCode.failed;
}

async function carryOut(
  argv: readonly string[],
  output: Output,
  setCommand: (name: string) => void,
): Promise<number> {
  let code: number = exitCode.done;
  const program = buildProgram(realHost, output, (result, command) => {
    code = result;
    setCommand(command);
  });
  try {
    await program.parseAsync([...argv]);
    return code;
  } catch (thrown) {
    const error = diskFailureOf(thrown) ?? thrown;
    // Commander has printed its own message; --help and --version end here with 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.usage;
    if (error instanceof Failure) {
      const { what, where, next } = error.explanation;
      output.message(output.colour('red', `lxd-to-incus: ${inertLines(what)}`));
      if (where !== undefined) output.message(inertLines(where));
      if (next !== undefined) output.message(inertLines(next));
      output.event({ event: 'failed', problem: error.problem, message: error.message, exit: error.exitCode });
      return error.exitCode;
    }
    output.message(
      `lxd-to-incus: this is a bug, please report it with the lines below.\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    output.event({
      event: 'failed',
      problem: { code: 'bug' },
      message: String(error),
      exit: exitCode.failed,
    });
    return exitCode.failed;
  }
}
