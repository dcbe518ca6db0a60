// A fake machine with a whole LXD directory, for one test, and the plan for it.
import { onTestFinished } from 'vitest';
import { type DetectOptions, find } from '../../../src/migrate/detect/index.ts';
import { makePlan } from '../../../src/migrate/plan/index.ts';
import type { PlanMaterial } from '../../../src/migrate/plan/plan-material.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';
import { furnish } from './furnished.ts';

export { writeDatabase } from './furnished.ts';

/** A machine with systemd, an LXD of that database, and an Incus that was never started. */
export function machineWith(image: Buffer, options: { readonly version?: string } = {}): FakeHost {
  const host = fakeHost();
  onTestFinished(() => host.dispose());
  furnish(host, image, options);
  return host;
}

export function planOf(host: FakeHost, options: DetectOptions = {}): Promise<PlanMaterial> {
  return makePlan({
    host,
    found: find(host, options),
    services: options.services,
    state: '/var/lib/lxd-to-incus',
    toolVersion: 'test',
    run: 'RUN',
    keepable: true,
  });
}
