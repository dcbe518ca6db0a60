// The examples that the help of each command ends with.
import { ownCommand } from '../../core/program-name.ts';
import type { CommandName } from './command-options.ts';

type Example = readonly [words: readonly string[], what: string];

const examples: Readonly<Record<CommandName, readonly Example[]>> = {
  migrate: [
    [[], 'plan, ask, and move this server'],
    [['migrate', '--yes', '--fix'], 'move without questions, over what "incus admin init" made'],
    [['migrate', '--plan', '/root/plan/plan.json'], 'move exactly what was planned'],
    [['migrate', '--yes', '--accept', 'key-lost:maas.api.url'], 'take a loss that the plan names'],
  ],
  plan: [
    [['plan'], 'look at everything, change nothing'],
    [['plan', '--report', '/root/plan'], 'the same, with a report as a web page'],
    [['plan', '--lxd-dir', '/backup/lxd'], 'of a copied directory, or of its database alone'],
  ],
  rehearse: [
    [['rehearse'], 'try Incus on a copy, beside the running LXD'],
    [['rehearse', '--report', '/root/plan'], 'the same, with a report as a web page'],
  ],
  inspect: [
    [['inspect'], 'what the database of this server holds'],
    [['inspect', '--lxd-dir', '/backup/lxd', '--json'], 'what a copied one holds, for programs'],
  ],
  'export-db': [
    [['export-db', 'lxd.sqlite'], 'the database as a plain SQLite file'],
    [['export-db', '--salvage', '--lxd-dir', '/backup/lxd', 'lxd.sqlite'], 'what is left of a damaged copy'],
  ],
  verify: [[['verify'], 'the checks of a finished move once more']],
  status: [
    [['status'], 'where a migration stands'],
    [['status', '--json'], 'the same for programs'],
  ],
  resume: [
    [['resume'], 'finish a migration that was interrupted'],
    [['resume', '--yes', '--force-stop'], 'the same without a question, instances that do not stop by force'],
  ],
  rollback: [
    [['rollback'], 'have LXD back as it was'],
    [['rollback', '--yes', '--accept', 'gone-since-switch'], 'also where what was moved is gone in Incus'],
  ],
  prune: [[['prune'], 'remove what no rollback can need any more']],
};

/** The most useful of all commands. */
export const chosenExamples: readonly Example[] = [
  ...examples.plan.slice(0, 2),
  ...examples.rehearse.slice(0, 1),
  ...examples.migrate.slice(0, 2),
  ...examples.inspect.slice(1),
  ...examples['export-db'].slice(0, 1),
  ...examples.rollback.slice(0, 1),
];

export function examplesOf(command: CommandName): string {
  return renderExamples(examples[command]);
}

export function renderExamples(list: readonly Example[]): string {
  const lines = list.map(([words, what]) => `  # ${what}\n  ${ownCommand(...words)}`);
  return `\nExamples:\n${lines.join('\n')}`;
}
