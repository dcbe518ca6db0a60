// The command line of fork-sync: reads arguments, calls one command, turns its outcome into an exit code.
import { Command, CommanderError } from 'commander';
import { diskFailureOf } from '../../core/as-file-failure.ts';
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import { Failure, systemErrorCode } from '../../core/failure.ts';
import { describeLoss, standardOutputLost, watchStandardStreams } from '../../core/standard-streams.ts';
import { inert } from '../../core/text.ts';
import { toolVersion } from '../../core/version.ts';
import { skipReasons } from '../decide/decision.ts';
import { rememberGiven } from '../own-command.ts';
import { addHelp } from './help.ts';
import {
  refuseDoubled,
  withFork,
  withRepositories,
  withRules,
  withThreads,
  withUpstream,
} from './options.ts';
import { runCheckout, runContinue } from './run-checkout.ts';
import { runDecide, runReopen } from './run-decide.ts';
import { runDrift } from './run-drift.ts';
import { runFetch } from './run-fetch.ts';
import { runPick } from './run-pick.ts';
import { runPlan, runReport } from './run-plan.ts';
import { runReplay } from './run-replay.ts';
import { runRulesCheck, runRulesExplain, runRulesHits, runRulesSuggest, runRulesTest } from './run-rules.ts';
import { runScan, runStatus } from './run-scan.ts';

/** What talks to a forge is loaded when it is wanted: a pick shall not wait for it. */
const onForge = () => import('./on-forge.ts');

/** Builds the program; `finish` gets the exit code of the command that ran. */
function createProgram(finish: (code: ExitCode) => void): Command {
  const program = new Command('fork-sync')
    .description('Carries commits from an upstream into its renamed hard fork.')
    .version(toolVersion)
    .exitOverride()
    .option('--no-color', 'plain text')
    .configureOutput({ writeErr: (text) => process.stderr.write(inertLines(text)) });
  withThreads(program.command('pick'))
    .description('pick upstream commits onto a fork commit')
    .argument('[commits...]', 'upstream commits')
    .option('--onto <commit>', 'the fork commit to pick onto')
    .option('--stdin', 'read lines of "upstream<TAB>onto"')
    .option('--json', 'one line of JSON a pick')
    .option('--reverse', 'pick from the fork into upstream')
    .action(async (commits: string[], options) => finish(await runPick(commits, options)));
  withThreads(program.command('replay'))
    .description('pick history again and compare with what people committed')
    .option('--pairs <file>', 'lines of "upstream<TAB>fork commit" (default: $FORK_SYNC_PAIRS)')
    .option('--json', 'everything as one object')
    .option('--html <file>', 'a page with every pick that is not exact')
    .option('--split <date>', 'score pairs before and since a date apart')
    .option('--isolated <n>', 'repeat n picks in repositories that hold only what a pick may see')
    .option('--without <rule...>', 'also score without each of these rules, or without each one of "all"')
    .option(
      '--build',
      'also build what the picks touched, where Go is installed (offline, in a folder of its own)',
    )
    .option('--quick', 'only compare trees: no files, no objects kept')
    .action(async (options) => finish(await runReplay(options)));
  withRepositories(program.command('checkout'))
    .description('lay a pick out in a folder for a person to finish')
    .argument('<commit>', 'the upstream commit, or the address of a pull request that nightly made')
    .argument('<dir>', 'a folder that does not exist yet')
    .option('--onto <commit>', 'the fork commit to pick onto')
    .option('--commit <sha>', 'of a pull request with several conflicts, the upstream commit')
    .action(async (commit: string, folder: string, options) =>
      finish(await runCheckout(commit, folder, options)),
    );
  withRepositories(program.command('continue'))
    .description('take back what a person committed in a folder that checkout made')
    .argument('<dir>', 'the folder')
    .action(async (folder: string, options) => finish(await runContinue(folder, options)));
  withRepositories(program.command('drift'))
    .description("compare the fork with upstream's fork point in the fork's words")
    .option('--onto <commit>', 'the fork commit to look at (default: HEAD)')
    .option('--json', 'as JSON')
    .action(async (options) => finish(await runDrift(options)));
  withScan(program.command('fetch'))
    .description('bring upstream into a repository without its files, then the files of cleared commits')
    .option('--from <url>', 'where upstream is; needed where --upstream is not there yet')
    .option('--config <file>', 'take repositories, rules, cache and branches from the file of nightly')
    .option('--json', 'as JSON')
    .action(async (options) => finish(await runFetch(options)));
  withScan(program.command('scan'))
    .description('say of every upstream commit since the fork point where it stands')
    .option('--state <state...>', 'only these states')
    .option('--courtesy', 'instead: fork commits that upstream picked')
    .option('--json', 'everything as one object')
    .option('--html <file>', 'as a page')
    .action(async (options) => finish(await runScan(options)));
  withScan(program.command('status'))
    .description('how many commits are in each state, or all that is known of one')
    .argument('[commit]', 'an upstream commit')
    .option('--explain <commit>', 'say by which evidence an upstream commit is in its state')
    .option('--json', 'as JSON')
    .option('--html <file>', 'as a page')
    .action(async (commit: string | undefined, options) => finish(await runStatus(commit, options)));
  withScan(program.command('plan'))
    .description('what a run would bring over, park and cancel; nothing is published')
    .option('--limit <n>', 'most picks of a run (default: 30)')
    .option('--json', 'as JSON')
    .option('--html <file>', 'the review page as well')
    .action(async (options) => finish(await runPlan(options)));
  withScan(program.command('report'))
    .description('write the page on which the next run is reviewed')
    .argument('<file>', 'the page')
    .option('--limit <n>', 'most picks of a run (default: 30)')
    .action(async (file: string, options) => finish(await runReport(file, options)));
  withDecision(withFork(program.command('skip')))
    .description('write down that a commit never comes over')
    .option('--reason <class>', `one of ${skipReasons.join(', ')}`)
    .option('--look-again-when <path>', 'open again once a later commit changes this path')
    .option('--onto <commit>', 'the fork commit that was looked at (default: HEAD)')
    .action(async (commit: string, options) => finish(await runDecide('skip', commit, options)));
  withDecision(withUpstream(program.command('park')))
    .description('write down that somebody has to do something before a commit comes over')
    .action(async (commit: string, options) => finish(await runDecide('park', commit, options)));
  withDecision(withUpstream(program.command('alone')))
    .description('write down that a commit comes over although the rest of its pull request cannot')
    .action(async (commit: string, options) => finish(await runDecide('alone', commit, options)));
  withDecision(withFork(program.command('take')))
    .description('write down that a commit was brought over by hand')
    .option('--fork-commit <commit>', 'the fork commit that has the change')
    .action(async (commit: string, options) => finish(await runDecide('take', commit, options)));
  withUpstream(program.command('reopen'))
    .description('take a decision back')
    .argument('<commit>', 'the upstream commit')
    .action(async (commit: string, options) => finish(await runReopen(commit, options)));
  program
    .command('nightly')
    .description('plan, push, and bring pull request, comments and status issue up to date')
    .option('--config <file>', 'what to work on and where to publish (default: fork-sync.yaml)')
    .option('--publish', 'do it; without this it only says what it would do')
    .option('--offline', 'ask no forge; only without --publish')
    .option('--html <file>', 'the review page of the run')
    .option('--json', 'everything as one object')
    .action(async (options) => finish(await (await onForge()).runNightly(options)));
  program
    .command('comment')
    .description('show the commits of a pull request as picks, there or as a preview')
    .requiredOption('--pr <url>', 'the pull request')
    .option('--config <file>', 'the configuration (default: fork-sync.yaml)')
    .option('--publish', 'write it, in repositories under publish.repositories only')
    .option('--to-status', "with --publish: on the fork's status issue")
    .action(async (options) => finish(await (await onForge()).runComment(options)));
  const rules = program.command('rules').description('work on a rule pack');
  withRules(rules.command('check'))
    .description('schema, examples, order, idempotence, injectivity; with --pairs also hits and dead rules')
    .option('--pairs <file>', 'pairs to count hits over')
    .option('--upstream <repository>', 'the upstream repository')
    .option('--fork <repository>', "the fork's repository")
    .option('--cache <dir>', 'cache folder')
    .action(async (options) => finish(await runRulesCheck(options)));
  withRules(rules.command('test'))
    .description("run the rules' examples")
    .action((options) => finish(runRulesTest(options)));
  withRules(rules.command('explain'))
    .description('say which rule changes which characters of a path or a text')
    .argument('<what>', 'a path, or text')
    .option('--as <path>', 'the upstream file that the text stands in')
    .action((what: string, options) => finish(runRulesExplain(what, options)));
  withRepositories(rules.command('hits'))
    .description('count how often each rule applies over pairs')
    .option('--pairs <file>', 'pairs of commits')
    .option('--json', 'as JSON')
    .action(async (options) => finish(await runRulesHits(options)));
  withThreads(rules.command('suggest'))
    .description('propose rules from what replayed picks got wrong, or from the fork as it is')
    .option('--pairs <file>', 'pairs of commits')
    .option('--drift <commit>', 'look at what rules do not explain of this fork commit')
    .action(async (options) => finish(await runRulesSuggest(options)));
  addHelp(program);
  refuseDoubled(program);
  program.hook('preAction', (_program, command) => rememberGiven(command.opts()));
  return program;
}

