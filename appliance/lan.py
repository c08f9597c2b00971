"""The node's door to the local network: where its certificate lies, and whether it may be opened without one."""

from __future__ import annotations

import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from appliance.doctor import Finding, Result
from appliance.errors import Invalid

if TYPE_CHECKING:
    from cryptography import x509

AUTHORITY, AUTHORITY_KEY = Path("keys") / "lan-ca.crt", Path("keys") / "lan-ca.key"
"""The box's own authority, that seats and phones of the county trust."""
DAYS_LEFT = 30
LOOK_SECONDS = 30.0


class Door(BaseModel):
    """`[node]`: how the node is reached from other machines.

    Attributes:
        certificate, key: PEM files, relative to the home; `wanmi certificate make` writes them.
        behind_proxy: a proxy before the node does TLS; the node then listens without.
    """

    certificate: str = "keys/lan.crt"
    key: str = "keys/lan.key"
    behind_proxy: bool = False


def is_loopback(host: str) -> bool:
    """Whether nothing but this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def protection(home: Path, door: Door, host: str) -> ssl.SSLContext | None:
    """TLS (1.2 and later) of a node that listens on an address; None on loopback, and behind a proxy.

    Raises:
        Invalid: other machines would reach the node without TLS, or certificate and key cannot be used.
    """
    if is_loopback(host) or door.behind_proxy:
        return None
    certificate, key = home / door.certificate, home / door.key
    if not (certificate.exists() and key.exists()):
        raise Invalid(
            f"在 {host} 上监听须用 TLS,但没有 {certificate};请运行 wanmi certificate make,或由代理做 TLS 时设 [node] "
            "behind_proxy = true。",
            f"Listening on {host} needs TLS and there is no {certificate}; run wanmi certificate make, or set [node] "
            "behind_proxy = true where a proxy does TLS.",
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        raise Invalid(
            f"{certificate} 与 {key} 不能使用 ({error});请运行 wanmi certificate make。",
            f"{certificate} and {key} cannot be used ({error}); run wanmi certificate make.",
        ) from None
    context.set_alpn_protocols(["http/1.1"])
    return context


class Following(threading.Thread):
    """Gives a running node its certificate anew when the file was renewed; connections that are open keep theirs."""

    def __init__(self, context: ssl.SSLContext, home: Path, door: Door) -> None:
        super().__init__(name="wanmi-certificate", daemon=True)
        self._context, self._files = context, (home / door.certificate, home / door.key)
        self._ending, self._seen = threading.Event(), self._changed()

    def run(self) -> None:
        while not self._ending.wait(LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Take the files where they changed; a pair that is half written is taken at the next look.

        It is tried elsewhere first: a context that is given half a pair loses the key it had.
        """
        changed = self._changed()
        if changed == self._seen:
            return
        with suppress(OSError):
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*self._files)
            self._context.load_cert_chain(*self._files)
            self._seen = changed

    def close(self) -> None:
        """End the thread."""
        self._ending.set()
        self.join()

    def _changed(self) -> float:
        try:
            return max(file.stat().st_mtime for file in self._files)
        except OSError:
            return 0.0


class OwnNode(ssl.SSLContext):
    """Trusts on loopback what this box shows there: a certificate of its authority, or the very one of its settings.

    A county's own certificate seldom names 127.0.0.1, so names do not count here. It is read at each connection, since
    it is renewed under running programs.
    """

    certificate: Path

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        """As of `ssl.SSLContext`, for who shows the certificate that is in force now."""
        with suppress(OSError):  # none there: the authority alone counts
            self.load_verify_locations(cafile=str(self.certificate))
        return super().wrap_socket(*arguments, **options)


def trust(home: Path, url: str) -> ssl.SSLContext | bool:
    """Whom a program of this box believes to be its own node: on loopback this box, elsewhere who has the name."""
    address = urlsplit(url)
    if address.scheme != "https":
        return True
    if not is_loopback(address.hostname or ""):
        context = ssl.create_default_context()
    else:
        context = OwnNode(ssl.PROTOCOL_TLS_CLIENT)
        context.certificate = _certificate_of(home)
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if (home / AUTHORITY).exists():
        context.load_verify_locations(cafile=str(home / AUTHORITY))
    return context


def is_of_the_box(home: Path, certificate: x509.Certificate) -> bool:
    """Whether the box's own authority made a certificate; another one's is the county's to renew."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    try:
        authority = x509.load_pem_x509_certificate((home / AUTHORITY).read_bytes())
        certificate.verify_directly_issued_by(authority)
    except (FileNotFoundError, ValueError, TypeError, InvalidSignature):
        return False
    return True


def check_certificate(home: Path) -> Iterator[Finding]:
    """For the doctor: how long the certificate of the local network is good."""
    from cryptography import x509

    file = _certificate_of(home)
    name = "node.certificate"
    if not file.exists():
        yield Finding(name, "skipped", "没有局域网证书,只在本机监听", "no certificate for the network; loopback only")
        return
    try:
        found = x509.load_pem_x509_certificate(file.read_bytes())
    except ValueError:
        yield Finding(name, "failed", f"{file} 不是证书", f"{file} is no certificate")
        return
    ends = found.not_valid_after_utc
    left = (ends - datetime.now(UTC)).days
    result: Result = "failed" if left < 0 else "warning" if left < DAYS_LEFT else "passed"
    if result == "passed":
        do_zh, do_en = "", ""
    elif is_of_the_box(home, found):
        do_zh, do_en = ";请运行 wanmi certificate make", "; run wanmi certificate make"
    else:
        do_zh = f";它由别的机构签发,请把该机构的新证书放到 {file}"
        do_en = f"; another authority made it: put its new one at {file}"
    yield Finding(name, result, f"局域网证书 {ends:%Y-%m-%d} 到期{do_zh}", f"it ends on {ends:%Y-%m-%d}{do_en}")


def _certificate_of(home: Path) -> Path:
    from appliance.settings import FILE, load

    return home / (load(home).node if (home / FILE).exists() else Door()).certificate
