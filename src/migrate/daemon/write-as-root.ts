// Proves that containers work: each that runs takes a file from its own root, gives it back and forgets it.
import { randomBytes } from 'node:crypto';
import { Failure } from '../../core/failure.ts';
import { inTurn } from '../../core/in-turn.ts';
import { inline } from '../../core/text.ts';
import { allInstances, type DaemonClient, type InstanceName } from './client.ts';
import { fieldsList, textOf } from './fields.ts';
import { plainStatus } from './instance-status.ts';

export interface RootWrite extends InstanceName {
  /** undefined: it works. Otherwise the daemon's own words. */
  readonly error: string | undefined;
}

/**
 * RUNNING alone proves nothing: a container whose files belong to the wrong owners runs, and its root cannot write. The daemon
 * writes from inside the container's user and mount namespaces (cmd/incusd/main_forkfile.go), so it meets the same refusal. The
 * file stands in `/`, since other folders may be file systems that are made anew at each start. Where the id map is so wide that
 * root may write although the owners are wrong, `/` belongs to somebody else.
 * @param listed the answer to `allInstances`, where it is asked for already
 */
export async function writeAsRoot(
  client: DaemonClient,
  listed: Promise<unknown> = client.get(allInstances),
): Promise<RootWrite[]> {
  const list = fieldsList(await listed, '/1.0/instances');
  const running = list.filter(
    (from) => textOf(from, 'type') === 'container' && plainStatus(textOf(from, 'status')) === 'Running',
  );
  return inTurn(running, 4, async (from) => {
    const instance = { project: textOf(from, 'project') || 'default', name: textOf(from, 'name') };
    return { ...instance, error: await tryToWrite(client, instance) };
  });
}

const prefix = '.lxd-to-incus-';
/** Of a run that was killed between writing and removing. */
const leftover = /^\.lxd-to-incus-[0-9a-f]{24}$/;

async function tryToWrite(client: DaemonClient, instance: InstanceName): Promise<string | undefined> {
  const path = `/${prefix}${randomBytes(12).toString('hex')}`;
  const content = randomBytes(32);
  try {
    await client.putFile(instance, path, content);
    const wrong = await afterWriting(client, instance, path, content);
    await client.deleteFile(instance, path);
    return wrong;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return inline(error.message);
  }
}

async function afterWriting(
  client: DaemonClient,
  instance: InstanceName,
  path: string,
  content: Buffer,
): Promise<string | undefined> {
  try {
    const read = await client.getFile(instance, path);
    if (read === undefined) return `${path} was written and could not be found again`;
    if (!read.equals(content)) return `${path} was written and came back changed`;
    const { owner, names } = await client.folder(instance, '/');
    for (const name of names)
      if (leftover.test(name) && `/${name}` !== path) await client.deleteFile(instance, `/${name}`);
    return owner === 0 ? undefined : `/ belongs to user ${owner} there, and not to root`;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return inline(error.message);
  }
}
