#!/bin/sh
# Wanmi 万米: install.sh
#
#   ./install.sh demo    gets what is missing, makes ./demo (a county) and opens its console;
#                        with no terminal on stdin it plays one working day unattended and exits 0
#   ./install.sh test    gets what is missing and runs the default tests (arguments go to pytest)
#   ./install.sh --check says what is missing and changes nothing
#   ./install.sh --help  shows this text
#
# What it may change: Debian packages (with apt-get, as root or by sudo), .venv, demo. Run again: no rebuild.
# Environment: WANMI_PYTHON  the Python to build .venv with (default /usr/bin/python3, Debian's 3.11)
set -eu

PACKAGES="python3 python3-venv libsqlite3-mod-spatialite ca-certificates libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-wqy-zenhei restic"
TEST_PACKAGES="gdal-bin git fonts-noto-cjk postgresql-15-postgis-3 iproute2 nftables wireguard-tools poppler-utils"
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
    as_root apt-get update -q >/dev/null
    # shellcheck disable=SC2086 # a list of names
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null
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
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
    PYTHONWARNINGS=ignore .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
    fingerprint "$lock" > .venv/wanmi-stamp
}

check() {
    # shellcheck disable=SC2086 # a list of names
    missing=$(missing_packages $PACKAGES)
    if [ -n "$missing" ]; then info "Debian packages that are missing: $missing"; else info "Debian packages: all there"; fi
    if [ -x "$PYTHON" ]; then check_python && info "$PYTHON: good"; fi
    if up_to_date requirements.lock; then
        info ".venv: up to date"
    else
        info ".venv: would be built"
    fi
}

demo() {
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
    .venv/bin/shellcheck install.sh
    .venv/bin/mypy --no-error-summary
    info "tests"
    exec .venv/bin/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder "$@"
}

main() {
    cd "$(dirname "$0")"
    case "${1:-}" in
        demo) shift; demo "$@" ;;
        test) shift; run_tests "$@" ;;
        --check) check ;;
        -h | --help) sed -n '2,/^set -eu/p' install.sh | sed '$d; s/^# \{0,1\}//' ;;
        *)
            ./install.sh --help >&2
            exit 2
            ;;
    esac
}

main "$@"
