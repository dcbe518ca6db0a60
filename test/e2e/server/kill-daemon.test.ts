// A daemon that is killed while it ends by itself.
import { expect, it } from 'vitest';
import type { Machine } from '../machine/machine.ts';
import { killDaemon } from './variants.ts';

/** A machine in which these processes listen, look by look, before nobody does, and whose `kill` ends with this status. */
function machineWith(
  listed: readonly number[],
  status: number,
): Pick<Machine, 'exec'> & { readonly ran: string[] } {
  const ran: string[] = [];
  const left = [...listed];
  return {
    ran,
    async exec(argv, { accept } = {}) {
      if (argv[0] === 'ss') {
        const pid = left.shift();
        return { status: 0, stdout: pid === undefined ? '' : `users:(("lxd",pid=${pid},fd=3))`, stderr: '' };
      }
      ran.push(argv.join(' '));
      const accepted = accept === 'any' || status === 0 || accept?.includes(status) === true;
      if (!accepted) throw new Error(`kill ended with ${status}`);
      return { status, stdout: '', stderr: '' };
    },
  };
}

it('is gone as well: kill finds no process any more', async () => {
  const machine = machineWith([4711, 4711], 1);

  await killDaemon(machine, 'lxd');

  expect(machine.ran).toEqual(['kill -KILL 4711']);
});

it('is killed after a child of its own that was named in its place', async () => {
  const machine = machineWith([5000, 5000, 4711], 0);

  await killDaemon(machine, 'lxd');

  expect(machine.ran).toEqual(['kill -KILL 5000', 'kill -KILL 4711']);
});

it('another failure of kill is one', async () => {
  await expect(killDaemon(machineWith([4711, 4711], 126), 'lxd')).rejects.toThrow('kill ended with 126');
});
