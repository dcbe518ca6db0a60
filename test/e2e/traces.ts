// What a daemon that ran would leave on a machine: mounts, cgroups, loop devices, firewall, interfaces, processes, files.
import type { Machine } from './machine/machine.ts';

export interface Traces {
  readonly mounts: readonly string[];
  readonly cgroups: readonly string[];
  readonly loops: readonly string[];
  readonly firewall: readonly string[];
  readonly links: readonly string[];
  readonly addresses: readonly string[];
  readonly modules: readonly string[];
  readonly apparmor: readonly string[];
  /** In the machine's process namespace and below it, by command line. */
  readonly processes: readonly string[];
  /** Below folders in which daemons and the tool keep what is theirs. */
  readonly files: readonly string[];
}

const questions = {
  mounts: 'cat /proc/1/mounts',
  cgroups: 'find /sys/fs/cgroup -type d',
  // Loop devices belong to the whole kernel: those on files of this machine alone.
  loops:
    'losetup --list --noheadings --output BACK-MAJ:MIN,NAME,BACK-FILE | grep -F "$(stat --format %Hd:%Ld /var)" || true',
  firewall:
    "nft list ruleset | sed 's/packets [0-9]* bytes [0-9]*//'; for kind in iptables ip6tables; do $kind-save 2>/dev/null | sed -e 's/\\[[0-9:]*\\]//' -e '/^#/d'; done",
  links: 'ip -oneline link',
  // Without the life time that is left of an address, and of those that are still being tried out.
  addresses: "ip -oneline address | sed -e 's/ valid_lft.*//' -e 's/ tentative//'",
  modules: 'cut -d " " -f 1 /proc/modules 2>/dev/null || true',
  apparmor: 'cat /sys/kernel/security/apparmor/profiles 2>/dev/null || true',
  processes: "ps -eo args --no-headers | grep -v -e '^ps ' -e '^sh -c ' -e '^grep ' -e '^\\[kworker' || true",
  files:
    'find /tmp /run /var/lib/lxd-to-incus /var/lib/incus /var/log/incus /var/cache/incus /dev /mnt -xdev 2>/dev/null | grep -v -e "^/dev/pts/" || true',
} as const;

export async function tracesOf(machine: Machine): Promise<Traces> {
  const answers: Record<string, readonly string[]> = {};
  for (const [name, script] of Object.entries(questions)) {
    const { stdout } = await machine.exec(['sh', '-c', script]);
    answers[name] = stdout.trimEnd().split('\n').sort();
  }
  return answers as unknown as Traces;
}
