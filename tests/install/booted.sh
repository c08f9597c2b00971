#!/bin/sh
# A Debian 12 with systemd as its process 1 gets a bundle: the units run shut tight, a seat signs in over SSH, a release
# that does not start is taken back. As root, on a machine with debootstrap and a cgroup2 hierarchy.
#
#   tests/install/booted.sh [BUNDLE [ROOT]]   BUNDLE: made by ./install.sh bundle (else made here); ROOT: a folder that
#                                             debootstrap filled with systemd, systemd-sysv and dbus (else done here)
#
# It has namespaces and a cgroup of its own: with its end nothing of it stays.
set -eu

here=$(cd "$(dirname "$0")/../.." && pwd)
[ "$(id -u)" -eq 0 ] || { echo "booted.sh: needs root" >&2; exit 2; }
hierarchy=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)
[ -n "$hierarchy" ] || { echo "booted.sh: needs a cgroup2 hierarchy" >&2; exit 2; }
work=$(mktemp -d /tmp/wanmi-booted.XXXXXX)
cgroup=$hierarchy/$(basename "$work")
mkdir "$cgroup"
end() {
    echo 1 > "$cgroup/cgroup.kill" # whoever ends this script ends the machine in it
    while grep -qs "populated 1" "$cgroup/cgroup.events"; do sleep 0.1; done
    find "$cgroup" -depth -type d -exec rmdir {} \; 2>/dev/null
    rm -rf "$work"
}
trap end EXIT
trap 'exit 143' HUP INT TERM
bundle=${1:-}
if [ -z "$bundle" ]; then
    bundle=$work/bundle
    "$here/install.sh" bundle "$bundle"
fi
root=$work/root
if [ -n "${2:-}" ]; then
    cp -a "$2" "$root"
else
    debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus bookworm "$root" > "$work/debootstrap.log"
fi
cp -a "$bundle" "$root/bundle"
cp "$here/tests/install/booted_story.sh" "$root/story"
cat > "$root/etc/systemd/system/story.service" <<'UNIT'
[Unit]
After=basic.target dbus.service
Wants=dbus.service
[Service]
Type=oneshot
ExecStart=/bin/sh /story
ExecStopPost=/bin/systemctl --no-block poweroff
[Install]
WantedBy=multi-user.target
UNIT
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -sf ../story.service "$root/etc/systemd/system/multi-user.target.wants/story.service"
: > "$root/etc/machine-id"
cat > "$work/boot" <<'BOOT'
set -eu
mount --make-rprivate /
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs tmpfs sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
while read -r name major minor; do
    mknod -m 666 "dev/$name" c "$major" "$minor"
done <<'NODES'
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
NODES
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs tmpfs tmp
hostname box
exec chroot . /lib/systemd/systemd
BOOT
# its end is a power-off, which unshare tells as an exit code of its own; the story says how it went
sh -c 'echo $$ > "$1/cgroup.procs"; shift; exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=lxc unshare \
    --cgroup --mount --net --pid --uts --ipc --fork --kill-child sh "$@"' sh "$cgroup" "$work/boot" "$root" \
    > "$work/boot.log" 2>&1 < /dev/null &
wait $! || true
cat "$root/story.log"
tail -n 1 "$root/story.log" | grep -qx 'the story is told'
