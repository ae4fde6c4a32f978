#!/bin/bash
# Boots systemd on this machine's own files, in namespaces of its own: what it changes lies in a layer above them and goes with it.
# Called in fresh mount, PID, UTS and IPC namespaces; $1: a folder that nobody needs, $2: what the package brings, laid out from the root.
set -euo pipefail
layers=$1 package=$2
mount --make-rprivate /
# a disk of another test that is mounted here too would outlive its `umount` there, and with it its power cut
findmnt --raw --noheadings --output SOURCE,TARGET | sed -n 's#^/dev/loop[^ ]* ##p' | tac | xargs -r -d '\n' umount --lazy
mount -t tmpfs layers "$layers"
mkdir "$layers"/{above,work,root}
cp -a "$package"/. "$layers/above"
mount -t overlay overlay -o "lowerdir=/,upperdir=$layers/above,workdir=$layers/work" "$layers/root"
root="$layers/root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs cgroups "$root/sys/fs/cgroup"
if mkdir -p "$root/sys/fs/cgroup/unified" && mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup" 2>/dev/null &&
    [ -n "$(cat "$root/sys/fs/cgroup/cgroup.controllers")" ]; then
    : # one hierarchy, as Debian 12 has it
else
    umount "$root/sys/fs/cgroup" 2>/dev/null || true
    mountpoint -q "$root/sys/fs/cgroup" || mount -t tmpfs cgroups "$root/sys/fs/cgroup"
    mkdir -p "$root"/sys/fs/cgroup/{systemd,memory,pids}
    mount -t cgroup cgroup -o none,name=systemd,xattr "$root/sys/fs/cgroup/systemd"
    for controller in memory pids; do
        mount -t cgroup cgroup -o "$controller" "$root/sys/fs/cgroup/$controller" || true
    done
fi
for empty in run tmp; do mount -t tmpfs "$empty" "$root/$empty"; done
hostname ville-essai
cd "$root"
mkdir -p former
pivot_root . former
# as a machine has it: what a unit is given by mounts comes through
mount --make-rshared /
exec env -i container=vigie-test /lib/systemd/systemd --system --unit=basic.target --log-target=console --show-status=0 </dev/null
