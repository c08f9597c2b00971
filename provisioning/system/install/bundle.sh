# shellcheck shell=sh
# Part of install.sh: everything that a machine without network needs, in one folder, with a signed list.
#
#   debs/ Packages   Debian packages with all they depend on   wheels/ requirements.lock   Python's, with their hashes
#   wanmi.tar.gz     this software                             SHA256SUMS .sig key.gpg     the list and its signature

KEYS="${WANMI_BUNDLE_HOME:-${XDG_DATA_HOME:-$HOME/.local/share}/wanmi/bundle-key}"

make_bundle() {
    [ -n "${1:-}" ] || fatal "请给出目录: ./install.sh bundle DIR / name the folder: ./install.sh bundle DIR"
    if [ -d "$1" ] && [ -n "$(ls -A "$1")" ] && [ ! -f "$1/SHA256SUMS" ]; then
        fatal "$1 不是空目录,也不是离线包;请换一个目录 / is not empty and no bundle; name another folder"
    fi
    mkdir -p "$1"
    bundle=$(cd "$1" && pwd)
    # shellcheck disable=SC2086 # lists of names
    get_packages $BUNDLE_PACKAGES
    check_python
    rm -rf "$bundle/debs" "$bundle/wheels" "$bundle/SHA256SUMS"*
    mkdir -p "$bundle/debs" "$bundle/wheels"
    bundle_debs
    bundle_wheels
    pack_source "$bundle/wanmi.tar.gz"
    sign_bundle
}

# As a machine sees it that has nothing installed, so that the bundle holds what any Debian 12 may lack.
bundle_debs() {
    info "Debian 软件包 / Debian packages"
    work=$(mktemp -d)
    mkdir -p "$work/archives/partial"
    : > "$work/status"
    as_root apt-get update -q >/dev/null
    # shellcheck disable=SC2086 # lists of names
    apt-get install -q -y --no-install-recommends --download-only -o Debug::NoLocking=1 -o APT::Sandbox::User=root \
        -o Dir::State::status="$work/status" -o Dir::Cache::archives="$work/archives" -o Dir::Cache::pkgcache= \
        -o Dir::Cache::srcpkgcache= $PACKAGES $BOX_PACKAGES >/dev/null
    for deb in "$work"/archives/*.deb; do
        name=$(basename "$deb" | sed 's/%3a/-/g; s/[:~]/-/g')
        mv "$deb" "$bundle/debs/$name"
        {
            dpkg-deb --field "$bundle/debs/$name"
            printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$name" "$(stat -c %s "$bundle/debs/$name")" \
                "$(sha256sum "$bundle/debs/$name" | cut -d' ' -f1)"
        } >> "$bundle/debs/Packages"
    done
    rm -rf "$work"
}

# Wheels only: what comes as source is built here. The lock of the bundle has the hashes of these very files.
bundle_wheels() {
    info "Python 软件包 / Python packages"
    work=$(mktemp -d)
    "$PYTHON" -m venv "$work/venv"
    "$work/venv/bin/python" -m pip wheel --quiet --disable-pip-version-check --no-deps --require-hashes \
        -r requirements.lock -w "$bundle/wheels" 2>"$work/said" || { cat "$work/said" >&2; fatal "pip wheel"; }
    rm -rf "$work"
    for wheel in "$bundle"/wheels/*.whl; do
        name=$(basename "$wheel")
        version=${name#*-}
        printf '%s==%s --hash=sha256:%s\n' "${name%%-*}" "${version%%-*}" "$(sha256sum "$wheel" | cut -d' ' -f1)"
    done > "$bundle/requirements.lock"
}

sign_bundle() {
    mkdir -p "$KEYS"
    chmod 700 "$KEYS"
    if ! gpg --homedir "$KEYS" --batch --quiet --list-secret-keys wanmi-bundle 2>/dev/null | grep -q ed25519; then
        gpg --homedir "$KEYS" --batch --quiet --passphrase '' --quick-generate-key wanmi-bundle ed25519 sign never 2>/dev/null
    fi
    gpg --homedir "$KEYS" --batch --yes --quiet --export --output "$bundle/key.gpg" wanmi-bundle
    (cd "$bundle" && find . -type f ! -path ./key.gpg ! -path './SHA256SUMS*' -print0 | LC_ALL=C sort -z |
        xargs -0 sha256sum > SHA256SUMS)
    gpg --homedir "$KEYS" --batch --yes --quiet --detach-sign --output "$bundle/SHA256SUMS.sig" "$bundle/SHA256SUMS"
    signer=$(gpg --homedir "$KEYS" --batch --with-colons --fingerprint wanmi-bundle | sed -n 's/^fpr:*\([0-9A-F]*\):*$/\1/p')
    gpgconf --homedir "$KEYS" --kill gpg-agent 2>/dev/null || true
    info "离线包 / bundle: $bundle ($(du -sh "$bundle" | cut -f1), $(wc -l < "$bundle/SHA256SUMS") 个文件 / files)"
    info "签名指纹,请记下 / signed by, write it down: $signer"
    info "在那台机器上先核对密钥和文件 / on that machine compare the key and the files first:" \
        "cd DIR && gpgv --keyring ./key.gpg SHA256SUMS.sig SHA256SUMS && sha256sum --check --quiet SHA256SUMS"
    info "然后 / then: tar xf DIR/wanmi.tar.gz && cd wanmi && sudo ./install.sh --offline DIR"
}
