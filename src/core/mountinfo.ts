// Reads the format of /proc/PID/mountinfo (proc_pid_mountinfo(5)).
import type { MountInfo } from './host.ts';

export interface MountEntry extends MountInfo {
  /** What `mnt_id` of /proc/PID/fdinfo names. */
  readonly id: number;
  /** `major:minor` of the file system. */
  readonly deviceNumber: string;
  /** Options of this mount, as mount(8) takes them. */
  readonly options: readonly string[];
}

export function parseMountinfo(text: string): MountEntry[] {
  return text
    .split('\n')
    .filter((line) => line.includes(' - '))
    .map((line) => {
      const [front = '', back = ''] = line.split(' - ');
      const [id, , deviceNumber = '', root = '', path = '', options = ''] = front.split(' ');
      const [type = '', device = ''] = back.split(' ');
      return {
        id: Number(id),
        deviceNumber,
        root: unescapeMount(root),
        path: unescapeMount(path),
        options: options.split(','),
        type,
        device: unescapeMount(device),
      };
    });
}

/** Octal escapes (`\040` for a blank), also those of /etc/fstab. Takes text that was read as latin1. */
export function unescapeMount(text: string): string {
  return Buffer.from(
    text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
    'latin1',
  ).toString('utf8');
}
