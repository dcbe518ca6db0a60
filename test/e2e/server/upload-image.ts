// Gives LXD an image, also a moment after its start.
import { createHash } from 'node:crypto';
import { systemErrorCode } from '../../../src/core/failure.ts';
import type { Machine } from '../machine/machine.ts';
import { type ApiOptions, api } from './api.ts';

/**
 * A moment after its start LXD clears away what lies in its image folder, an upload as well (pruneLeftoverImages). That
 * may break the connection, and may leave a record of an image that has no file.
 * @returns its fingerprint
 */
export async function uploadImage(
  machine: Machine,
  content: Buffer,
  { project, headers }: Pick<ApiOptions, 'project' | 'headers'> = {},
): Promise<string> {
  const where = project === undefined ? {} : { project };
  const upload = (): Promise<unknown> =>
    api(machine, 'lxd', 'POST', '/1.0/images', undefined, {
      ...where,
      content,
      ...(headers === undefined ? {} : { headers }),
    });
  const fingerprint = createHash('sha256').update(content).digest('hex');
  try {
    await upload();
  } catch (error) {
    if (systemErrorCode(error) !== 'EPIPE') throw error;
    const images = (await api(machine, 'lxd', 'GET', '/1.0/images', undefined, where)) as string[];
    if (images.some((path) => path.startsWith(`/1.0/images/${fingerprint}`)))
      await api(machine, 'lxd', 'DELETE', `/1.0/images/${fingerprint}`, undefined, where);
    await upload();
  }
  return fingerprint;
}
