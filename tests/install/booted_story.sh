# shellcheck shell=sh
# What booted.sh runs inside, as root, under systemd; everything it says goes to /story.log.
exec > /story.log 2>&1
set -eu
export LC_ALL=C.UTF-8 WANMI_PASSWORD=wanmi-demo-1 HOME=/root
begun=$(date +%s)
step() {
    now=$(date +%s)
    printf '\n[%s s] %s\n' "$((now - begun))" "$*"
}
# Up to two minutes for something to become true.
until_true() {
    tries=0
    until "$@" > /dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 240 ] || { echo "never: $*"; return 1; }
        sleep 0.5
    done
}
health() { python3 -c 'import urllib.request as u; print(u.urlopen("http://127.0.0.1:8411/health", timeout=2).read().decode())'; }
all_active() { systemctl is-active --quiet wanmi wanmi-agent wanmi-scheduler wanmi-warm; }
tar xf /bundle/wanmi.tar.gz -C /root
cd /root/wanmi

step "install, and again"
./install.sh --offline /bundle < /dev/null
./install.sh --offline /bundle < /dev/null 2>&1 | grep 'nothing changed'

step "a home, and the units"
wanmi init --county 411081 --name 禹州市 --admin admin
mkdir -p /media/backup
chown wanmi /media/backup
printf '\n[backup]\nto = "/media/backup/wanmi"\n' >> /var/lib/wanmi/wanmi.toml
systemctl start wanmi wanmi-agent wanmi-scheduler wanmi-warm wanmi-console
until_true health
health
all_active
./install.sh --check
for unit in wanmi wanmi-agent wanmi-scheduler wanmi-warm wanmi-console; do
    systemd-analyze verify "$unit.service"
    systemd-analyze security --threshold=30 "$unit" | tail -n 1
done

step "jobs run in the scheduler's cage: what was missed is made up, a backup and papers among it"
has_run() { wanmi jobs list --json | python3 -c '
import json, sys
last = {item["name"]: (item["last"] or {}).get("ok") for item in json.load(sys.stdin)["items"]}
sys.exit(not (last["backup-now"] and last["make-papers"] and last["compact-tracks"]))'; }
until_true has_run
wanmi backup list
wanmi backup drill
wanmi doctor || echo "doctor: $?"
[ -z "$(find /var/lib/wanmi ! -user wanmi)" ]

step "a seat over SSH has the console, and neither a command nor files"
ssh_options="-o StrictHostKeyChecking=no -o BatchMode=yes -o LogLevel=ERROR"
mkdir -p /root/.ssh /var/lib/wanmi-seat/.ssh
chmod 700 /root/.ssh /var/lib/wanmi-seat/.ssh
ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
cp /root/.ssh/id_ed25519.pub /var/lib/wanmi-seat/.ssh/authorized_keys
chown -R seat:seat /var/lib/wanmi-seat/.ssh
mkfifo /tmp/keys
# shellcheck disable=SC2086 # options
ssh $ssh_options -tt seat@127.0.0.1 < /tmp/keys > /tmp/screen 2>&1 &
seat=$!
exec 9> /tmp/keys
until_true grep -q 密码 /tmp/screen
kill "$seat"
wait "$seat" || true
exec 9>&-
# shellcheck disable=SC2086 # options
ssh $ssh_options seat@127.0.0.1 id < /dev/null > /tmp/said 2>&1 && exit 1
cat /tmp/said
grep -q 'needs a terminal' /tmp/said
# shellcheck disable=SC2086 # options
echo ls | sftp $ssh_options seat@127.0.0.1 && exit 1

step "another release; then one that does not start is taken back"
export PIP_NO_INDEX=1 PIP_FIND_LINKS=/bundle/wheels
echo '- a change' >> CHANGELOG.md
./install.sh upgrade < /dev/null
all_active
good=$(readlink /opt/wanmi/current)
echo 'raise SystemExit("broken on purpose")' >> server/commands.py
./install.sh upgrade < /dev/null && exit 1
[ "$(readlink /opt/wanmi/current)" = "$good" ]
all_active
health

step "uninstall keeps the data"
./install.sh uninstall
[ -f /var/lib/wanmi/county.db ]
[ -z "$(systemctl list-unit-files --no-legend 'wanmi*')" ]
step "done"
echo "the story is told"
