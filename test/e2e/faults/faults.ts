// `npm run test:faults`: the whole fault matrix. Options: --seed N, --syscalls N, --random N, --boundaries none, --parallel N.
import { parseArgs } from 'node:util';
import { openFaultLab } from './fault-lab.ts';
import {
  boundaryPoints,
  describePoint,
  type KillOutcome,
  killTotal,
  randomPoints,
  seeded,
  syscallPoints,
  tryKillPoint,
} from './kill-points.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    tree: { type: 'string', default: 'bookworm' },
    boundaries: { type: 'string', default: 'all' },
    syscalls: { type: 'string', default: '100' },
    random: { type: 'string', default: '20' },
    parallel: { type: 'string', default: '2' },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e6));
const begun = performance.now();
const lab = await openFaultLab(values.tree === 'trixie7' ? 'trixie7' : 'bookworm');
console.log(
  `seed ${seed}; a migration makes ${lab.calls} calls that change something, in ${Math.round(lab.milliseconds)} ms; measured in ${Math.round((performance.now() - begun) / 1000)} s`,
);
const outcomes: KillOutcome[] = [];
try {
  const random = seeded(seed);
  const points = [
    ...syscallPoints(lab, Number(values.syscalls), random),
    ...randomPoints(lab, Number(values.random), random),
    ...(values.boundaries === 'none' ? [] : boundaryPoints(lab)),
  ].values();
  const worker = async (): Promise<void> => {
    for (const point of points) {
      const outcome = await tryKillPoint(lab, point).catch(
        (error: unknown): KillOutcome => ({ point, where: 'nowhere', wrong: [String(error)], seconds: 0 }),
      );
      outcomes.push(outcome);
      const verdict = outcome.wrong.length === 0 ? 'ends well' : 'DOES NOT END WELL';
      console.log(`${verdict}: ${describePoint(point)}: ${outcome.where} (${Math.round(outcome.seconds)} s)`);
      for (const line of outcome.wrong) console.log(`    ${line.replaceAll('\n', '\n    ')}`);
    }
  };
  await Promise.all(Array.from({ length: Number(values.parallel) }, worker));
} finally {
  lab.close();
}
const bad = outcomes.filter(({ wrong }) => wrong.length > 0).length;
if (bad > 0) console.log(`${bad} did not end well`);
console.log(`${Math.round((performance.now() - begun) / 1000)} s`);
console.log(killTotal(outcomes));
process.exitCode = bad === 0 ? 0 : 1;