function withScan(command: Command): Command {
  return withRepositories(command)
    .option('--onto <commit>', 'the fork commit to look at (default: HEAD)')
    .option('--branch <name...>', "upstream branches, or NAME=COMMIT (default: the pack's that are there)");
}

function withDecision(command: Command): Command {
  return command
    .argument('<commit>', 'the upstream commit')
    .option('--why <text>', 'what somebody should know who reads it in a year')
    .option('--by <person>', '"Name <mail>" (default: as git names you)');
}

/** Paths, and what git and a forge say, are foreign text; only the ends of lines keep their meaning. */
function inertLines(text: string): string {
  return text.split('\n').map(inert).join('\n');
}

async function main(): Promise<ExitCode> {
  let code: ExitCode = exitCode.usage;
  const program = createProgram((outcome) => {
    code = outcome;
  });
  try {
    await program.parseAsync(process.argv);
    return code;
  } catch (thrown) {
    const error = diskFailureOf(thrown) ?? thrown;
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.usage;
    if (error instanceof Failure) {
      process.stderr.write(`${inertLines(error.message)}\n`);
      return error.exitCode;
    }
    const lines = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(
      `fork-sync ${toolVersion}: this is a bug, please report it with the lines below.\n${inertLines(lines)}\n`,
    );
    return exitCode.failed;
  }
}

/** What talks to a forge goes on to its end, whoever has stopped reading. */
const command = process.argv.slice(2).find((argument) => !argument.startsWith('-'));
const publishes = command === 'nightly' || command === 'comment';

watchStandardStreams();
process.stdout.on('error', (error) => {
  // A reader that has seen enough (`| head`) is no failure of ours.
  if (systemErrorCode(error) === 'EPIPE' && !publishes) process.exit(exitCode.done);
});
const code = await main();
const loss = describeLoss(await standardOutputLost());
if (loss !== undefined) process.stderr.write(`fork-sync: ${loss}\n`);
process.exitCode = loss === undefined || code === exitCode.usage ? code : exitCode.failed;
