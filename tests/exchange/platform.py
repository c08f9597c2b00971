"""A platform above as a vendor might write it from ENROL.md: its own CA, the four messages, and a client that pulls."""

from __future__ import annotations

import json
import ssl
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

EVERY_SCOPE = ["cases.read", "places.read", "evidence.read", "reports.read", "cases.write", "supervise"]
Key = ec.EllipticCurvePrivateKey


class Authority:
    """A certificate authority."""

    def __init__(self, name: str = "地市 CA") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(self._name, self.key.public_key(), None, ca=True)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def sign(self, name: str, key: Any, host: str | None = "127.0.0.1", **times: datetime) -> str:
        """A certificate of a public key as PEM."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return self._sign(subject, key, host, **times).public_bytes(serialization.Encoding.PEM).decode()

    def _sign(
        self,
        subject: x509.Name,
        key: Any,
        host: str | None,
        *,
        ca: bool = False,
        begins: datetime | None = None,
        ends: datetime | None = None,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
            .serial_number(x509.random_serial_number()).not_valid_before(begins or now - timedelta(hours=1))
            .not_valid_after(ends or now + timedelta(days=90))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )  # fmt: skip
        if host is not None:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), False)
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), False)
        return builder.sign(self.key, hashes.SHA256())


@dataclass
class Paper:
    """A key and its certificate as files."""

    certificate: Path
    key: Path


@dataclass
class Platform:
    """The platform; `moods` may replace the answer to a message, by method and last word of its path."""

    folder: Path
    scopes: dict[str, list[str]] = field(default_factory=lambda: {"prefecture": list(EVERY_SCOPE)})
    tokens: set[str] = field(default_factory=lambda: {"good"})
    moods: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, Any], str | None]] = field(default_factory=list)
    counties: dict[str, str] = field(default_factory=dict)
    valid: dict[str, datetime] = field(default_factory=dict)

    def __enter__(self) -> Platform:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.authority = Authority()
        self.ca = self.folder / "ca.pem"
        self.ca.write_text(self.authority.pem)
        self.client_paper = self.paper(next(iter(self.scopes)))
        own = self.paper("platform")
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length) or b"{}")
                peer = self.connection.getpeercert()  # type: ignore[attr-defined]  # it is a TLS socket
                name = next((v for part in (peer or {}).get("subject", ()) for k, v in part if k == "commonName"), None)
                status, told = platform.answer(self.command, self.path, body, self.headers.get("Authorization"), name)
                content = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_PUT = do_DELETE = _answer

            def log_message(self, *_: Any) -> None:
                return

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(own.certificate, own.key)
        context.load_verify_locations(self.ca)
        context.verify_mode = ssl.CERT_OPTIONAL
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}/dcm"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(
        self, method: str, path: str, body: dict[str, Any], authorization: str | None, peer: str | None
    ) -> tuple[int, dict[str, Any]]:
        """What the platform says to a message."""
        word = path.rsplit("/", 1)[-1]
        self.asked.append((method, path, body, authorization))
        if mood := self.moods.get(f"{method} {word}"):
            return mood
        token = (authorization or "").removeprefix("Bearer ")
        if token not in self.tokens and peer is None:
            return 401, {"title": "Unauthorized", "status": 401, "detail": "令牌无效或已用过"}
        if method == "POST" and word == "enrol":
            return 201, self.enrol(body)
        county = path.split("/nodes/")[1].split("/")[0]
        if method == "PUT":
            self.counties[county] = body["address"]
            return 200, {}
        if method == "DELETE":
            self.counties.pop(county, None)
            return 204, {}
        return 200, self.probe(county)

    def enrol(self, body: dict[str, Any]) -> dict[str, Any]:
        """Sign a request."""
        request = x509.load_pem_x509_csr(body["csr"].encode())
        assert request.is_signature_valid
        return {
            "certificate": self.authority.sign(body["county"], request.public_key(), **self.valid),
            "ca": self.authority.pem,
            "scopes": self.scopes,
        }

    def probe(self, county: str) -> dict[str, Any]:
        """Pull the county's first page."""
        began = time.monotonic()
        try:
            with self.client(self.counties[county]) as client:
                client.get("/exchange/v1/").raise_for_status()
        except httpx.HTTPError as error:
            return {"ok": False, "why": str(error)}
        return {"ok": True, "seconds": round(time.monotonic() - began, 2)}

    def paper(self, name: str, authority: Authority | None = None, **times: datetime) -> Paper:
        """A key and certificate for a name."""
        key = ec.generate_private_key(ec.SECP256R1())
        paper = Paper(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        paper.certificate.write_text((authority or self.authority).sign(name, key.public_key(), **times))
        paper.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return paper

    def client(self, address: str, paper: Paper | None = None) -> httpx.Client:
        """A client of a county's exchange port."""
        context = ssl.create_default_context(cafile=str(self.ca))
        shown = paper or self.client_paper
        context.load_cert_chain(shown.certificate, shown.key)
        return httpx.Client(base_url=address, verify=context, timeout=30, trust_env=False)
