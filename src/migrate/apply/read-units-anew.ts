// Tells a systemd that runs to read its units anew.
import { existsSync } from 'node:fs';
import { Failure } from '../../core/failure.ts';
import type { ApplyContext } from './step-handler.ts';

/** One that does not goes by the former ones until the next boot, which is said. */
export async function readUnitsAnew({ host, warn }: Pick<ApplyContext, 'host' | 'warn'>): Promise<void> {
  if (host.which('systemctl') === undefined) return;
  try {
    await host.run(['systemctl', 'daemon-reload'], { timeoutMs: 60_000 });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (!existsSync(host.path('/run/systemd/system'))) return;
    warn(`systemd did not read its units anew; call "systemctl daemon-reload": ${error.message}`);
  }
}
