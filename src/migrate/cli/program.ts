// The commands of lxd-to-incus, each with its own options.
import { Command, InvalidArgumentError, Option } from 'commander';
import type { ExitCode } from '../../core/exit-code.ts';
import type { Host } from '../../core/host.ts';
import type { Output } from '../../core/output.ts';
import { keepOptions, ownCommand } from '../../core/program-name.ts';
import { suggest } from '../../core/suggest.ts';
import { inert } from '../../core/text.ts';
import { toolVersion } from '../../core/version.ts';
import { usualState } from '../usual-state.ts';
import {
  type CommandName,
  commandNames,
  definitions,
  hintFor,
  type OptionsOf,
  optionsOf,
} from './command-options.ts';
import { chosenExamples, examplesOf, renderExamples } from './examples.ts';
import { exportCommand } from './export-command.ts';
import { inspectCommand } from './inspect-command.ts';
import { migrateCommand } from './migrate-command.ts';
import { refuseUpstreamOptions, type UpstreamOptions } from './options.ts';
import { planCommand } from './plan-command.ts';
import { pruneCommand } from './prune-command.ts';
import { rehearseCommand } from './rehearse-command.ts';
import { resumeCommand } from './resume-command.ts';
import { rollbackCommand } from './rollback-command.ts';
import { statusCommand } from './status-command.ts';
import { verifyCommand } from './verify-command.ts';

type Run<C extends CommandName> = (
  host: Host,
  options: OptionsOf<C>,
  output: Output,
  argument: string,
) => Promise<ExitCode>;

interface CommandDefinition<C extends CommandName> {
  readonly what: string;
  readonly run: Run<C>;
}

export const commands: { readonly [C in CommandName]: CommandDefinition<C> } = {
  migrate: { what: 'plan, ask for a "go", move the server, verify it', run: migrateCommand },
  plan: {
    what: 'show findings, every change of the database and every step; changes nothing and needs no daemon',
    run: planCommand,
  },
  rehearse: {
    what: 'start Incus on a copy of the converted database, cut off from this machine; changes nothing',
    run: rehearseCommand,
  },
  inspect: { what: 'show what the LXD database holds, read from its files', run: inspectCommand },
  verify: {
    what: 'check the moved server again: inventory, pools, networks, and a write as root in every running container',
    run: verifyCommand,
  },
  status: {
    what: 'say where a migration stands, and what resume and rollback would do',
    run: statusCommand,
  },
  resume: { what: 'go on with a migration that was interrupted', run: resumeCommand },
  rollback: {
    what: 'bring LXD back as it was, after an interruption or after a finished migration',
    run: rollbackCommand,
  },
  prune: {
    what: 'remove what is kept of runs that have ended and that no rollback could need',
    run: pruneCommand,
  },
  'export-db': { what: 'write the LXD database as a plain SQLite file', run: exportCommand },
};

export function buildProgram(
  host: Host,
  output: Output,
  setExit: (code: ExitCode, command: CommandName) => void,
): Command {
  const program = new Command(ownCommand());
  program
    .description('Moves an LXD server, with everything on it, to Incus on the same machine.')
    .version(toolVersion)
    .exitOverride()
    .showHelpAfterError(`(${ownCommand('--help')} lists the commands and options)`)
    .configureOutput({ writeErr: (text) => output.message(text.trimEnd()) })
    .addHelpText(
      'after',
      `${renderExamples(chosenExamples)}

Exit codes: 0 done, 1 failed, 2 usage, 3 blocked by findings, 4 nothing to do, 5 interrupted.
LXD stays installed; units of systemd that start it are disabled and masked. Its database is kept untouched below the
state folder. Each command has its own options: add --help to it.`,
    );
  for (const name of commandNames) program.addCommand(build(name), { isDefault: name === 'migrate' });
  return program;

  function build<C extends CommandName>(name: C): Command {
    const { what, run } = commands[name];
    const command = withOptions(new Command(name), name).description(what).exitOverride();
    command
      .showHelpAfterError(`(${ownCommand(name, '--help')} lists its options)`)
      .configureOutput({
        writeErr: (text) => output.message(text.trimEnd()),
        outputError: (text, write) => write(withHint(name, text)),
      })
      .addHelpText('after', examplesOf(name));
    if (name === 'export-db') command.argument('<out>', 'the file to write; it must not exist');
    // What is no command comes here as well: nobody who misspells one may be told about migrate's arguments.
    else if (name === 'migrate') command.usage('[options]').argument('[words...]');
    return command.action(async (...given: unknown[]) => {
      const [argument] = given;
      if (Array.isArray(argument)) refuseWords(argument.map(String), program);
      // Commander gives what was defined above, and nothing else.
      const options = command.opts<OptionsOf<C> & UpstreamOptions & { readonly state: string }>();
      refuseUpstreamOptions(options);
      keepOptions(options.state === usualState ? [] : ['--state', options.state]);
      setExit(await run(host, options, output, String(argument)), name);
    });
  }
}

function withOptions(command: Command, name: CommandName): Command {
  for (const option of optionsOf[name]) {
    const { flags, what, usual } = definitions[option];
    const defined = new Option(flags, what);
    if (usual !== undefined) defined.default(usual);
    if (defined.required)
      defined.argParser((value: string, previous: unknown) => {
        // Mostly of a variable of a script that is not set: nobody means the folder that one is in.
        if (value === '') throw new InvalidArgumentError('It is empty.');
        return option === 'accept' && typeof previous === 'string' ? `${previous},${value}` : value;
      });
    command.addOption(defined);
  }
  return command
    .option('--json', 'print JSON and nothing else on standard output')
    .option('--no-color', 'no colours')
    .addOption(new Option('--cluster-member').hideHelp())
    .addOption(new Option('--ignore-version-check').hideHelp());
}

/** Commander's own words, and what was probably meant. */
function withHint(name: CommandName, text: string): string {
  return text.replace(/^error: unknown option '(--[^']*)'.*/s, (_all, flag: string) => {
    const word = flag.split('=')[0] ?? flag;
    return `error: unknown option '${inert(word)}'${hintFor(name, word)}\n`;
  });
}

function refuseWords(words: readonly string[], program: Command): void {
  const [word] = words;
  if (word === undefined) return;
  program.error(
    commandNames.some((name) => name === word)
      ? `error: one command at a time, not also '${inert(word)}'`
      : `error: unknown command '${inert(word)}'${suggest(word, commandNames)}`,
    { exitCode: 2, code: 'commander.unknownCommand' },
  );
}
