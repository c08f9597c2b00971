#!/bin/sh
# Wanmi 万米: install.sh
#
#   ./install.sh demo         gets what is missing, makes ./demo (a county) and opens its console;
#                             with no terminal on stdin it plays one working day unattended and exits 0
#   ./install.sh test         gets what is missing and runs the default tests (arguments go to pytest)
#   sudo ./install.sh         installs on this machine: /opt/wanmi, /etc/wanmi, /var/lib/wanmi, units (docs/install.md)
#   sudo ./install.sh upgrade    snapshot, migrate, doctor, switch; all is taken back where one of them fails
#   sudo ./install.sh uninstall  removes software and units, keeps /var/lib/wanmi; --purge removes the data, too
#   ./install.sh bundle DIR   writes what a machine without network needs into DIR, with a signed list
#   ./install.sh --check      says what is there, what differs and what is missing (exit code 1), changes nothing
#   ./install.sh --help       shows this text
#
# Options of demo, install and upgrade:
#   --offline DIR  take everything from a bundle, nothing from the network
#   --key FINGER   the fingerprint that was printed when the bundle was made
# After --purge: --yes  do not ask.
# What demo and test may change: Debian packages (with apt-get, as root or by sudo), .venv, demo. Run again: no rebuild.
# Environment: WANMI_PYTHON  the Python to build .venv with (default /usr/bin/python3, Debian's 3.11)
set -eu

PACKAGES="python3 python3-venv libsqlite3-mod-spatialite ca-certificates libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-wqy-zenhei restic"
TEST_PACKAGES="libfaketime e2fsprogs procps gdal-bin git fonts-noto-cjk postgresql-15-postgis-3 iproute2 nftables wireguard-tools poppler-utils gpg gpg-agent systemd"
BOX_PACKAGES="kmscon chrony openssh-server logrotate udev smartmontools sudo"
BUNDLE_PACKAGES="gpg gpg-agent"
RELEASE_FILES="appliance backups devices docs provisioning server tui install.sh pyproject.toml requirements.lock requirements-dev.lock README.md CHANGELOG.md LICENSE"
OFFLINE=""
LOG=/dev/null
PYTHON="${WANMI_PYTHON:-/usr/bin/python3}"

info() { printf '==> %s\n' "$*" >&2; }
fatal() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'; }

missing_packages() {
    for package in "$@"; do
        installed "$package" || printf '%s ' "$package"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        fatal "need root to run: $* (run it as root, then start again)"
    fi
}

get_packages() {
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null 2>&1 || fatal "needs Debian 12 packages: $missing"
    info "installing Debian packages: $missing"
    if [ -n "$OFFLINE" ]; then
        # shellcheck disable=SC2086 # a list of names
        get_from_bundle $missing
        return 0
    fi
    as_root apt-get update -q >> "$LOG"
    # shellcheck disable=SC2086 # a list of names
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >> "$LOG"
}

check_python() {
    [ -x "$PYTHON" ] || fatal "$PYTHON is missing; install python3 or set WANMI_PYTHON"
    "$PYTHON" - <<'PY' || fatal "$PYTHON cannot be used; take Debian's /usr/bin/python3 (WANMI_PYTHON names another)"
import sqlite3
import sys

if not ((3, 11) <= sys.version_info[:2] < (3, 13)):
    sys.exit(f"Python {sys.version.split()[0]}: 3.11 or 3.12 is needed")
if not hasattr(sqlite3.Connection, "enable_load_extension"):
    sys.exit("this Python was built without loadable SQLite extensions, so it cannot load SpatiaLite")
PY
}

fingerprint() { cat "$1" pyproject.toml install.sh | sha256sum | cut -d' ' -f1; }

# Whether .venv is what a lock asks for; the lock of the tests holds all of what a box runs.
up_to_date() {
    [ -f .venv/wanmi-stamp ] || return 1
    has=$(cat .venv/wanmi-stamp)
    [ "$has" = "$(fingerprint "$1")" ] || [ "$has" = "$(fingerprint requirements-dev.lock)" ]
}

