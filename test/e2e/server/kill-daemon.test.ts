// A daemon that is killed while it ends by itself.
import { expect, it } from 'vitest';
import type { Machine } from '../machine/machine.ts';
import { killDaemon } from './variants.ts';

/** A machine whose LXD is listed so often before it is gone, and whose `kill` ends with this status. */
function machineWith(listed: number, status: number): Pick<Machine, 'exec'> & { readonly ran: string[] } {
  const ran: string[] = [];
  let left = listed;
  return {
    ran,
    async exec(argv, { accept } = {}) {
      ran.push(argv[0]);
      if (argv[0] === 'ss') {
        left -= 1;
        return { status: 0, stdout: left >= 0 ? 'users:(("lxd",pid=4711,fd=3))' : '', stderr: '' };
      }
      const accepted = accept === 'any' || status === 0 || accept?.includes(status) === true;
      if (!accepted) throw new Error(`kill ended with ${status}`);
      return { status, stdout: '', stderr: '' };
    },
  };
}

it('is gone as well: kill finds no process any more', async () => {
  const machine = machineWith(1, 1);

  await killDaemon(machine, 'lxd');

  expect(machine.ran).toEqual(['ss', 'kill', 'ss']);
});

it('is waited for until nobody listens', async () => {
  const machine = machineWith(3, 0);

  await killDaemon(machine, 'lxd');

  expect(machine.ran).toEqual(['ss', 'kill', 'ss', 'ss', 'ss']);
});

it('another failure of kill is one', async () => {
  await expect(killDaemon(machineWith(1, 126), 'lxd')).rejects.toThrow('kill ended with 126');
});
