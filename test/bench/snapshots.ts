// Time and memory of each command on a server with very many snapshots of one container.
import { join } from 'node:path';
import { packedTool } from '../e2e/packed-tool.ts';
import { installTool, tool } from '../e2e/server/tool.ts';
import { startSnapshotsMachine } from '../e2e/snapshots-server.ts';

export interface SnapshotsFigures {
  readonly command: string;
  readonly milliseconds: number;
  /** Of this tool; the daemons have their own. */
  readonly peakBytes: number;
}

/** @param report told as soon as each command has ended: the whole takes a quarter of an hour and more */
export async function benchSnapshots(
  count: number,
  report: (figures: SnapshotsFigures) => void,
): Promise<void> {
  const machine = await startSnapshotsMachine(count);
  try {
    await installTool(machine, await packedTool());
    machine.copyIn(join(import.meta.dirname, 'print-peak.mjs'), '/opt/print-peak.mjs');
    for (const args of [['plan'], ['rehearse'], ['migrate', '--yes'], ['verify'], ['rollback', '--yes']]) {
      const begun = performance.now();
      const { status, stderr } = await tool(machine, args, {
        timeoutMs: 3_000_000,
        env: { NODE_OPTIONS: '--import /opt/print-peak.mjs' },
      });
      if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
      report({
        command: args.join(' '),
        milliseconds: performance.now() - begun,
        peakBytes: Number(/peak-rss-kib (\d+)/.exec(stderr)?.[1] ?? Number.NaN) * 1024,
      });
    }
  } finally {
    await machine.stop();
  }
}
