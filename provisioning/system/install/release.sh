# shellcheck shell=sh
# Part of install.sh: the system install. What needs Python is in provisioning/system/*.py; here is what comes before.

RELEASES=/opt/wanmi/releases

run_verb() {
    verb=${1:-}
    [ "$verb" = --check ] || need_root "$verb"
    case "$verb" in
        '') install_system install ;;
        upgrade) upgrade_system ;;
        uninstall) shift; remove_system "$@" ;;
        --purge) shift; remove_system --purge "$@" ;;
        --check) check ;;
    esac
}

need_root() {
    [ "$(id -u)" -eq 0 ] || fatal "系统安装须用 root: sudo ./install.sh $* / the system install needs root: sudo ./install.sh $*"
}

need_debian() {
    # shellcheck source=/dev/null
    codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
    [ "$codename" = bookworm ] || fatal "须为 Debian 12 (bookworm),这里是 ${codename:-?} / Debian 12 is needed, this is ${codename:-?}"
}

# Without systemd nothing would run by these; a container or a bare root gets what the node itself needs.
system_packages() {
    if [ -d /run/systemd/system ]; then printf '%s %s' "$PACKAGES" "$BOX_PACKAGES"; else printf '%s' "$PACKAGES"; fi
}

# Put this software (that of the bundle, where there is one) beside the releases that are there; says its name.
build_release() {
    mkdir -p "$RELEASES"
    rm -rf "$RELEASES/.new"
    mkdir "$RELEASES/.new"
    if [ -n "$OFFLINE" ]; then
        tar -xzf "$OFFLINE/wanmi.tar.gz" -C "$RELEASES/.new" --strip-components=1 --no-same-owner
    else
        pack_source - | tar -xzf - -C "$RELEASES/.new" --strip-components=1 --no-same-owner
    fi
    version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$RELEASES/.new/pyproject.toml")
    release=$version-$(cd "$RELEASES/.new" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-12)
    if [ -f "$RELEASES/$release/.venv/wanmi-stamp" ]; then
        rm -rf "$RELEASES/.new"
        info "版本 $release 已在 / is there"
        return 0
    fi
    info "版本 / release $release"
    rm -rf "${RELEASES:?}/$release"
    mv "$RELEASES/.new" "$RELEASES/$release"
    (cd "$RELEASES/$release" && build_venv requirements.lock)
    # the node's account cannot write here, so what is compiled is compiled now
    (cd "$RELEASES/$release" && .venv/bin/python -m compileall -q -j 2 appliance backups devices provisioning server tui)
}

of_release() { (cd / && "$RELEASES/$release/.venv/bin/python" -W ignore -m provisioning.system "$@"); }

install_system() {
    umask 022
    need_debian
    [ -z "$OFFLINE" ] || verify_bundle
    LOG=/var/log/wanmi-install.log
    # shellcheck disable=SC2046 # a list of names
    get_packages $(system_packages)
    build_release
    [ -z "$OFFLINE" ] || printf '%s\n' "$signer" > "$PINNED"
    of_release "$1" "$release"
    if [ ! -f /var/lib/wanmi/wanmi.toml ]; then
        info "下一步 / next: wanmi init --county 411081 --name 禹州市 --admin admin"
        [ ! -d /run/systemd/system ] || info "然后 / then: systemctl start wanmi wanmi-agent wanmi-scheduler wanmi-warm wanmi-console"
    fi
}

upgrade_system() {
    [ -L /opt/wanmi/current ] || fatal "这里没有安装万米;请先 sudo ./install.sh / Wanmi is not installed here; run sudo ./install.sh"
    install_system upgrade
}

remove_system() {
    [ -x /opt/wanmi/current/.venv/bin/python ] || fatal "这里没有安装万米;数据目录 /var/lib/wanmi 和 /var/lib/wanmi-seat 若还在,可自行删除。 /" \
        "Wanmi is not installed here; the folders of data, /var/lib/wanmi and /var/lib/wanmi-seat, can be removed by hand."
    (cd / && exec /opt/wanmi/current/.venv/bin/python -W ignore -m provisioning.system remove "$@")
}

check_system() {
    if [ ! -x /opt/wanmi/current/.venv/bin/python ]; then
        info "系统安装: 没有 / system install: not there"
        return 0
    fi
    (cd / && /opt/wanmi/current/.venv/bin/python -W ignore -m provisioning.system check)
}
