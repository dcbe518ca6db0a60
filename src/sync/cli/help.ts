// What help says beyond the list of options: examples for each command, and the exit codes.
import type { Command } from 'commander';

const repositories = '--upstream ~/lxd --fork ~/incus';

/** Examples by the command's name. */
export const examples: Readonly<Record<string, readonly string[]>> = {
  'fork-sync': [
    `fork-sync pick 3f2a91c --onto main ${repositories}`,
    'fork-sync rules explain "run lxc list on LXD"',
  ],
  pick: [
    `fork-sync pick 3f2a91c 77ab021 --onto main ${repositories}`,
    `git -C ~/lxd rev-list --reverse v5.1..v5.2 | sed 's/$/\\tmain/' | fork-sync pick --stdin --json ${repositories}`,
    `fork-sync pick 9b04d55 --onto origin/main --reverse ${repositories}`,
  ],
  checkout: [`fork-sync checkout 3f2a91c ~/solve --onto main ${repositories}`],
  continue: [`fork-sync continue ~/solve ${repositories}`],
  replay: [
    `fork-sync replay --pairs imports.tsv --html replay.html ${repositories}`,
    `fork-sync replay --pairs imports.tsv --quick --isolated 12 ${repositories}`,
  ],
  drift: [`fork-sync drift --onto main ${repositories}`],
  'rules check': ['fork-sync rules check', `fork-sync rules check --pairs imports.tsv ${repositories}`],
  'rules test': ['fork-sync rules test --rules my-pack'],
  'rules explain': [
    'fork-sync rules explain lxd/storage/backend_lxd.go',
    'fork-sync rules explain "lxc launch" --as doc/howto.md',
  ],
  'rules hits': [`fork-sync rules hits --pairs imports.tsv ${repositories}`],
  'rules suggest': [`fork-sync rules suggest --pairs imports.tsv ${repositories}`],
};

const exits = `
Exit codes: 0 done, 1 failed, 2 usage, 3 a person must decide, 4 nothing to do, 5 interrupted.
All of it: docs/cli.md`;

/** Adds the examples to a command and to everything below it. */
export function addHelp(command: Command, name = command.name()): void {
  const lines = examples[name]?.map((line) => `  ${line}`).join('\n');
  command.addHelpText('after', `${lines === undefined ? '' : `\nExamples:\n${lines}\n`}${exits}`);
  const prefix = command.parent === null ? '' : `${name} `;
  for (const inner of command.commands) addHelp(inner, `${prefix}${inner.name()}`);
}
