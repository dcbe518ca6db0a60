// Which options each command takes: what it does not use, it does not offer.
import { suggest } from '../../core/suggest.ts';
import { usualState } from '../usual-state.ts';

/** Every option that there is, as the command line gives it. */
export interface AllOptions {
  readonly lxdDir?: string;
  readonly incusDir?: string;
  readonly source?: string;
  readonly target?: string;
  readonly services?: string;
  readonly incusd?: string;
  readonly state: string;
  readonly accept?: string;
  readonly fix?: boolean;
  readonly report?: string;
  readonly showValues?: boolean;
  readonly yes?: boolean;
  readonly plan?: string;
  readonly stopTimeout?: string;
  readonly forceStop?: boolean;
  readonly purgeSource?: boolean;
  readonly salvage?: boolean;
}

export type OptionName = keyof AllOptions;

/** Seconds. */
export const usualStopTimeout = '60';

interface Definition {
  readonly flags: string;
  readonly what: string;
  readonly usual?: string;
}

export const definitions: Readonly<Record<OptionName, Definition>> = {
  lxdDir: { flags: '--lxd-dir <dir>', what: "LXD's data directory, or a folder with its database" },
  incusDir: { flags: '--incus-dir <dir>', what: "Incus's data directory" },
  source: { flags: '--source <name>', what: 'which LXD, where several are found' },
  target: { flags: '--target <name>', what: 'which Incus, where several are found' },
  services: {
    flags: '--services <file>',
    what: 'JSON with the commands that start and stop both daemons, for hosts without a service manager',
  },
  incusd: { flags: '--incusd <path>', what: 'the daemon of the target, where it is not found' },
  state: { flags: '--state <dir>', what: "the tool's own folder", usual: usualState },
  accept: { flags: '--accept <ids>', what: 'accept these findings (comma separated)' },
  fix: { flags: '--fix', what: 'let the tool mend what it can mend' },
  report: {
    flags: '--report <dir>',
    what: 'write report.html, report.md, plan.json and inventory.json there',
  },
  showValues: { flags: '--show-values', what: 'show confidential values; on a terminal only' },
  yes: { flags: '--yes', what: 'answer the question with yes; nothing else' },
  plan: { flags: '--plan <file>', what: 'migrate exactly this plan; refused if anything has changed since' },
  stopTimeout: {
    flags: '--stop-timeout <seconds>',
    what: 'how long an instance may take to stop, where it says nothing itself',
    usual: usualStopTimeout,
  },
  forceStop: {
    flags: '--force-stop',
    what: 'stop an instance by force when its time is over; without it nothing is ever forced',
  },
  purgeSource: {
    flags: '--purge-source',
    what: 'after a green verify remove what is left of LXD; it is listed beforehand',
  },
  salvage: {
    flags: '--salvage',
    what: 'of a damaged database write the best state that is left, and say which it is and what is lost',
  },
};

const where = ['lxdDir', 'incusDir', 'source', 'target', 'services', 'incusd', 'state'] as const;
const decide = ['accept', 'fix', 'report'] as const;
const stopping = ['stopTimeout', 'forceStop'] as const;

/** As `--help` lists them. */
export const optionsOf = {
  migrate: [...where, ...decide, 'plan', 'yes', ...stopping, 'purgeSource'],
  plan: [...where, ...decide, 'showValues'],
  rehearse: [...where, ...decide],
  inspect: ['lxdDir', 'incusDir', 'source', 'state', 'report', 'showValues'],
  'export-db': ['lxdDir', 'incusDir', 'source', 'state', 'salvage'],
  verify: ['state'],
  status: ['state'],
  resume: ['state', 'services', 'report', 'yes', ...stopping, 'purgeSource'],
  rollback: ['state', 'services', 'accept', 'yes', ...stopping],
  prune: ['state', 'yes'],
} as const satisfies Readonly<Record<string, readonly OptionName[]>>;

export type CommandName = keyof typeof optionsOf;

export const commandNames = Object.keys(optionsOf) as CommandName[];

/** What a command gets: no option that it does not offer. */
export type OptionsOf<C extends CommandName> = Pick<AllOptions, (typeof optionsOf)[C][number]>;

/** How a mistaken option is answered, beyond that it is none: who takes it, or what was probably meant. */
export function hintFor(command: CommandName, flag: string): string {
  const nameOf = (option: OptionName): string => definitions[option].flags.split(' ')[0] ?? '';
  const takers = commandNames.filter((name) => optionsOf[name].map(nameOf).includes(flag));
  if (takers.length > 0)
    return ` of ${command} (${takers.join(', ')} ${takers.length === 1 ? 'takes' : 'take'} it)`;
  return suggest(flag, [...optionsOf[command].map(nameOf), '--json', '--no-color', '--help']);
}
