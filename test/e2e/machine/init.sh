#!/bin/sh
# Turns the new namespaces around this process into a machine and becomes its process 1.
# init.sh NAME FOLDER TREE CGROUPS; CGROUPS has one "MOUNTNAME TYPE OPTIONS" a line ("-" for none).
set -eu
name=$1 folder=$2 tree=$3 cgroups=$4
disk=$folder/mnt/disk root=$folder/mnt/root

mount -t tmpfs -o mode=0700 tmpfs "$folder/mnt"
mkdir "$disk" "$root"
mount -o loop,noinit_itable "$folder/disk.img" "$disk"
# redirect_dir: folders of the tree can be renamed as on a plain file system.
mount -t overlay -o "lowerdir=$tree,upperdir=$disk/upper,workdir=$disk/work,redirect_dir=on" machine "$root"
cd "$root"
# /var is on ext4 itself: what LXD and Incus do there (id-mapped mounts, loop files, renames) overlayfs does not allow.
mount --bind "$disk/var" var

mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=0755 tmpfs sys/fs/cgroup 2>/dev/null
printf '%s\n' "$cgroups" | while read -r mountname type options; do
  if [ "$mountname" = - ]; then target=sys/fs/cgroup; else target=sys/fs/cgroup/$mountname; mkdir -p "$target"; fi
  if [ "$options" = - ]; then mount -t "$type" cgroup "$target"; else mount -t "$type" -o "$options" cgroup "$target"; fi
done

mount -t tmpfs -o mode=0755,nosuid tmpfs dev
mkdir dev/pts dev/shm dev/mqueue dev/net
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs dev/shm
mount -t mqueue mqueue dev/mqueue
for node in 'null 1 3' 'zero 1 5' 'full 1 7' 'random 1 8' 'urandom 1 9' 'tty 5 0' 'fuse 10 229' 'net/tun 10 200' \
            'loop-control 10 237' 'btrfs-control 10 234'; do
  set -- $node
  mknod -m 0666 "dev/$1" c "$2" "$3"
done
chmod 0600 dev/loop-control dev/btrfs-control
# Loop devices belong to the kernel, not to a namespace: their numbers are those of the host.
loop=0
while [ "$loop" -lt 256 ]; do
  mknod -m 0660 "dev/loop$loop" b 7 "$loop"
  loop=$((loop + 1))
done
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs run
mkdir -p run/lock

printf '%s\n' "$name" > etc/lxd-to-incus-e2e-machine
printf '%s\n' "$name" > etc/hostname
printf '127.0.0.1 localhost %s\n' "$name" > etc/hosts
printf '%s' "$name" > proc/sys/kernel/hostname
# LXD and Incus kill whatever process has the number in networks/*/dnsmasq.pid, which a clean stop leaves behind. On a
# host that number is free or taken by chance; here, where few processes were started, it would often be a daemon's.
boots=$(($(cat etc/lxd-to-incus-e2e-boots 2>/dev/null || echo 0) + 1))
echo "$boots" > etc/lxd-to-incus-e2e-boots
echo $((boots * 7000 % 28000 + 300)) > proc/sys/kernel/ns_last_pid

pivot_root . mnt
cd /
umount -l /mnt
ip link set lo up
echo ready
exec tini -s -- sleep infinity </dev/null >/dev/null 2>&1
