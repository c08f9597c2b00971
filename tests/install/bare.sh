#!/bin/sh
# A bare Debian 12 without network gets a bundle, as root: install, install again, init, doctor, demo, uninstall.
#
#   tests/install/bare.sh [BUNDLE [ROOT]]   BUNDLE: made by ./install.sh bundle (else made here); ROOT: a folder that
#                                           debootstrap filled (else done here); both are left as they were; a new one is removed
#
# Everything runs in namespaces of its own (mounts, network, processes): with their end nothing of it stays.
set -eu

here=$(cd "$(dirname "$0")/../.." && pwd)
[ "$(id -u)" -eq 0 ] || { echo "bare.sh: needs root" >&2; exit 2; }
work=$(mktemp -d /tmp/wanmi-bare.XXXXXX)
trap 'rm -rf "$work"' EXIT
bundle=${1:-}
if [ -z "$bundle" ]; then
    bundle=$work/bundle
    "$here/install.sh" bundle "$bundle"
fi
if [ -n "${2:-}" ]; then
    cp -a "$2" "$work/root"
else
    debootstrap --variant=minbase bookworm "$work/root" > "$work/debootstrap.log"
fi
cp -a "$bundle" "$work/root/bundle"
cat > "$work/root/story" <<'STORY'
set -eu
export LC_ALL=C.UTF-8 WANMI_PASSWORD=wanmi-demo-1
step() { now=$(date +%s); printf '\n[%s s] %s\n' "$((now - begun))" "$*"; }
begun=$(date +%s)
command -v python3 && { echo "this root is not bare" >&2; exit 1; }
tar xf /bundle/wanmi.tar.gz -C /root && cd /root/wanmi
key=$(gpgv --status-fd 1 --keyring /bundle/key.gpg /bundle/SHA256SUMS.sig /bundle/SHA256SUMS 2>/dev/null |
    sed -n 's/.*VALIDSIG \([0-9A-F]*\).*/\1/p')

step "a bundle of another hand is refused, and a damaged one"
if ./install.sh --offline /bundle --key 0000 < /dev/null; then exit 1; fi
printf x >> /bundle/wheels/x.whl
if ./install.sh --offline /bundle < /dev/null; then exit 1; fi
rm /bundle/wheels/x.whl
[ ! -e /opt/wanmi ]

step "install"
./install.sh --offline /bundle --key "$key" < /dev/null
step "install again"
./install.sh --offline /bundle < /dev/null
./install.sh --check

step "a home, and the doctor as the account wanmi"
wanmi init --county 411081 --name 禹州市 --admin admin
wanmi doctor || echo "doctor: $?"
[ -z "$(find /var/lib/wanmi ! -user wanmi)" ]

step "wanmi up, and its end"
wanmi up > /tmp/up.log 2>&1 &
node=$!
python3 - <<'PY'
import time, urllib.request
for _ in range(120):
    try:
        print(urllib.request.urlopen("http://127.0.0.1:8411/health", timeout=2).read().decode())
        break
    except OSError:
        time.sleep(0.5)
else:
    raise SystemExit("the node did not answer")
PY
kill "$node"
wait "$node" || echo "up: $?"
cat /tmp/up.log
[ -z "$(find /var/lib/wanmi ! -user wanmi)" ]

step "another release beside it"
echo '- a change' >> CHANGELOG.md
OLD=$(readlink /opt/wanmi/current)
# what is not signed comes from a network only; so this one is built from the tree, with the wheels of the bundle at hand
PIP_NO_INDEX=1 PIP_FIND_LINKS=/bundle/wheels ./install.sh upgrade < /dev/null
[ "$(readlink /opt/wanmi/current)" != "$OLD" ]
grep -qx -- '- a change' /opt/wanmi/current/CHANGELOG.md

step "demo"
./install.sh --offline /bundle demo < /dev/null
step "uninstall keeps the data, purge does not"
./install.sh uninstall
[ -f /var/lib/wanmi/county.db ]
[ ! -e /opt/wanmi ]
./install.sh --offline /bundle < /dev/null > /dev/null
./install.sh --purge --yes
[ ! -e /var/lib/wanmi ]
step "done"
STORY
# shellcheck disable=SC2016 # that shell expands it
env -i PATH="$PATH" TERM=dumb HOME=/root unshare --mount --net --pid --fork sh -eu -c '
    ip link set lo up
    mount -t proc proc "$1/proc"
    mount --rbind /dev "$1/dev"
    exec chroot "$1" /bin/sh /story
' story "$work/root"
