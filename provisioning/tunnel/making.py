"""The file of a WireGuard tunnel, its key made by the real `wg`; every value is checked before it is written."""

from __future__ import annotations

import base64
import binascii
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface, ip_interface, ip_network
from pathlib import Path

from appliance.errors import BadHome, Invalid
from appliance.exchange.links import write_private
from appliance.exchange.settings import host_and_port
from appliance.exchange.tunnels import tunnel_file, tunnel_name

KEEPALIVE_SECONDS = 25
"""So often the county sends something, so that a firewall on the way keeps the way back open."""
_PRIVATE = re.compile(r"^PrivateKey = (\S+)$", re.MULTILINE)
APPROVAL = (
    "启用前需经网络主管部门批准;不会自动启用。",
    "It needs the approval of the network office before it is used; nothing starts by itself.",
)


@dataclass(frozen=True, slots=True)
class Tunnel:
    """What a tunnel is to be.

    Attributes:
        endpoint: where the other side listens, HOST:PORT. peer_key: its public key.
        own_address: ours in the tunnel, as 10.77.0.2/32. allowed: what is reached through it.
        listen_port: our UDP port, None for any.
    """

    endpoint: str
    peer_key: str
    own_address: str
    allowed: tuple[str, ...]
    listen_port: int | None = None


def make_tunnel(home: Path, url: str, wanted: Tunnel, *, new_key: bool = False) -> tuple[Path, str]:
    """Write the tunnel's file; returns it and our public key. A key that is there stays, unless a new one is wanted.

    Raises:
        Invalid: a value is wrong. BadHome: `wg` is not installed.
    """
    address, allowed = _checked(wanted)
    file = tunnel_file(home, url)
    known = None if new_key or not file.exists() else _PRIVATE.search(file.read_text(encoding="utf-8"))
    private = known[1] if known else wg("genkey")
    lines = [
        f"# 万米 / Wanmi: {url}", f"# {APPROVAL[0]} {APPROVAL[1]}",
        "[Interface]", f"PrivateKey = {private}", f"Address = {address}",
        *([f"ListenPort = {wanted.listen_port}"] if wanted.listen_port is not None else []),
        "", "[Peer]", f"PublicKey = {wanted.peer_key}", f"Endpoint = {wanted.endpoint}",
        f"AllowedIPs = {', '.join(allowed)}", f"PersistentKeepalive = {KEEPALIVE_SECONDS}", "",
    ]  # fmt: skip
    write_private(file, "\n".join(lines))
    return file, wg("pubkey", given=private)


def public_key(home: Path, url: str) -> str:
    """Our public key of a tunnel that was made.

    Raises:
        BadHome: none was made, or `wg` is not installed.
    """
    file = tunnel_file(home, url)
    known = _PRIVATE.search(file.read_text(encoding="utf-8")) if file.exists() else None
    if known is None:
        raise BadHome(
            f"还没有 {tunnel_name(url)} 隧道;请先 wanmi link tunnel make。",
            f"There is no tunnel {tunnel_name(url)} yet; run wanmi link tunnel make first.",
        )
    return wg("pubkey", given=known[1])


def tool(name: str) -> str:
    """Where a tool of `wireguard-tools` stands.

    Raises:
        BadHome: it is not installed.
    """
    found = shutil.which(name)
    if found is None:
        raise BadHome(
            f"本机没有 {name};请先执行: apt-get install wireguard-tools",
            f"There is no {name} on this machine; first run: apt-get install wireguard-tools",
        )
    return found


def wg(command: str, *, given: str = "") -> str:
    """What a command of `wg` prints.

    Args:
        given: its standard input; a key never stands on a command line.

    Raises:
        BadHome: `wg` is not installed. Invalid: it refuses.
    """
    done = subprocess.run([tool("wg"), command], input=f"{given}\n", capture_output=True, text=True, check=False)
    if done.returncode:
        raise Invalid(f"wg {command} 失败: {done.stderr.strip()}", f"wg {command} failed: {done.stderr.strip()}")
    return done.stdout.strip()


def _checked(wanted: Tunnel) -> tuple[IPv4Interface | IPv6Interface, Sequence[str]]:
    """Address and networks as they are written.

    Raises:
        Invalid: the option is named.
    """
    if host_and_port(wanted.endpoint) is None:
        raise _wrong("endpoint", wanted.endpoint, "203.0.113.5:51820")
    try:
        good = len(base64.b64decode(wanted.peer_key, validate=True)) == 32
    except (binascii.Error, ValueError):
        good = False
    if not good:
        raise _wrong("peer-key", wanted.peer_key[:50], "44 个字符的公钥 / a public key of 44 characters")
    try:
        address = ip_interface(wanted.own_address)
    except ValueError:
        raise _wrong("own-address", wanted.own_address, "10.77.0.2/32") from None
    networks = []
    for written in wanted.allowed:
        try:
            network = ip_network(written)
        except ValueError:
            raise _wrong("allowed", written, "10.77.0.1/32") from None
        if network.prefixlen == 0:
            raise Invalid(
                f"--allowed {written} 会把本机全部流量送进隧道;只写平台一侧的地址,如 10.77.0.1/32。",
                f"--allowed {written} would send all traffic of this machine into the tunnel; name the platform's side "
                "only, such as 10.77.0.1/32.",
            )
        networks.append(str(network))
    return address, networks


def _wrong(option: str, given: str, example: str) -> Invalid:
    return Invalid(
        f"--{option} 不对: {given!r};写作 {example}。", f"--{option} is wrong: {given!r}; write it as {example}."
    )
