"""The last step of joining: the platform pulls from us while we wait, and where it cannot, the likely reason."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from appliance.errors import WanmiError
from appliance.exchange.links import Enrolment
from appliance.exchange.settings import FILES, OUTBOUND, PULL, Link, host_and_port
from appliance.lock import is_held
from provisioning.joining.platform import Platform

PORT_SECONDS = 20.0
"""A running node opens the port within a second or two; a box that is busy takes longer."""
_NOT_PROBED = {
    OUTBOUND: (
        "出站方式: 由本节点主动呼叫平台,不做拉取探测;进展见 wanmi link status",
        "outbound: this node calls the platform, so nothing is probed; see wanmi link status",
    ),
    FILES: (
        "文件方式: 数据由文件摆渡,不做拉取探测;下一步 wanmi link write 目录",
        "files: data is carried, so nothing is probed; next is wanmi link write DIR",
    ),
}


@dataclass(frozen=True, slots=True)
class Probed:
    """What came of it.

    Attributes:
        ours: it failed because our own node does not run or did not open its port, or the platform gave no verdict, so
            that nothing is known yet about the way to us.
    """

    ok: bool
    zh: str
    en: str
    ours: bool = False


def probe_link(home: Path, platform: Platform, county: str, link: Link, enrolment: Enrolment) -> Probed:
    """Let the platform pull from us, once our own port is open; nothing to do where we call it."""
    if link.mode != PULL:
        return Probed(True, *_NOT_PROBED[link.mode])
    runs = is_held(home) or is_held(home, "exchange")
    is_open = runs and _port_serves(link, enrolment)
    try:
        ok, said = platform.probe(county)
    except WanmiError as error:  # no verdict: nothing is known yet about the way to us
        return Probed(False, error.zh, error.en, ours=True)
    if ok:
        return Probed(True, f"平台已取到本县数据 ({said})", f"the platform pulled from this county ({said})")
    zh, en = f"平台取不到本县数据: {said}", f"the platform cannot pull from this county: {said}"
    if not runs:
        zh, en = f"{zh};本节点没有运行,请先启动 wanmi up", f"{en}; this node does not run, start wanmi up first"
    elif not is_open:
        zh += f";本机的交换端口 {link.listen} 没有打开,请看 log/exchange.log"
        en += f"; our exchange port {link.listen} is not open, see log/exchange.log"
    return Probed(False, zh, en, ours=not is_open)


def _port_serves(link: Link, enrolment: Enrolment) -> bool:
    """Whether our exchange port is open with the certificate that counts now, at once or soon."""
    host, port = host_and_port(link.listen) or ("", 0)
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    leaf = x509.load_pem_x509_certificates(enrolment.certificate.read_bytes())[0]
    wanted, ends = leaf.public_bytes(Encoding.DER), monotonic() + PORT_SECONDS
    while monotonic() < ends:
        if _shown_at(own, port) == wanted:
            return True
        sleep(0.1)  # the node looks once a second
    return False


def _shown_at(host: str, port: int) -> bytes | None:
    """The certificate that a port shows, as DER; None where nobody answers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # whose it is, is what we look for
    try:
        with socket.create_connection((host, port), 1.0) as line, context.wrap_socket(line) as tls:
            return tls.getpeercert(binary_form=True)
    except OSError:
        return None
