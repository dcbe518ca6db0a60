// Which cgroup hierarchies a host has, read from /proc/self/mountinfo.
import { describe, expect, it } from 'vitest';
import { hierarchies } from './cgroup.ts';

describe('the hierarchies of a host', () => {
  it('are all of them where versions 1 and 2 are mixed', () => {
    const mountinfo = [
      '27 1 254:0 / / rw,relatime - ext4 /dev/vda rw',
      '30 29 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct',
      '31 29 0:27 /docker/x /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/x,name=systemd',
      '32 29 0:28 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate',
    ].join('\n');

    expect(hierarchies(mountinfo)).toEqual([
      {
        mountPoint: '/sys/fs/cgroup/cpu,cpuacct',
        root: '/',
        type: 'cgroup',
        controllers: ['cpu', 'cpuacct'],
      },
      {
        mountPoint: '/sys/fs/cgroup/systemd',
        root: '/docker/x',
        type: 'cgroup',
        controllers: ['name=systemd'],
      },
      { mountPoint: '/sys/fs/cgroup/unified', root: '/', type: 'cgroup2', controllers: [] },
    ]);
  });

  it('is one where there is only version 2', () => {
    const mountinfo =
      '35 24 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n';

    expect(hierarchies(mountinfo)).toEqual([
      { mountPoint: '/sys/fs/cgroup', root: '/', type: 'cgroup2', controllers: [] },
    ]);
  });
});
