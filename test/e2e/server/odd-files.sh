#!/bin/bash
# Fills a container's root file system, seen from the machine, with what copies get wrong. odd-files.sh ROOTFS
set -euo pipefail
rootfs=$1
# An unprivileged container's ids are shifted on disk: its root is whoever owns its root folder.
base=$(stat -c %u "$rootfs")
odd=$rootfs/odd
mkdir "$odd"
cd "$odd"
own() { chown -h "$((base + $1)):$((base + $2))" "${@:3}"; }

mkdir owners; for id in 0 1 33 1000 65534; do echo "$id" > "owners/$id"; own "$id" "$((65534 - id))" "owners/$id"; done
mkdir modes; for mode in 0000 0400 0644 0755 1777 2755 4755 6711; do echo x > "modes/$mode"; own 0 0 "modes/$mode"; chmod "$mode" "modes/$mode"; done
mkdir sticky setgid; chmod 1777 sticky; chmod 2775 setgid

mkdir xattrs; for file in plain binary empty many capability trusted; do echo "$file" > "xattrs/$file"; done
setfattr -n user.note -v 'a "quoted" välue' xattrs/plain
setfattr -n user.binary -v 0x00ff0a0d22 xattrs/binary
setfattr -n user.empty xattrs/empty
for i in 1 2 3 4 5 6 7 8; do setfattr -n "user.key$i" -v "$i" xattrs/many; done
# cap_net_raw+ep as VFS_CAP_REVISION_2 (linux/capability.h): little-endian magic, permitted and inheritable words
setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 xattrs/capability
setfattr -n trusted.note -v kept xattrs/trusted
setfattr -n user.folder -v kept xattrs

mkdir acls; echo acl > acls/file
setfacl -m "u:$((base + 33)):r--,g:$((base + 1000)):rw-" acls/file
mkdir acls/folder; setfacl -d -m "u:$((base + 33)):rwx" acls/folder; setfacl -m "g:$((base + 33)):r-x" acls/folder

mkdir links; echo linked > links/one; ln links/one links/two; mkdir links/below; ln links/one links/below/three
echo other > links/four; ln links/four links/five
ln -s one links/relative; ln -s /etc/passwd links/absolute; ln -s nowhere/at/all links/dangling; ln -s loop links/loop
own 1000 1000 links/one links/relative

mkdir sparse; truncate -s 16M sparse/empty
printf start > sparse/ends; truncate -s 8M sparse/ends; printf end >> sparse/ends
dd if=/dev/urandom of=sparse/middle bs=64K count=1 seek=40 status=none; truncate -s 4M sparse/middle

mkdir names; cd names
for name in ' blank ' "it's" '"quoted"' 'back\slash' '$(touch hacked)' '-rf' $'new\nline' $'tab\there' ünïcødé 日本 $'\xff\xfe' '*' '%s'; do
  echo "$name" > "./$name"
done
long=$(printf 'l%.0s' {1..255}); echo long > "$long"
deep=.; for i in {1..40}; do deep=$deep/d$i; done; mkdir -p "$deep"; echo deep > "$deep/file"
cd ..

mkdir kinds; mkfifo kinds/fifo; mknod kinds/null c 1 3; mknod kinds/loop b 7 250
socat -u "UNIX-LISTEN:kinds/socket,unlink-close=0" /dev/null & listener=$!
while [ ! -S kinds/socket ]; do kill -0 "$listener"; sleep .01; done; kill "$listener"; wait "$listener" || true
mkdir empty; echo old > old; touch -d '1999-12-31T23:59:59.123456789Z' old
own 0 0 . empty old kinds/* names/./* sparse/* sparse names kinds
