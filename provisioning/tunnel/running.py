"""Starting, ending and looking at a tunnel: `wg-quick` and `wg` do it, and both need root."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from appliance.clock import SECOND, rfc3339
from appliance.errors import Conflict, Forbidden
from appliance.exchange.tunnels import tunnel_file, tunnel_name, tunnel_state
from provisioning.tunnel.making import public_key, tool

KEYS = frozenset(
    ("address", "allowedips", "endpoint", "listenport", "mtu", "persistentkeepalive", "presharedkey", "privatekey",
     "publickey", "[interface]", "[peer]", "")
)  # fmt: skip
"""What a tunnel's file may say, as wg-quick(8) reads it: in small letters, before the `=`, without remarks."""


@dataclass(frozen=True, slots=True)
class TunnelStatus:
    """How a tunnel is; what only root can see is None for others, and while it is down.

    Attributes:
        handshake: when the two sides last greeted each other, RFC 3339. received, sent: bytes.
    """

    name: str
    state: str
    public_key: str
    endpoint: str | None = None
    handshake: str | None = None
    received: int | None = None
    sent: int | None = None


def switch(home: Path, url: str, direction: str) -> None:
    """Start (`up`) or end (`down`) a tunnel.

    Raises:
        BadHome: it was not made, or `wg-quick` is not installed. Forbidden: not root, or its file wants more than a
        tunnel. Conflict: it is so already, or `wg-quick` failed.
    """
    public_key(home, url)
    command = tool("wg-quick")
    if os.geteuid() != 0:
        raise Forbidden(
            f"启停隧道需要 root;请执行: sudo wanmi link tunnel {direction} --home {home}",
            f"Only root starts and ends tunnels; run: sudo wanmi link tunnel {direction} --home {home}",
        )
    if tunnel_state(home, url) == direction:
        raise Conflict(
            f"隧道 {tunnel_name(url)} 已经{'启用' if direction == 'up' else '停用'}。",
            f"The tunnel {tunnel_name(url)} is {direction} already.",
        )
    with _own_copy(tunnel_file(home, url)) as file:
        done = subprocess.run([command, direction, str(file)], capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or ["?"]
        raise Conflict(
            f"wg-quick {direction} 失败: {said[0][:300]};内核须支持 WireGuard,或安装 wireguard-go。",
            f"wg-quick {direction} failed: {said[0][:300]}. The kernel must know WireGuard, else install wireguard-go.",
        )


@contextmanager
def _own_copy(file: Path) -> Iterator[Path]:
    """Root's own copy of a tunnel's file: the account of the node writes it, and `wg-quick` would run its commands.

    Raises:
        Forbidden: it says more than a tunnel needs.
    """
    content = file.read_text(encoding="utf-8")
    for number, line in enumerate(content.splitlines(), 1):
        key = line.partition("#")[0].partition("=")[0].strip()
        if key.lower() not in KEYS:
            raise Forbidden(
                f"{file} 第 {number} 行的 {key[:40]} 不会以 root 执行;请删除该行。",
                f"{file}, line {number}: {key[:40]} is not done as root; take the line out.",
            )
    with TemporaryDirectory(prefix="wanmi-tunnel-") as folder:
        copy = Path(folder) / file.name
        copy.touch(mode=0o600)
        copy.write_text(content, encoding="utf-8")
        yield copy


def tunnel_status(home: Path, url: str) -> TunnelStatus:
    """How a tunnel is.

    Raises:
        BadHome: it was not made.
    """
    name, key = tunnel_name(url), public_key(home, url)
    state = tunnel_state(home, url) or "down"
    if state == "down" or os.geteuid() != 0:
        return TunnelStatus(name, state, key)
    dump = subprocess.run([tool("wg"), "show", name, "dump"], capture_output=True, text=True, check=False).stdout
    peers = [line.split("\t") for line in dump.splitlines()[1:]]
    if not peers:
        return TunnelStatus(name, state, key)
    # public key, preshared key, endpoint, allowed addresses, handshake (seconds), received, sent, keepalive
    _, _, endpoint, _, handshake, received, sent, _ = peers[0]
    seen = rfc3339(int(handshake) * SECOND) if int(handshake) else None
    return TunnelStatus(name, state, key, endpoint, seen, int(received), int(sent))
