// How this very program is called again: other packages bring another one of the same name, so a bare name is never printed.
import * as fs from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { shellWord } from './text.ts';

/** How this process was started. */
export interface Invocation {
  /** The script that node runs, as it was named. */
  readonly script: string;
  readonly node: string;
}

/** Where a root shell and sudo look (Debian's secure_path); what only one user's PATH has is not found by them. */
const standardFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The launcher of a packed archive, or of a kept copy, is beside the folder of the script (src/dev/pack-host.ts). */
function launcherOf(script: string): string | undefined {
  const launcher = join(dirname(dirname(script)), basename(script, '.js'));
  return isProgram(launcher) ? launcher : undefined;
}

function isProgram(path: string): boolean {
  try {
    fs.accessSync(path, fs.constants.X_OK);
    return fs.statSync(path).isFile();
  } catch {
    return false;
  }
}

function realPath(path: string): string {
  try {
    return fs.realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/**
 * The words that start it. Links are followed: what they point to may be another program tomorrow. A script is named
 * alone only where its first line finds the same node for root as well.
 */
export function wordsOf({ script, node }: Invocation, folders = standardFolders): readonly string[] {
  const [realScript, realNode] = [realPath(script), realPath(node)];
  const launcher = launcherOf(realScript);
  if (launcher !== undefined) return [launcher];
  const first = folders.map((folder) => join(folder, 'node')).find(isProgram);
  return first !== undefined && realPath(first) === realNode && isProgram(realScript)
    ? [realScript]
    : [realNode, realScript];
}

/** Set once, when the options are read: what every later call needs to find the same migration. */
let kept: readonly string[] = [];

export function keepOptions(options: readonly string[]): void {
  kept = options;
}

/** The file by which a program is started: its launcher, or its script. */
export function fileOf(invocation: Invocation): string {
  const [first = '', second] = wordsOf(invocation);
  return second ?? first;
}

/** This program with these words, for a person to copy into a shell. */
export function ownCommand(...words: readonly string[]): string {
  return commandOf(wordsOf(thisProcess()), ...words);
}

/** The same for another folder than the one that was given: with these options in place of the kept ones. */
export function ownCommandWith(options: readonly string[], ...words: readonly string[]): string {
  return [...wordsOf(thisProcess()), ...words, ...options].map(shellWord).join(' ');
}

/** The same by another way to start it, as a copy that is kept. */
export function commandOf(program: readonly string[], ...words: readonly string[]): string {
  return [...program, ...words, ...(words.length === 0 ? [] : kept)].map(shellWord).join(' ');
}

/** How this one was. */
export function thisProcess(): Invocation {
  return { script: process.argv[1] ?? '', node: process.execPath };
}
