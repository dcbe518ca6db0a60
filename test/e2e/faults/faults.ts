// `npm run test:faults`: the whole fault matrix on real daemons. Each number of faults can be set, for instance --syscalls 25.
import { parseArgs } from 'node:util';
import { openFaultLab } from './fault-lab.ts';
import {
  boundaryPoints,
  changesInIncus,
  clockJumps,
  commandFaults,
  describeFault,
  errorFaults,
  type FaultOutcome,
  killedTwice,
  killTotal,
  otherTotal,
  powerCuts,
  randomPoints,
  restarts,
  rollbackKills,
  secondRuns,
  seeded,
  signalFaults,
  syscallPoints,
} from './fault-points.ts';
import { tryAll } from './try-fault.ts';

const number = (value: string) => ({ type: 'string', default: value }) as const;
const { values } = parseArgs({
  options: {
    /** The same seed chooses the same points, if the server makes the same calls. */
    seed: number(String(Math.floor(Math.random() * 1e6))),
    tree: { type: 'string', default: 'bookworm' },
    /** ext4 or btrfs: what LXD's and Incus's directories and the journal are on. */
    'file-system': { type: 'string', default: 'ext4' },
    /** 1: each twice, 0: none. */
    boundaries: number('1'),
    syscalls: number('100'),
    random: number('20'),
    errors: number('18'),
    signals: number('8'),
    'second-runs': number('2'),
    commands: number('1'),
    'power-cuts': number('16'),
    twice: number('12'),
    'rollback-kills': number('48'),
    'clock-jumps': number('8'),
    restarts: number('8'),
    /** 1: each, 0: none; or the kind of object, for instance volume. */
    changes: number('1'),
    /** Of all that were chosen, those whose line holds these words: what did not end well, once more. */
    only: { type: 'string', default: '' },
    parallel: number('2'),
  },
});
const begun = performance.now();
const elapsed = (): string => `${Math.round((performance.now() - begun) / 1000)} s`;
const lab = await openFaultLab(
  values.tree === 'trixie7' ? 'trixie7' : 'bookworm',
  values['file-system'] === 'btrfs' ? 'btrfs' : 'ext4',
);
console.log(
  `seed ${values.seed}; a migration makes ${lab.calls} calls that change something, in ${Math.round(lab.milliseconds)} ms; measured in ${elapsed()}`,
);
const outcomes: FaultOutcome[] = [];
try {
  const random = seeded(Number(values.seed));
  const faults = [
    ...powerCuts(lab, Number(values['power-cuts']), random),
    ...errorFaults(lab, Number(values.errors), random),
    ...signalFaults(lab, Number(values.signals), random),
    ...secondRuns(lab, Number(values['second-runs']), random),
    ...(values.commands === '0' ? [] : commandFaults),
    ...killedTwice(lab, Number(values.twice), random),
    ...(values.changes === '0' ? [] : changesInIncus).filter(
      (fault) =>
        values.changes === '1' || (fault.kind === 'change in Incus' && fault.object === values.changes),
    ),
    ...clockJumps(lab, Number(values['clock-jumps']), random),
    ...restarts(lab, Number(values.restarts), random),
    ...rollbackKills(lab, Number(values['rollback-kills']), random),
    ...syscallPoints(lab, Number(values.syscalls), random),
    ...randomPoints(lab, Number(values.random), random),
    ...(values.boundaries === '0' ? [] : boundaryPoints(lab)),
  ].filter((fault) => describeFault(fault).includes(values.only));
  outcomes.push(...(await tryAll(lab, faults, Number(values.parallel))));
} finally {
  lab.close();
}
const bad = outcomes.filter(({ wrong }) => wrong.length > 0).length;
console.log(`${bad === 0 ? 'all ended well' : `${bad} did not end well`}, in ${elapsed()}`);
console.log(otherTotal(outcomes));
console.log(killTotal(outcomes));
process.exitCode = bad === 0 ? 0 : 1;
