"""Joining a platform step by step: key, enrol, register, probe. Each can be repeated.

A refusal changes nothing. An enrolment counts only once the platform registered our address; until then its
certificate stays aside, so that the same command without a token goes on where it ended. A probe that fails leaves the
link as it is, for the next try of the platform and of the technician.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep

from appliance.errors import WanmiError
from appliance.exchange.links import Enrolment, LinkFolder, write_private
from appliance.exchange.settings import FILES, OUTBOUND, PULL, Link, host_and_port
from appliance.lock import is_held
from appliance.records.acts import append_act
from appliance.records.store import Records
from appliance.settings import Settings
from provisioning.joining.papers import certificate_request, check_certificate, ensure_key
from provisioning.joining.platform import Enrolled, Identity, Platform
from provisioning.joining.written import put_link

END = "-----END CERTIFICATE-----\n"
PORT_SECONDS = 8.0
"""A running node opens the port within a second or two."""
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
class Check:
    """One line of the check list."""

    check: str
    ok: bool
    zh: str
    en: str

    def as_dict(self) -> dict[str, object]:
        """As `--json` prints it."""
        return {"check": self.check, "ok": self.ok, "note": f"{self.zh} / {self.en}"}


@dataclass(slots=True)
class CheckList:
    """The lines so far; each is told as it comes."""

    tell: Callable[[Check], None]
    checks: list[Check] = field(default_factory=list)

    def add(self, check: str, zh: str, en: str, *, ok: bool = True) -> None:
        """One more line."""
        line = Check(check, ok, zh, en)
        self.checks.append(line)
        self.tell(line)

    @property
    def ok(self) -> bool:
        """Whether all went well."""
        return all(line.ok for line in self.checks)


def join_platform(
    home: Path, settings: Settings, link: Link, token: str | None, ca: Path | None, told: CheckList
) -> None:
    """All four steps; the list says how far they came.

    Args:
        token: of the platform, for the first time. ca: who signs the platform's own certificate, if not a public one.

    Raises:
        Invalid: no https URL, or a CA file that is none.
    """
    folder, step = LinkFolder(home, link.url), "key"
    ca = ca or (folder.platform_ca if folder.platform_ca.exists() else None)
    known = folder.newest()
    identity = None if known is None else Identity(known.certificate, folder.key)
    platform = Platform(link.url, token=token, identity=identity, ca=ca)
    try:
        key, made = ensure_key(folder.key)
        told.add("key", "新建密钥" if made else "沿用原密钥", "a key was made" if made else "the key is kept")
        step = "enrol"
        csr = certificate_request(key, settings.county, link.address)
        answer = platform.enrol(settings.county, settings.name, link.address, csr)
        check_certificate(answer.certificate, answer.ca, key)
        enrolment = folder.stage(answer.certificate, answer.ca, answer.scopes)
        if ca is not None and ca != folder.platform_ca:
            write_private(folder.platform_ca, ca.read_bytes())
        told.add("enrol", *_enrolled(enrolment))
        step = "register"
        platform.show(Identity(enrolment.certificate, folder.key))
        platform.register(settings.county, link.address)
        let_count(home, link, enrolment)
        told.add("register", f"平台已登记地址 {link.address}", f"the platform knows {link.address}")
        step = "probe"
        if link.mode == PULL:
            _probe(home, platform, settings.county, link, enrolment, told)
        else:
            told.add("probe", *_NOT_PROBED[link.mode])
    except WanmiError as error:
        told.add(step, error.zh, error.en, ok=False)
    finally:
        platform.close()


def accept_answer(home: Path, link: Link, answer: Enrolled, told: CheckList) -> None:
    """The answer of step 1 that came by USB stick: checked and in force.

    Raises:
        Invalid: it is not for our key, or not valid.
    """
    folder = LinkFolder(home, link.url)
    key, made = ensure_key(folder.key)
    told.add("key", "新建密钥" if made else "沿用原密钥", "a key was made" if made else "the key is kept")
    check_certificate(answer.certificate, answer.ca, key)
    enrolment = folder.stage(answer.certificate, answer.ca, answer.scopes)
    let_count(home, link, enrolment)
    told.add("enrol", *_enrolled(enrolment))


def let_count(home: Path, link: Link, enrolment: Enrolment) -> None:
    """From now on the link is in force; a running node opens its port within seconds."""
    LinkFolder(home, link.url).count(enrolment)
    put_link(home, link)
    detail = {"address": link.address, "clients": sorted(enrolment.scopes), "mode": link.mode}
    records = Records.open(home)
    try:
        records.write(lambda unit: append_act(unit, "technician", "link.join", link.url, detail))
    finally:
        records.close()


def _enrolled(enrolment: Enrolment) -> tuple[str, str]:
    end = f"{enrolment.certificate_end():%Y-%m-%d}"
    clients = ", ".join(f"{name} ({' '.join(words)})" for name, words in enrolment.scopes.items()) or "-"
    return f"证书有效期至 {end};可读取本县数据的客户端: {clients}", f"certificate until {end}; clients: {clients}"


def _probe(home: Path, platform: Platform, county: str, link: Link, enrolment: Enrolment, told: CheckList) -> None:
    """Let the platform pull from us, once our own port is open; where it is not, that is the likely reason."""
    runs = is_held(home) or is_held(home, "exchange")
    is_open = runs and _port_serves(link, enrolment)
    ok, said = platform.probe(county)
    if ok:
        told.add("probe", f"平台已取到本县数据 ({said})", f"the platform pulled from this county ({said})")
        return
    zh, en = f"平台取不到本县数据: {said}", f"the platform cannot pull from this county: {said}"
    if not runs:
        zh, en = f"{zh};本节点没有运行,请先启动 wanmi up", f"{en}; this node does not run, start wanmi up first"
    elif not is_open:
        zh += f";本机的交换端口 {link.listen} 没有打开,请看 log/exchange.log"
        en += f"; our exchange port {link.listen} is not open, see log/exchange.log"
    told.add("probe", zh, en, ok=False)


def _port_serves(link: Link, enrolment: Enrolment) -> bool:
    """Whether our exchange port is open with the certificate that counts now, at once or soon."""
    host, port = host_and_port(link.listen) or ("", 0)
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    leaf = enrolment.certificate.read_text(encoding="ascii").partition(END)
    wanted, ends = ssl.PEM_cert_to_DER_cert(leaf[0] + leaf[1]), monotonic() + PORT_SECONDS
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
