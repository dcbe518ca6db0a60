// Failures of a migration; the only place where their text is written.
import { dirname } from 'node:path';
import { type ExitCode, exitCode } from '../core/exit-code.ts';
import { type Explanation, Failure, unreachable } from '../core/failure.ts';
import { ownCommand } from '../core/program-name.ts';
import { firstLines } from '../core/text.ts';
import { toolVersion } from '../core/version.ts';
import { commandOn } from './command-on.ts';

export type MigrateProblem =
  | {
      readonly code: 'schema-unknown';
      readonly schema: number;
      readonly objects: readonly string[];
      readonly what: string;
      readonly action: string;
    }
  | { readonly code: 'not-a-database'; readonly path: string; readonly why: string }
  /** local.db, of either daemon. */
  | { readonly code: 'local-database'; readonly path: string; readonly why: string }
  /** What a daemon's database always answers, this one does not. */
  | { readonly code: 'database-refuses'; readonly path: string; readonly why: string }
  | { readonly code: 'no-permission'; readonly path: string }
  | { readonly code: 'needs-root'; readonly command: string }
  | {
      readonly code: 'no-source';
      readonly looked: readonly string[];
      readonly plainLxc: boolean;
      /** Directories with a database of LXD that no package or daemon here speaks for. */
      readonly elsewhere: readonly string[];
    }
  | { readonly code: 'no-target'; readonly looked: readonly string[] }
  | {
      readonly code: 'several-installations';
      readonly role: 'source' | 'target';
      readonly names: readonly string[];
    }
  | {
      readonly code: 'installation-unknown';
      readonly role: 'source' | 'target';
      readonly name: string;
      readonly names: readonly string[];
    }
  | { readonly code: 'bad-file'; readonly path: string; readonly why: string }
  | { readonly code: 'bad-option'; readonly option: string; readonly why: string }
  | { readonly code: 'needs-answer'; readonly question: string; readonly flag: string }
  | { readonly code: 'findings-open'; readonly ids: readonly string[] }
  | { readonly code: 'plan-stale'; readonly differences: readonly string[] }
  | {
      readonly code: 'unfinished-migration';
      readonly run: string;
      readonly where: string;
      /** Where another folder than the one in use holds it. */
      readonly state?: string;
    }
  | {
      readonly code: 'journal-unreadable';
      readonly path: string;
      /** What of it, in words. */
      readonly what: string;
      readonly why: string;
      /** The version of this tool that wrote it, where that is known. */
      readonly writtenBy: string | undefined;
    }
  | { readonly code: 'run-folder-gone'; readonly run: string; readonly missing: string }
  | {
      readonly code: 'run-folder-moved';
      readonly run: string;
      /** Where its steps keep what they set aside. */
      readonly was: string;
      readonly is: string;
    }
  | { readonly code: 'interrupted'; readonly step: string }
  | { readonly code: 'rollback-incomplete'; readonly failed: readonly string[]; readonly state: string }
  | { readonly code: 'rollback-left-open'; readonly what: readonly string[] }
  | {
      readonly code: 'already-running';
      /** The folder that it works in, which may be another one than ours; undefined where it has not said so yet. */
      readonly state: string | undefined;
      readonly process: string | undefined;
    }
  | { readonly code: 'still-running'; readonly what: readonly string[] }
  | {
      readonly code: 'step-failed';
      readonly step: string;
      readonly why: string;
      readonly undone: boolean;
      readonly state: string;
      /** What could not be brought back although all is undone. */
      readonly leftOpen: readonly string[];
    }
  | {
      readonly code: 'daemon-error';
      readonly request: string;
      readonly status: number;
      readonly message: string;
    }
  | { readonly code: 'daemon-unreachable'; readonly socket: string; readonly errno: string }
  | { readonly code: 'daemon-answer-unreadable'; readonly request: string; readonly why: string }
  | { readonly code: 'daemon-operation-limit'; readonly request: string; readonly limitMs: number }
  | {
      readonly code: 'daemon-will-not-stop';
      readonly socket: string;
      readonly limitMs: number;
      readonly last: string;
    }
  | {
      readonly code: 'daemon-silent';
      readonly daemon: string;
      readonly limitMs: number;
      readonly lastLines: readonly string[];
    }
  | {
      readonly code: 'daemon-did-not-start';
      readonly daemon: string;
      readonly why: string;
      readonly lastLines: readonly string[];
    }
  | { readonly code: 'source-not-startable' }
  | {
      readonly code: 'service-manager-failed';
      /** What was asked of systemctl. */
      readonly asked: string;
      readonly attempts: number;
      readonly limitMs: number;
      readonly said: string;
    }
  | { readonly code: 'instance-will-not-stop'; readonly instance: string; readonly limitMs: number }
  | {
      readonly code: 'operations-running';
      readonly daemon: 'LXD' | 'Incus';
      /** In words, each with what it is about. */
      readonly operations: readonly string[];
      readonly limitMs: number;
    }
  | { readonly code: 'target-exists'; readonly path: string }
  | { readonly code: 'copy-failed'; readonly from: string; readonly to: string; readonly why: string }
  | { readonly code: 'purge-refused'; readonly because: readonly string[] }
  | { readonly code: 'not-mounted'; readonly paths: readonly string[] }
  | { readonly code: 'verify-failed'; readonly count: number; readonly report: string };

