// Data directories in other places than the usual one: a daemon runs on them, or a unit of systemd starts one there.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../core/host.ts';
import { readRegularFile } from '../../core/read-regular-file.ts';
import { directoryOfProcess, isDaemon } from '../machine/daemon-process.ts';
import { movedNote } from './moved-note.ts';
import { unitFolders } from './systemd.ts';

export interface OtherDirectory {
  readonly directory: string;
  readonly evidence: string;
  /** The unit that starts it. */
  readonly unit?: string;
  readonly program?: string | undefined;
}

/** Each with a database in it that no migration has moved away; a directory may come more than once. */
export function otherDirectories(host: Host, role: 'source' | 'target'): OtherDirectory[] {
  return [...ofUnits(host, role), ...ofProcesses(host, role)].filter(
    ({ directory }) =>
      existsSync(host.path(join(directory, 'database'))) &&
      !existsSync(host.path(join(directory, movedNote))),
  );
}

function ofProcesses(host: Host, role: 'source' | 'target'): OtherDirectory[] {
  return host
    .processes()
    .filter((process) => process.samePidNamespace && isDaemon(process))
    .filter(({ argv }) => /incusd$/.test(argv[0] ?? '') === (role === 'target'))
    .flatMap((process) => {
      const directory = directoryOfProcess(host, process);
      return directory === undefined
        ? []
        : [{ directory, evidence: `process ${process.pid}`, program: process.program }];
    });
}

/** Units and what is dropped in beside them (`lxd.service.d/…conf`), which may set LXD_DIR or INCUS_DIR. */
function ofUnits(host: Host, role: 'source' | 'target'): OtherDirectory[] {
  const [names, variable] =
    role === 'source' ? [/^lxd[\w@.-]*\.service$/, 'LXD_DIR'] : [/^incus[\w@.-]*\.service$/, 'INCUS_DIR'];
  return unitFolders.flatMap((folder) =>
    namesIn(host, folder).flatMap((name) => {
      const unit = name.replace(/\.d$/, '');
      if (!names.test(unit)) return [];
      const files =
        name === unit
          ? [join(folder, name)]
          : namesIn(host, join(folder, name)).map((part) => join(folder, name, part));
      return files.flatMap((file) => {
        const directory = variableIn(host, file, variable);
        return directory === undefined ? [] : [{ directory, evidence: file, unit }];
      });
    }),
  );
}

function namesIn(host: Host, folder: string): string[] {
  try {
    return readdirSync(host.path(folder)).sort();
  } catch {
    return [];
  }
}

function variableIn(host: Host, file: string, variable: string): string | undefined {
  let text: string;
  try {
    text = readRegularFile(host.path(file), { limit: 1024 * 1024, links: 'follow' }).toString('utf8');
  } catch {
    // A link to a unit that is gone or masked, or a folder or pipe of that name.
    return undefined;
  }
  const lines = text.split('\n').filter((line) => line.startsWith('Environment='));
  return lines
    .flatMap((line) => new RegExp(`[="'\\s]${variable}=(/[^\\s"']*)`).exec(line)?.[1] ?? [])
    .at(-1)
    ?.replace(/(?<=.)\/+$/, '');
}