build_venv() {
    check_python
    lock=$1
    if up_to_date "$lock" && .venv/bin/python -c 'import appliance' 2>/dev/null; then
        return 0
    fi
    info "building .venv with $("$PYTHON" --version)"
    if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c \
        'import sqlite3; sqlite3.Connection.enable_load_extension' 2>/dev/null ||
        ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        rm -rf .venv
        "$PYTHON" -m venv .venv
    fi
    from="" wanted=$lock
    if [ -n "$OFFLINE" ]; then
        cp "$OFFLINE/requirements.lock" .venv/wanmi-offline.lock
        ln -sfn "$OFFLINE/wheels" .venv/wanmi-wheels # a path of a bundle may have spaces, these options may not
        from="--no-index --no-deps --find-links=.venv/wanmi-wheels" wanted=.venv/wanmi-offline.lock
    fi
    # shellcheck disable=SC2086 # options
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes $from -r "$wanted"
    rm -f .venv/wanmi-wheels
    PYTHONWARNINGS=ignore .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
    fingerprint "$lock" > .venv/wanmi-stamp
}

# The software of a release and nothing that was made here; to a file, or to standard output by "-".
pack_source() {
    # shellcheck disable=SC2086 # a list of names
    tar --create --gzip --sort=name --owner=0 --group=0 --mode=go=u-w --exclude=__pycache__ --exclude='*.egg-info' \
        --transform='s,^,wanmi/,' --file="$1" $RELEASE_FILES
}

check() {
    well=0
    # shellcheck disable=SC2086 # a list of names
    missing=$(missing_packages $PACKAGES)
    if [ -n "$missing" ]; then
        info "Debian packages that are missing: $missing"
        well=1
    else
        info "Debian packages: all there"
    fi
    if [ -x "$PYTHON" ]; then check_python && info "$PYTHON: good"; fi
    if [ -L /opt/wanmi/current ]; then
        :
    elif up_to_date requirements.lock; then
        info ".venv: up to date"
    else
        info ".venv: would be built"
        well=1
    fi
    check_system || well=1
    return "$well"
}

demo() {
    [ -z "$OFFLINE" ] || verify_bundle
    # shellcheck disable=SC2086 # a list of names
    get_packages $PACKAGES
    build_venv requirements.lock
    if [ -t 0 ]; then
        exec .venv/bin/wanmi demo open --home ./demo
    fi
    exec .venv/bin/wanmi demo play --home ./demo
}

run_tests() {
    # shellcheck disable=SC2086 # lists of names
    get_packages $PACKAGES $TEST_PACKAGES
    build_venv requirements-dev.lock
    info "ruff, import contracts, shellcheck, types"
    .venv/bin/ruff check --quiet .
    .venv/bin/ruff format --check --quiet .
    .venv/bin/lint-imports --no-cache >/dev/null || { .venv/bin/lint-imports --no-cache; exit 1; }
    .venv/bin/shellcheck -x -a install.sh provisioning/system/data/wanmi \
        provisioning/system/data/seat provisioning/system/data/tty1
    # beside mypy, which keeps one processor busy, what all workers import is compiled once
    unset PYTHONDONTWRITEBYTECODE
    .venv/bin/mypy --no-error-summary &
    types=$!
    .venv/bin/python -m pytest --collect-only >/dev/null 2>&1 || true
    wait "$types"
    info "tests"
    exec .venv/bin/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder "$@"
}

main() {
    here=$(pwd)
    cd "$(dirname "$0")"
    case "${2:-}" in # options may stand behind the word as well
        --offline | --key) word=$1; shift; set -- "$@" "$word" ;;
    esac
    while :; do
        case "${1:-}" in
            --offline)
                OFFLINE=${2:?--offline DIR}
                case "$OFFLINE" in /*) ;; *) OFFLINE=$here/$OFFLINE ;; esac
                . ./provisioning/system/install/offline.sh
                shift 2
                ;;
            --key) export WANMI_BUNDLE_KEY="${2:?--key FINGERPRINT}"; shift 2 ;;
            *) break ;;
        esac
    done
    case "${1:-}" in
        demo) demo ;;
        test) shift; run_tests "$@" ;;
        bundle)
            . ./provisioning/system/install/bundle.sh
            case "${2:-}" in /* | '') make_bundle "${2:-}" ;; *) make_bundle "$here/$2" ;; esac
            ;;
        '' | upgrade | uninstall | --purge | --check)
            . ./provisioning/system/install/release.sh
            run_verb "$@"
            ;;
        -h | --help) sed -n '2,/^set -eu/p' install.sh | sed '$d; s/^# \{0,1\}//' ;;
        *)
            ./install.sh --help >&2
            exit 2
            ;;
    esac
}

main "$@"
