// The commands and options of lxd-to-incus.
import { Command, Option } from 'commander';
import type { ExitCode } from '../../core/exit-code.ts';
import type { Output } from '../../core/output.ts';
import { keepOptions, ownCommand } from '../../core/program-name.ts';
import { realHost } from '../../core/real-host.ts';
import { suggest } from '../../core/suggest.ts';
import { inert } from '../../core/text.ts';
import { toolVersion } from '../../core/version.ts';
import { exportCommand } from './export-command.ts';
import { inspectCommand } from './inspect-command.ts';
import { type MigrateOptions, migrateCommand } from './migrate-command.ts';
import { type CommonOptions, refuseUpstreamOptions, stateFolder, usualState } from './options.ts';
import { planCommand } from './plan-command.ts';
import { rehearseCommand } from './rehearse-command.ts';
import {
  pruneCommand,
  type RunOptions,
  resumeCommand,
  rollbackCommand,
  statusCommand,
} from './run-commands.ts';
import { verifyCommand } from './verify-command.ts';

type Action<O> = (options: O, output: Output) => Promise<ExitCode>;

export function buildProgram(output: Output, setExit: (code: ExitCode, command: string) => void): Command {
  const program = new Command(ownCommand());
  program
    .description('Moves an LXD server, with everything on it, to Incus on the same machine.')
    .version(toolVersion)
    .exitOverride()
    .showHelpAfterError(`(${ownCommand('--help')} lists the commands and options)`)
    .configureOutput({ writeErr: (text) => output.message(text.trimEnd()) })
    .addHelpText(
      'after',
      `
Examples:
${examples()}

Exit codes: 0 done, 1 failed, 2 usage, 3 blocked by findings, 4 nothing to do, 5 interrupted.
LXD stays installed; units of systemd that start it are disabled and masked. Its database is kept untouched below the
state folder.`,
    );

  const act =
    <O extends CommonOptions>(action: Action<O>) =>
    async (_positional: unknown, command: Command): Promise<void> => {
      const options = command.optsWithGlobals() as O;
      refuseUpstreamOptions(options);
      keepOptions(options.state === usualState ? [] : ['--state', stateFolder(options)]);
      setExit(await action(options, output), command.name());
    };

  program.addCommand(
    common(new Command('migrate'))
      .description('plan, ask for a "go", move the server, verify it')
      .option('--yes', 'answer "go?" with yes; nothing else')
      .option('--plan <file>', 'migrate exactly this plan; refused if anything has changed since')
      .option(
        '--stop-timeout <seconds>',
        'how long an instance may take to stop, where it says nothing itself',
        '60',
      )
      .option(
        '--force-stop',
        'stop an instance by force when its time is over; without it everything is taken back',
      )
      .option('--purge-source', 'after a green verify remove what is left of LXD; it is listed beforehand')
      // What is no command comes here as well: nobody who misspells one may be told about migrate's arguments.
      .usage('[options]')
      .argument('[words...]')
      .action(async (words: string[], _options: unknown, command: Command) => {
        refuseWords(words, program);
        await act<MigrateOptions>((options, out) => migrateCommand(realHost, options, out))(words, command);
      }),
    { isDefault: true },
  );
  program.addCommand(
    common(new Command('plan'))
      .description(
        'show findings, every change of the database and every step; changes nothing and needs no daemon',
      )
      .action(act<CommonOptions>((options, out) => planCommand(realHost, options, out))),
  );
  program.addCommand(
    common(new Command('rehearse'))
      .description(
        'start Incus on a copy of the converted database, cut off from this machine; changes nothing',
      )
      .action(act<CommonOptions>((options, out) => rehearseCommand(realHost, options, out))),
  );
  program.addCommand(
    common(new Command('inspect'))
      .description('show what the LXD database holds, read from its files')
      .action(act<CommonOptions>((options, out) => inspectCommand(realHost, options, out))),
  );
  program.addCommand(
    common(new Command('verify'))
      .description(
        'check the moved server again: inventory, pools, networks, and a write as root in every running container',
      )
      .action(act<CommonOptions>((options, out) => verifyCommand(realHost, options, out))),
  );
  const ofRun = (name: string): Command =>
    common(new Command(name))
      .option('--yes', 'answer the question with yes; nothing else')
      .option('--stop-timeout <seconds>', 'how long an instance may take to stop', '60')
      .option('--force-stop', 'stop an instance by force when its time is over');
  program.addCommand(
    common(new Command('status'))
      .description('say where a migration stands, and what resume and rollback would do')
      .action(act<RunOptions>((options, out) => statusCommand(realHost, options, out))),
  );
  program.addCommand(
    ofRun('resume')
      .description('go on with a migration that was interrupted')
      .option('--purge-source', 'after a green verify remove what is left of LXD; it is listed beforehand')
      .action(act<RunOptions>((options, out) => resumeCommand(realHost, options, out))),
  );
  program.addCommand(
    ofRun('rollback')
      .description('bring LXD back as it was, after an interruption or after a finished migration')
      .action(act<RunOptions>((options, out) => rollbackCommand(realHost, options, out))),
  );
  program.addCommand(
    common(new Command('prune'))
      .description('remove what is kept of runs that have ended and that no rollback could need')
      .option('--yes', 'answer the question with yes; nothing else')
      .action(act<RunOptions>((options, out) => pruneCommand(realHost, options, out))),
  );
  program.addCommand(
    common(new Command('export-db'))
      .description('write the LXD database as a plain SQLite file')
      .argument('<out>', 'the file to write; it must not exist')
      .option('--salvage', 'write the state up to the last good entry of a damaged database, and say which')
      .action(async (out: string, _options: unknown, command: Command) => {
        const options = command.optsWithGlobals() as CommonOptions & { salvage?: boolean };
        setExit(await exportCommand(realHost, options, out, output), command.name());
      }),
  );
  for (const command of [program, ...program.commands]) command.exitOverride();
  return program;
}

