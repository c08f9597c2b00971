"""Who is at the other end of TLS: the subject CN of the client certificate, put into the request's state as `peer`."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class PeerProtocol(HttpToolsProtocol):
    """uvicorn's protocol that also tells who the peer is; None where no certificate was shown."""

    def connection_made(self, transport: Any) -> None:
        """Note the peer of this connection for all its requests."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        self.app_state = {**self.app_state, "peer": common_name(tls.getpeercert() if tls else None)}


def common_name(certificate: Any) -> str | None:
    """The subject CN of a peer's certificate, None when there is none."""
    for names in (certificate or {}).get("subject", ()):
        for name, value in names:
            if name == "commonName":
                return str(value)
    return None


def server_context(
    certificate: Path, key: Path, ca: Path, *, lowest: str = "1.3", client_needed: bool = True
) -> ssl.SSLContext:
    """TLS of a port that asks for client certificates of a CA.

    Args:
        lowest: the lowest version of TLS, `1.3` or `1.2`.
        client_needed: whether TLS itself refuses who shows none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2 if lowest == "1.2" else ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(ca)
    context.verify_mode = ssl.CERT_REQUIRED if client_needed else ssl.CERT_OPTIONAL
    context.set_alpn_protocols(["http/1.1"])
    return context
