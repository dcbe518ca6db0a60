// A clock of its own for the tool: Debian's libfaketime in the machine's tree. What the tool starts keeps the machine's clock.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from '../machine/machine.ts';

const ownClock = '/opt/own-clock.cjs';
const library = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

export function installFakeClock(machine: Machine): void {
  machine.copyIn(join(import.meta.dirname, 'own-clock.cjs'), ownClock);
}

/** The environment in which the tool's own process sees a clock that is so many days ahead, or behind. */
export function fakeClock(machine: Machine, days: number): Readonly<Record<string, string>> {
  if (!existsSync(machine.rootPath(library))) throw new Error(`${library} is not in the machine`);
  return {
    LD_PRELOAD: library,
    NODE_OPTIONS: `--require=${ownClock}`,
    FAKETIME: `${days < 0 ? '-' : '+'}${Math.abs(days)}d`,
    FAKETIME_ONLY_CMDS: 'node',
    // Limits are measured by the other clock, which no one sets; and times of files are the kernel's.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
    NO_FAKE_STAT: '1',
  };
}
