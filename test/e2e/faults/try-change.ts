// A move, a change in Incus, a rollback, and one more move: what must be as before, and what is said of the rest.
import type { Machine } from '../machine/machine.ts';
import { tool } from '../server/tool.ts';
import { cannotWrite } from '../server/variants.ts';
import type { IncusChange } from './changes-in-incus.ts';
import { badForPeople, type FaultLab, said } from './fault-lab.ts';
import { faultPower } from './fault-server.ts';

/** In words what is not as it should be. */
export async function tryChange(
  lab: FaultLab,
  machine: Machine,
  { make, touches, gone, asks }: IncusChange,
): Promise<string[]> {
  const wrong: string[] = [];
  const run = async (args: readonly string[], expected: number, says?: string) => {
    const ended = await tool(machine, [...args, '--yes']);
    const [command = ''] = args;
    wrong.push(...badForPeople(command, ended));
    const isSaid = says === undefined || `${ended.stdout}${ended.stderr}`.includes(says);
    if (ended.status !== expected || !isSaid)
      wrong.push(
        `expected ${expected}${says === undefined ? '' : ` and "${says}"`}: ${said(command, ended)}`,
      );
    return ended;
  };
  await run(['migrate'], 0);
  await make(machine);
  if (asks) await run(['rollback'], 3, 'gone-since-switch');
  const accept = asks ? ['--accept', 'gone-since-switch'] : [];
  const back = await run(['rollback', ...accept], 0, 'LXD is back');
  const different = (await lab.wrongWithLxd(machine, gone)).filter((line) => !touches.test(line));
  wrong.push(...different);
  if (different.length > 0) wrong.push(said('rollback', back));
  await run(['migrate'], 0, 'Moved and verified');
  const running = faultPower.filter(
    ({ instance, status }) => status === 'Running' && !gone.includes(instance),
  );
  return [...wrong, ...(await cannotWrite(machine, 'incus', running))];
}
