// The packed lxd-to-incus in a machine: unpacked from its tarball and run there, and nowhere else.

import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import {
  type ExecOptions,
  type ExecResult,
  type Machine,
  markerFile,
  requireMarker,
} from '../machine/machine.ts';
import { machineFailure } from '../machine/problem.ts';

const folder = '/opt/lxd-to-incus-e2e';
const candidates = ['lxd-to-incus', 'bin/lxd-to-incus'];

/** Unpacks the tarball that `npm run pack:host` makes. */
export async function installTool(machine: Machine, tarball: string): Promise<void> {
  requireMarker(machine.name, machine.rootPath(markerFile));
  const copy = `/opt/${basename(tarball)}`;
  machine.copyIn(tarball, copy);
  await machine.exec(['rm', '-rf', folder]);
  await machine.exec(['mkdir', folder]);
  await machine.exec(['tar', '-xzf', copy, '-C', folder, '--strip-components=1'], { timeoutMs: 120_000 });
  await machine.exec(['rm', copy]);
  toolPath(machine);
}

function toolPath(machine: Machine): string {
  requireMarker(machine.name, machine.rootPath(markerFile));
  const found = candidates
    .map((path) => `${folder}/${path}`)
    .find((path) => existsSync(machine.rootPath(path)));
  if (found === undefined)
    throw machineFailure({
      code: 'command-in-machine',
      name: machine.name,
      argv: ['lxd-to-incus'],
      why: `none of ${candidates.join(', ')} is in the tarball`,
    });
  return found;
}

/** Runs the tool to its end; every exit status is an answer. */
export async function tool(
  machine: Machine,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<ExecResult> {
  return machine.exec([toolPath(machine), ...args], { timeoutMs: 300_000, accept: 'any', ...options });
}

/** Starts the tool for a test that watches or kills it. */
export function startTool(
  machine: Machine,
  args: readonly string[],
  env?: Readonly<Record<string, string>>,
): ChildProcess {
  return machine.spawn([toolPath(machine), ...args], env);
}
