// `inspect`: what the database holds.
import type { ExitCode } from '../../core/exit-code.ts';
import type { Host } from '../../core/host.ts';
import type { Output } from '../../core/output.ts';
import type { CommonOptions } from './options.ts';

export async function inspectCommand(
  _host: Host,
  _options: CommonOptions,
  _output: Output,
): Promise<ExitCode> {
  throw new Error('to be wired');
}
