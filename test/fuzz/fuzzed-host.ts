// A fake machine that no path leaves, however it is written, and that runs outside of vitest.
import { join, normalize } from 'node:path';
import { type FakeHost, fakeHost } from '../fakes/fake-host.ts';
import { furnish } from '../migrate/plan/furnished.ts';

export function fuzzedHost(image: Buffer): FakeHost {
  const bare = fakeHost();
  const path = (absolute: string): string => join(bare.root, normalize(`/${absolute}`));
  const host: FakeHost = { ...bare, path };
  furnish(host, image);
  return host;
}
