# shellcheck shell=sh
# Part of install.sh: a bundle is proved before anything is changed, then packages and wheels come from it alone.
# A bare Debian has gpgv and sha256sum (by apt and coreutils); nothing else is needed to prove it.

PINNED=/opt/wanmi/bundle.key

bundle_refused() { fatal "离线包 $OFFLINE 不可用: $1;未作任何更改。 / The bundle cannot be used: $2. Nothing was changed."; }

# Signature, fingerprint, every file of the list, and no file beside it.
verify_bundle() {
    [ -d "$OFFLINE" ] || bundle_refused "没有这个目录" "there is no such folder"
    OFFLINE=$(cd "$OFFLINE" && pwd)
    for file in SHA256SUMS SHA256SUMS.sig key.gpg; do
        [ -f "$OFFLINE/$file" ] || bundle_refused "缺少 $file,请重新复制" "$file is missing, copy it again"
    done
    said=$(gpgv --status-fd 1 --keyring "$OFFLINE/key.gpg" "$OFFLINE/SHA256SUMS.sig" "$OFFLINE/SHA256SUMS" 2>/dev/null) ||
        bundle_refused "清单的签名不对,请重新复制" "the signature of its list is wrong, copy it again"
    signer=$(printf '%s\n' "$said" | sed -n 's/^\[GNUPG:\] VALIDSIG \([0-9A-F]*\).*/\1/p')
    [ -n "$signer" ] || bundle_refused "清单没有签名" "its list is not signed"
    trust_signer
    if ! said=$(cd "$OFFLINE" && LC_ALL=C sha256sum --check --quiet --strict SHA256SUMS 2>/dev/null); then
        said=$(printf '%s' "$said" | head -n 3 | tr '\n' ' ')
        bundle_refused "文件损坏或缺少: $said" "files are damaged or missing: $said"
    fi
    line='
'
    listed=$line$(cut -c 67- "$OFFLINE/SHA256SUMS")$line
    beside=$(cd "$OFFLINE" && find . ! -type d ! -path ./SHA256SUMS ! -path ./SHA256SUMS.sig ! -path ./key.gpg |
        while IFS= read -r file; do
            case "$listed" in *"$line$file$line"*) ;; *) printf '%s ' "$file" ;; esac
        done)
    [ -z "$beside" ] || bundle_refused "有清单之外的文件: $beside" "there are files that its list does not name: $beside"
    info "离线包完好 / the bundle is whole: $(wc -l < "$OFFLINE/SHA256SUMS") 个文件 / files"
}

# Whoever changes a bundle can sign it with a key of his own: the fingerprint is what the technician compares.
trust_signer() {
    expected=$(printf '%s' "${WANMI_BUNDLE_KEY:-}" | tr -d ' ' | tr 'a-f' 'A-F')
    if [ -z "$expected" ] && [ -f "$PINNED" ]; then expected=$(cat "$PINNED"); fi
    if [ -n "$expected" ]; then
        [ "$signer" = "$expected" ] || bundle_refused "签名者是 $signer,应为 $expected (换了制作机时用 --key 指明)" \
            "it is signed by $signer, expected is $expected (--key names another)"
        return 0
    fi
    info "签名指纹 / signed by: $signer"
    if [ -t 0 ]; then
        printf '与制作时打印的指纹相同? / the same as was printed when it was made? [y/N] ' >&2
        read -r answer
        case "$answer" in [yY]*) ;; *) bundle_refused "指纹未确认" "the fingerprint was not confirmed" ;; esac
    else
        info "指纹未比对;可用 --key 指明 / not compared; name it by --key"
    fi
}

# Install packages by their names from the bundle, and from nowhere else.
get_from_bundle() {
    work=$(mktemp -d)
    mkdir -p "$work/lists/partial"
    ln -s "$OFFLINE/debs" "$work/debs" # a path of a bundle may have spaces, a source of apt may not
    printf 'deb [trusted=yes] file:%s ./\n' "$work/debs" > "$work/sources.list"
    bundle_apt update || { rm -rf "$work"; fatal "离线包的软件包目录不可读 / apt cannot read the packages of the bundle"; }
    bundle_apt install -y --no-install-recommends "$@" || {
        rm -rf "$work"
        fatal "离线包中的软件包装不上: $*;详见上文 / apt cannot install from the bundle; see above"
    }
    rm -rf "$work"
}

bundle_apt() {
    as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q -o Dir::Etc::SourceList="$work/sources.list" \
        -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$work/lists" -o Dir::Cache::pkgcache= \
        -o Dir::Cache::srcpkgcache= -o Acquire::Languages=none -o APT::Sandbox::User=root "$@" >> "$LOG"
}
