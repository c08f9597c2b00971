"""The node's key for its backups: the password of its repositories. Who loses it loses them; so it is printed."""

from __future__ import annotations

import html
import secrets
from pathlib import Path

from appliance.errors import NotFound
from appliance.exchange.links import write_private

KEY = "keys/backup.key"
SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without those that are taken for another on paper."""
GROUPS, GROUP = 8, 5


def ensure_key(home: Path) -> bool:
    """Make the key where there is none; returns whether it was made now."""
    file = home / KEY
    if file.exists():
        return False
    groups = ("".join(secrets.choice(SIGNS) for _ in range(GROUP)) for _ in range(GROUPS))
    write_private(file, "-".join(groups) + "\n")
    return True


def key_of(home: Path) -> str:
    """The key.

    Raises:
        NotFound: no backup was made yet.
    """
    try:
        return (home / KEY).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise NotFound(
            "还没有备份密钥;先运行 wanmi backup now。", "There is no key for backups yet; run wanmi backup now first."
        ) from None


def sheet(home: Path, county: str, name: str, to: str) -> str:
    """The recovery sheet as a page to print: the key, its QR code, and what to do with it."""
    import segno

    key = key_of(home)
    picture = segno.make(key, error="m").svg_inline(scale=4)
    steps = (
        ("装好 Debian 12 和本软件", "Install Debian 12 and this software"),
        ("把下面的密钥写进文件 key.txt", "Write the key below into a file key.txt"),
        ("wanmi backup list --to 仓库 --key key.txt", "lists the snapshots"),
        ("wanmi backup restore 编号 --into /var/lib/wanmi --to 仓库 --key key.txt", "restores one"),
        ("wanmi doctor,然后 wanmi up", "wanmi doctor, then wanmi up"),
    )
    items = "".join(f"<li>{html.escape(zh)}<br><small>{html.escape(en)}</small></li>" for zh, en in steps)
    return (
        '<!doctype html><html lang="zh"><meta charset="utf-8"><title>备份恢复单</title>'
        "<style>body{font-family:sans-serif;max-width:40em;margin:2em auto}code{font-size:1.3em}</style>"
        f"<h1>备份恢复单 / Recovery sheet</h1><p>{html.escape(name)} {html.escape(county)}</p>"
        f"<p>仓库 / repository: <code>{html.escape(to or '-')}</code></p>"
        f"<p>密钥 / key:</p><p><code>{key}</code></p>{picture}<ol>{items}</ol>"
        "<p>本单与备份分开保管;没有密钥,任何人都不能恢复。<br>Keep it apart from the backups; nobody restores "
        "without it.</p>"
    )