const exits: Partial<Record<MigrateProblem['code'], ExitCode>> = {
  'bad-option': exitCode.usage,
  'bad-file': exitCode.usage,
  'needs-root': exitCode.usage,
  'needs-answer': exitCode.usage,
  'several-installations': exitCode.usage,
  'installation-unknown': exitCode.usage,
  'findings-open': exitCode.blocked,
  'unfinished-migration': exitCode.interrupted,
  'run-folder-gone': exitCode.failed,
  interrupted: exitCode.interrupted,
  'schema-unknown': exitCode.blocked,
  'plan-stale': exitCode.blocked,
};

export function migrateFailure(problem: MigrateProblem, cause?: unknown): Failure<MigrateProblem> {
  return new Failure(problem, explain(problem), { cause, exitCode: exits[problem.code] ?? exitCode.failed });
}

function atMost(count: number, lines: readonly string[]): string {
  return firstLines(lines, count).join('\n');
}

function resumeOrRollback(state?: string): string {
  const command = (word: string): string => (state === undefined ? ownCommand(word) : commandOn(state, word));
  return `Run "${command('resume')}" to finish it, or "${command('rollback')}" to have LXD back as it was.`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function nextFor(writtenBy: string | undefined): string {
  const whole =
    'Nothing was changed. Where it is damaged, put the file back from a backup: LXD and its database are where the run left them.';
  return writtenBy === undefined || writtenBy === toolVersion
    ? whole
    : `Nothing was changed. It was written by lxd-to-incus ${writtenBy}, and this is ${toolVersion}: use that version for it (npm install lxd-to-incus@${writtenBy}, or its archive for hosts).`;
}

function explain(problem: MigrateProblem): Explanation {
  switch (problem.code) {
    case 'schema-unknown':
      return {
        what: problem.what,
        where: atMost(20, problem.objects),
        next: `Nothing was changed. ${problem.action}`,
      };
    case 'not-a-database':
      return {
        what: `No LXD or Incus database here: ${problem.why}.`,
        where: problem.path,
        next: 'Give the data directory (for instance /var/lib/lxd) or its database/global folder.',
      };
    case 'local-database':
      return {
        what: `This is no local.db that a daemon could start on: ${problem.why}.`,
        where: problem.path,
        next: 'Nothing was changed. Put the whole file in its place; as root, "sqlite3 FILE .tables" shows what is in one.',
      };
    case 'database-refuses':
      return {
        what: `This database is not as LXD makes it: ${problem.why}.`,
        where: problem.path,
        next: `Nothing was changed. ${ownCommand('export-db')} writes it into a file in which you can look for what is missing.`,
      };
    case 'no-permission':
      return {
        what: 'This file or folder cannot be read.',
        where: problem.path,
        next: 'Run the command as root, or give a copy that you can read.',
      };
    case 'needs-root':
      return {
        what: `${problem.command} must be run as root.`,
        next: `Try: sudo ${ownCommand(problem.command)}`,
      };
    case 'no-source':
      return problem.plainLxc
        ? {
            what: 'There is no LXD here, but there are containers of plain LXC in /var/lib/lxc.',
            next: 'Plain LXC containers are moved into Incus by lxc-to-incus (package incus-tools or incus-extra), not by this tool.',
          }
        : {
            what: 'No LXD was found on this machine.',
            where: `Looked for: ${problem.looked.join(', ')}`,
            next:
              problem.elsewhere.length === 0
                ? 'Name its data directory with --lxd-dir.'
                : `There is data of an LXD that does not run in ${problem.elsewhere.join(', ')}. Start that LXD, or name the directory with --lxd-dir.`,
          };
    case 'no-target':
      return {
        what: 'No Incus was found on this machine.',
        where: `Looked for: ${problem.looked.join(', ')}`,
        next: 'Install it, or name its data directory with --incus-dir.',
      };
    case 'several-installations':
      return {
        what: `More than one ${problem.role === 'source' ? 'LXD' : 'Incus'} was found: ${problem.names.join(', ')}.`,
        next: `Choose one with --${problem.role} NAME.`,
      };
    case 'installation-unknown':
      return {
        what: `There is no ${problem.role} called ${problem.name} here.`,
        where: `Found: ${problem.names.join(', ') || 'none'}`,
      };
    case 'bad-file':
      return { what: `This file cannot be used: ${problem.why}.`, where: problem.path };
    case 'bad-option':
      return { what: `${problem.option}: ${problem.why}` };
    case 'needs-answer':
      return {
        what: `${problem.question} There is no terminal to answer on.`,
        next: `Give ${problem.flag} to answer yes.`,
      };
    case 'findings-open':
      return {
        what: `${problem.ids.length} finding(s) stand in the way: ${problem.ids.join(', ')}.`,
        next: 'Nothing was changed. Each finding above says what can be done about it.',
      };
    case 'plan-stale':
      return {
        what: 'The server is no longer as it was planned.',
        where: atMost(20, problem.differences),
        next: 'Nothing was moved. Plan again.',
      };
    case 'unfinished-migration':
      return {
        what: `A migration (${problem.run}) was begun${problem.state === undefined ? '' : ` in the state folder ${problem.state}`} and is not finished.`,
        where: problem.where,
        next: resumeOrRollback(problem.state),
      };
    case 'journal-unreadable':
      return {
        what: `${capitalised(problem.what)} cannot be understood: ${problem.why}.`,
        where: problem.path,
        next: nextFor(problem.writtenBy),
      };
    case 'run-folder-gone':
      return {
        what: `What the journal says of the migration (${problem.run}) cannot be carried out: its folder is not complete.`,
        where: problem.missing,
        next: "Nothing was changed. Put the folder back as it was: LXD's own database and what the steps kept are in it.",
      };
    case 'run-folder-moved':
      return {
        what: `The folder of the migration (${problem.run}) is not where it was when the migration began, and its steps keep there what they set aside.`,
        where: `${problem.is}; it was ${problem.was}`,
        next: `Nothing was changed. Put it back, with the journal beside its folder, and name ${dirname(dirname(problem.was))} with --state; where both are there, that one counts.`,
      };
    case 'interrupted':
      return {
        what: `Interrupted before: ${problem.step}.`,
        next: resumeOrRollback(),
      };
    case 'rollback-incomplete':
      return {
        what: `The rollback is not complete: ${problem.failed.length} ${problem.failed.length === 1 ? 'step' : 'steps'} could not be undone.`,
        where: [atMost(50, problem.failed), `Log: ${problem.state}/log`].join('\n'),
        next: `Nothing of LXD was deleted. Mend what is named, then run "${ownCommand('rollback')}" again: it goes on with just these.`,
      };
    case 'rollback-left-open':
      return {
        what: 'LXD is back, but not everything is as it was:',
        where: atMost(50, problem.what),
        next: 'The rollback is complete and there is nothing more to undo. Mend these in LXD.',
      };
    case 'already-running':
      return {
        what: `Another lxd-to-incus${problem.process === undefined ? '' : ` (process ${problem.process})`} is at work here.`,
        ...(problem.state === undefined ? {} : { where: `It works in the state folder ${problem.state}` }),
        next: `Nothing was changed. Wait until it has ended; "${problem.state === undefined ? ownCommand('status') : commandOn(problem.state, 'status')}" says how far it is.`,
      };
    case 'still-running':
      return {
        what: 'Something of a data directory still runs or is mounted.',
        where: atMost(20, problem.what),
        next: 'End it, then try again.',
      };
    case 'step-failed':
      return {
        what: `Step ${problem.step} failed: ${problem.why}`,
        where: problem.state,
        next: problem.undone
          ? problem.leftOpen.length === 0
            ? 'Everything done before it was undone; LXD is as it was.'
            : `Everything done before it was undone, but not everything of LXD is as it was:\n${atMost(20, problem.leftOpen)}`
          : `Nothing of LXD was deleted. Run "${ownCommand('rollback')}" to have LXD back as it was, or mend what is named and run "${ownCommand('resume')}".`,
      };
    case 'daemon-error':
      return {
        what: `The daemon refused ${problem.request}: ${problem.message}`,
        where: `status ${problem.status}`,
      };
    case 'daemon-unreachable':
      return {
        what: `No daemon answers here: ${problem.errno}.`,
        where: problem.socket,
        next: 'See whether it is started.',
      };
    case 'daemon-answer-unreadable':
      return { what: `The daemon's answer to ${problem.request} cannot be understood: ${problem.why}.` };
    case 'daemon-operation-limit':
      return {
        what: `The daemon did not finish ${problem.request} within ${problem.limitMs / 1000} s.`,
        next: 'It goes on with it in the background.',
      };
    case 'daemon-will-not-stop':
      return {
        what: `The daemon was told to shut down and still runs after ${problem.limitMs / 1000} s.`,
        where: problem.last === '' ? problem.socket : `${problem.socket}: ${problem.last}`,
        next: 'Something that it waits for does not end: an instance that does not stop, or an operation.',
      };
    case 'daemon-silent':
      return {
        what:
          problem.limitMs === 0
            ? `${problem.daemon} does not run.`
            : `${problem.daemon} did not answer within ${problem.limitMs / 1000} s.`,
        ...(problem.lastLines.length === 0
          ? {}
          : { where: `Its last lines:\n${problem.lastLines.join('\n')}` }),
      };
    case 'source-not-startable':
      return {
        what: 'LXD does not run and nothing says how it is started here, so its instances cannot be started again.',
        next: 'Install or start LXD, or say with --services FILE how it is started.',
      };
    case 'service-manager-failed':
      return {
        what: `systemd is there and did not answer "systemctl ${problem.asked}", asked ${problem.attempts} times, ${problem.limitMs / 1000} s each.`,
        where: problem.said,
        next: 'Try again when the machine is less busy. Where systemd cannot work, say with --services FILE how the daemons are started.',
      };
    case 'daemon-did-not-start':
      return {
        what: `${problem.daemon} did not come up: ${problem.why}`,
        where:
          problem.lastLines.length === 0
            ? 'It wrote nothing into its log.'
            : `The last lines of its log:\n${problem.lastLines.join('\n')}`,
      };
    case 'instance-will-not-stop':
      return {
        what: `Instance ${problem.instance} did not stop within ${problem.limitMs / 1000} s.`,
        next: 'Stop it yourself (lxc stop, or lxc stop --force), or allow force with --force-stop, then try again.',
      };
    case 'operations-running': {
      const command = problem.daemon === 'LXD' ? 'lxc' : 'incus';
      return {
        what: `${problem.daemon} did not finish its work within ${problem.limitMs / 1000} s, and is not stopped in the middle of it.`,
        where: atMost(20, problem.operations),
        next: `Wait until it has ended (${command} operation list, with --project NAME for another project), or cancel it (${command} operation delete ID), then try again.`,
      };
    }
    case 'target-exists':
      return {
        what: 'Something already stands where the tool would write; nothing was replaced.',
        where: problem.path,
      };
    case 'copy-failed':
      return {
        what: `${problem.from} could not be copied to ${problem.to}: ${problem.why}`,
        next: 'Nothing was removed. What was copied so far is used when it is tried again.',
      };
    case 'purge-refused':
      return {
        what: 'The server was moved and verified, and LXD was not removed: more would go than was listed.',
        where: problem.because.join('\n'),
        next: 'Nothing was removed. Move these away, or remove LXD yourself.',
      };
    case 'not-mounted':
      return {
        what: `No file system is mounted on ${problem.paths.join(' or ')}.`,
        next: 'Mount it where it was, then try again.',
      };
    case 'verify-failed':
      return {
        what: `The server moved, but ${problem.count} check(s) failed afterwards.`,
        where: `Report: ${problem.report}`,
        next: 'Nothing of LXD was removed; its own database is kept.',
      };
    default:
      return unreachable(problem);
  }
}
