// Upstream's lxd-to-incus on the populated server: how long each part takes, and what it leaves of what ran.
import { formatTable } from '../../src/core/text.ts';
import { startPopulatedMachine } from '../e2e/server/populated-machine.ts';
import { populatedPower, powerOf } from '../e2e/server/power.ts';
import { runUpstream, type UpstreamRun } from '../e2e/upstream.ts';

export interface UpstreamFigures {
  readonly run: UpstreamRun;
  /** Instances that are not as they were before the migration. */
  readonly changed: readonly {
    readonly project: string;
    readonly instance: string;
    readonly before: string;
    readonly after: string;
  }[];
}

export async function measureUpstream(): Promise<UpstreamFigures> {
  const machine = await startPopulatedMachine({ name: 'upstream' });
  try {
    const run = await runUpstream(machine);
    const after = new Map(
      (await powerOf(machine, 'incus')).map((state) => [`${state.project}/${state.instance}`, state]),
    );
    const changed = populatedPower.flatMap(({ project, instance, status }) => {
      const now = after.get(`${project}/${instance}`);
      return now?.status === status
        ? []
        : [{ project, instance, before: status, after: now?.status ?? 'gone' }];
    });
    return { run, changed };
  } finally {
    await machine.stop();
  }
}

/** Its own headings are the parts; each lasts until the next one. */
export function describeUpstream({ run, changed }: UpstreamFigures): string {
  const headings = run.lines.filter(({ text }) => text.startsWith('=> '));
  const parts = headings.map(({ seconds, text }, index) => {
    const end = headings[index + 1]?.seconds ?? run.seconds;
    return [text.slice('=> '.length), (end - seconds).toFixed(2)];
  });
  const power = changed.map(({ project, instance, before, after }) => [
    `${project}/${instance}`,
    before,
    after,
  ]);
  return [
    formatTable(["upstream's lxd-to-incus", 'seconds'], [...parts, ['whole', run.seconds.toFixed(2)]]),
    `exit ${run.status}`,
    formatTable(['instance', 'before', 'after'], power),
  ].join('\n\n');
}

/** Prints both tables; returns the figures for a comparison. */
export async function benchUpstream(): Promise<UpstreamFigures> {
  const figures = await measureUpstream();
  process.stdout.write(`${describeUpstream(figures)}\n`);
  return figures;
}
