"""The certificate of the local network, from a small authority of the box's own; no other machine holds its key."""

from __future__ import annotations

import ipaddress
import socket
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.errors import Conflict, FieldError, Invalid
from appliance.exchange.links import write_private
from appliance.lan import AUTHORITY, AUTHORITY_KEY, Door, is_of_the_box
from provisioning.joining.papers import ensure_key

DAYS = 825
"""Phones and browsers believe no certificate for longer."""
AUTHORITY_DAYS = 3650
OWN = ("localhost", "127.0.0.1", "::1")
"""Under these the programs of the box itself call the node."""


def make_certificate(home: Path, names: Sequence[str], door: Door, now: datetime | None = None) -> datetime:
    """Write authority, certificate and key into a home; says when the certificate ends. Repeated, it renews.

    Args:
        names: host names and addresses of the box, as seats and phones call it.

    Raises:
        Invalid: one of them is no name. Conflict: another authority's certificate is there.
    """
    now = now or datetime.now(UTC)
    _refuse_another(home, home / door.certificate)
    alternatives = [_alternative(name) for name in dict.fromkeys((*OWN, *names))]
    authority_key, _ = ensure_key(home / AUTHORITY_KEY)
    authority = _authority(home, authority_key, now)
    key, _ = ensure_key(home / door.key)
    ends = now + timedelta(days=DAYS)
    certificate = (
        _builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Wanmi")]), authority.subject, key, now, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    write_private(home / door.certificate, certificate.public_bytes(serialization.Encoding.PEM))
    return ends


def names_of_this_box() -> list[str]:
    """Its host name, the same in the local network, and the addresses it has now."""
    name = socket.gethostname()
    done = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False)
    return [name, *([f"{name}.local"] if "." not in name else []), *done.stdout.split()]


def _refuse_another(home: Path, file: Path) -> None:
    """Refuse to write over what another authority gave the county."""
    try:
        found = x509.load_pem_x509_certificate(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return
    if not is_of_the_box(home, found):
        raise Conflict(
            f"{file} 由别的机构签发 ({found.issuer.rfc4514_string()}),不会覆盖;请放上该机构的新证书,"
            "或先把证书与密钥移开再运行。",
            f"{file} is of another authority ({found.issuer.rfc4514_string()}) and is not overwritten; put that one's "
            "new certificate there, or move certificate and key away first.",
        )


def _authority(home: Path, key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    """The box's authority; another one where the old one ends before a certificate of it would."""
    file = home / AUTHORITY
    if file.exists():
        found = x509.load_pem_x509_certificate(file.read_bytes())
        if found.public_key() == key.public_key() and found.not_valid_after_utc > now + timedelta(days=DAYS):
            return found
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Wanmi {socket.gethostname()}"[:64])])
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    made = (
        _builder(name, name, key, now, now + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_private(file, made.public_bytes(serialization.Encoding.PEM))
    return made


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins - timedelta(hours=1))
        .not_valid_after(ends)
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        encoded = name.encode("idna").decode("ascii")
    except UnicodeError:
        encoded = ""
    if not encoded or any(not (sign.isalnum() or sign in "-.") for sign in encoded):
        raise Invalid(
            f"{name!r} 不是主机名或 IP 地址。",
            f"{name!r} is no host name or IP address.",
            fields=(FieldError("names", "不是主机名或地址", "no host name or address"),),
        )
    return x509.DNSName(encoded)
