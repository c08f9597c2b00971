"""A platform above for the demo day: signs the county's request from a USB stick, and pulls over mutual TLS.

It is what any vendor's platform does (ENROL.md), in a page: an authority, a signature, one client that reads.
"""

from __future__ import annotations

import json
import ssl
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.errors import Broken
from provisioning.demo.running import free_port
from provisioning.joining.joining import Wanted, make_request, run_join
from provisioning.joining.leaving import find_link, leave_platform

CLIENT = "demo-city"
SCOPES = {CLIENT: ["cases.read", "places.read", "reports.read"]}
OPEN_SECONDS = 30.0
TYPES = ("department", "case", "case_action")


@dataclass
class Authority:
    """Signs the county's certificate and its own client's."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def new(cls) -> Authority:
        """One for this day."""
        key = ec.generate_private_key(ec.SECP256R1())
        return cls(key, _signed(key, _name("示范地市 CA"), _name("示范地市 CA"), key.public_key(), None))

    def sign(self, name: str, key: Any, names: Any = None) -> bytes:
        """A certificate as PEM."""
        made = _signed(self.key, self.certificate.subject, _name(name), key, names or [])
        return made.public_bytes(serialization.Encoding.PEM)

    @property
    def pem(self) -> bytes:
        """Its own certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def pulled(home: Path) -> dict[str, int]:
    """Join the running county by USB stick, take a snapshot and the newest changes, and leave again.

    Raises:
        Broken: the county's port did not open, or refused.
    """
    authority = Authority.new()
    with TemporaryDirectory() as folder:
        stick, address = Path(folder), f"127.0.0.1:{free_port()}"
        wanted = Wanted(listen=address, address=f"https://{address}")
        make_request(home, wanted, stick / "request.json")
        (stick / "answer.json").write_text(json.dumps(_answer(authority, stick / "request.json")), encoding="utf-8")
        told = run_join(home, replace(wanted, accept=stick / "answer.json"), quiet=True)
        if not told.ok:
            failed = next(line for line in told.checks if not line.ok)
            raise Broken(failed.zh, failed.en)
        try:
            with _client(authority, stick, f"https://{address}") as client:
                return _read(client)
        finally:
            leave_platform(home, find_link(home, None).url)


def _answer(authority: Authority, request: Path) -> dict[str, Any]:
    """The answer to step 1, as it comes back on the stick."""
    told = json.loads(request.read_text(encoding="utf-8"))
    csr = x509.load_pem_x509_csr(told["csr"].encode())
    names = list(csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    certificate = authority.sign(told["county"], csr.public_key(), names)
    return {"certificate": certificate.decode(), "ca": authority.pem.decode(), "scopes": SCOPES}


def _client(authority: Authority, folder: Path, address: str) -> httpx.Client:
    """The platform's reading client, with its own certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    paper, ca = folder / "client.pem", folder / "ca.pem"
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    paper.write_bytes(authority.sign(CLIENT, key.public_key()) + pem)
    ca.write_bytes(authority.pem)
    context = ssl.create_default_context(cafile=str(ca))
    context.load_cert_chain(paper)
    return httpx.Client(base_url=address, verify=context, timeout=60, trust_env=False)


def _read(client: httpx.Client) -> dict[str, int]:
    """Records of a snapshot, and changes after it."""
    info = _when_open(client)
    lines = 0
    for type_ in TYPES:
        with client.stream("GET", f"/exchange/v1/snapshot/{type_}") as slice_:
            slice_.raise_for_status()
            lines += sum(1 for line in slice_.iter_lines() if line)
    after = max(0, int(info["last"]) - 100)
    changes = client.get("/exchange/v1/changes", params={"after": after, "limit": 100})
    changes.raise_for_status()
    return {"snapshot": lines, "changes": len(changes.json()["items"])}


def _when_open(client: httpx.Client) -> dict[str, Any]:
    """The county's own sentence, once the running node has opened its port."""
    ends = time.monotonic() + OPEN_SECONDS
    while True:
        try:
            told = client.get("/exchange/v1/")
            told.raise_for_status()
        except httpx.TransportError as error:
            if time.monotonic() > ends:
                raise Broken(f"交换端口没有打开: {error}。", f"The exchange port did not open: {error}.") from None
            time.sleep(0.1)  # between two looks at a port that is not open yet
        else:
            found: dict[str, Any] = told.json()
            return found


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _signed(
    key: ec.EllipticCurvePrivateKey, issuer: x509.Name, subject: x509.Name, public: Any, names: list[Any] | None
) -> x509.Certificate:
    """A certificate for a day; an authority's own where `names` is None."""
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=names is None, path_length=None), critical=True)
    )  # fmt: skip
    if names is not None:
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, hashes.SHA256())
