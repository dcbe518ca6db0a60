import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { findGo } from '../../../src/sync/build/find-go.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

/** A program of this name is the only one that the process finds. */
function installGo(script: string | undefined): void {
  const folder = temporaryFolder();
  const path = join(folder, 'go');
  if (script !== undefined) {
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }
  vi.stubEnv('PATH', folder);
  onTestFinished(() => void vi.unstubAllEnvs());
}

describe('the Go of this machine', () => {
  it('says where its library is, and is kept from fetching another Go', async () => {
    installGo(
      `[ "$*" = "env -json GOROOT GOVERSION" ] && [ "$GOTOOLCHAIN" = local ] && [ "$PWD" = / ] || exit 1\necho '{"GOROOT": "/opt/go", "GOVERSION": "go1.22.3"}'`,
    );

    expect(await findGo()).toEqual({ root: '/opt/go', version: 'go1.22.3' });
  });

  it.each([
    ['is not installed', undefined],
    ['fails', 'exit 2'],
    ['says something else', 'echo nothing'],
    ['has no place', `echo '{"GOROOT": "", "GOVERSION": "go1.22.3"}'`],
  ])('is unknown where it %s', async (_, script) => {
    installGo(script);

    expect(await findGo()).toBeUndefined();
  });
});