function examples(): string {
  const lines = [
    [['plan'], 'look at everything, change nothing'],
    [['plan', '--report', '/root/plan'], 'the same, with a report as a web page'],
    [['rehearse'], 'try Incus on a copy, beside the running LXD'],
    [[], 'plan, ask, and move this server'],
    [['migrate', '--yes', '--fix'], 'move without questions'],
    [['inspect', '--lxd-dir', '/backup/lxd'], 'what a copied database holds'],
    [['export-db', 'lxd.sqlite'], 'the database as a plain SQLite file'],
  ] as const;
  return lines.map(([words, what]) => `  # ${what}\n  ${ownCommand(...words)}`).join('\n');
}

function refuseWords(words: readonly string[], program: Command): void {
  const [word] = words;
  if (word === undefined) return;
  const names = program.commands.map((command) => command.name());
  program.error(
    names.includes(word)
      ? `error: one command at a time, not also '${inert(word)}'`
      : `error: unknown command '${inert(word)}'${suggest(word, names)}`,
    { exitCode: 2, code: 'commander.unknownCommand' },
  );
}

/** Options that every command takes. */
function common(command: Command): Command {
  return command
    .option('--lxd-dir <dir>', "LXD's data directory, or a folder with its database")
    .option('--incus-dir <dir>', "Incus's data directory")
    .option('--source <name>', 'which LXD, where several are found')
    .option('--target <name>', 'which Incus, where several are found')
    .option(
      '--services <file>',
      'JSON with the commands that start and stop both daemons, for hosts without a service manager',
    )
    .option('--incusd <path>', 'the daemon of the target, where it is not found')
    .option('--state <dir>', "the tool's own folder", usualState)
    .option('--accept <ids>', 'accept these findings (comma separated)')
    .option('--fix', 'let the tool mend what it can mend')
    .option('--report <dir>', 'write report.html, report.md, plan.json and inventory.json there')
    .option('--json', 'print JSON and nothing else on standard output')
    .option('--no-color', 'no colours')
    .option('--show-values', 'show confidential values on the terminal')
    .addOption(new Option('--cluster-member').hideHelp())
    .addOption(new Option('--ignore-version-check').hideHelp());
}
