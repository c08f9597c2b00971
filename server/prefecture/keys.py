"""The platform's keys: its own small CA, the certificate of its port, the one with which it calls counties.

EC P-256 throughout. A county's certificate serves both ends of TLS; its subject is the county's code and its
subjectAltName the host at which the prefecture reaches it (ENROL.md).
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.errors import Invalid
from server.prefecture.settings import CLIENT

FOLDER = "keys"
CA_YEARS = 10
OWN_DAYS = 825
RENEWED_BEFORE_DAYS = 60
"""The platform's own certificates are made anew so long before they end."""

CLOCKS_APART = timedelta(minutes=10)
"""A certificate is valid from a little before now, for machines whose clock is behind."""

BOTH_ENDS = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


class Keys:
    """The keys in a platform's home.

    Args:
        home: the platform's home; its folder `keys` holds them, 0600 each.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / FOLDER

    @property
    def ca(self) -> Path:
        """The CA's certificate as PEM."""
        return self.folder / "ca.crt"

    @property
    def server(self) -> tuple[Path, Path]:
        """Certificate and key of the platform's port."""
        return self.folder / "server.crt", self.folder / "server.key"

    @property
    def client(self) -> tuple[Path, Path]:
        """Certificate and key with which the platform calls counties."""
        return self.folder / f"{CLIENT}.crt", self.folder / f"{CLIENT}.key"

    def make(self, name: str, host: str) -> None:
        """Make all keys in a home that has none."""
        self.folder.mkdir(mode=0o700)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} CA"[:64])])
        now = datetime.now(UTC)
        certificate = (
            _begun(subject, key.public_key(), now, now + timedelta(days=366 * CA_YEARS))
            .issuer_name(subject)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        _write_key(self.folder / "ca.key", key)
        _write(self.ca, certificate.public_bytes(Encoding.PEM))
        self.renew(host)

    def renew(self, host: str, *, always: bool = False) -> list[str]:
        """Make the platform's own certificates anew that end soon or are missing, or all; returns their names."""
        own = (
            (self.server, host, x509.SubjectAlternativeName([general_name(host)]), ExtendedKeyUsageOID.SERVER_AUTH),
            (self.client, CLIENT, None, ExtendedKeyUsageOID.CLIENT_AUTH),
        )
        made = []
        for (certificate, key_path), subject, names, usage in own:
            if not always and certificate.exists() and key_path.exists() and _goes_on(certificate, key_path, names):
                continue
            key = ec.generate_private_key(ec.SECP256R1())
            signed = self._signed(subject, key.public_key(), names, (usage,), OWN_DAYS)
            _write_key(key_path, key)
            _write(certificate, signed.public_bytes(Encoding.PEM))
            made.append(certificate.name)
        return made

    def sign(self, request: x509.CertificateSigningRequest, county: str, host: str, days: int) -> x509.Certificate:
        """The certificate of a county for a request that `checked_request` has let through."""
        names = x509.SubjectAlternativeName([general_name(host)])
        return self._signed(county, request.public_key(), names, BOTH_ENDS, days)

    def context(self, county: str, revoked: Collection[str] = ()) -> ssl.SSLContext:
        """TLS towards a county: our certificate, our CA alone, 1.3, and only a peer whose subject is the county.

        Args:
            revoked: serial numbers of certificates that were taken back.
        """
        return peer_context(county, self.ca, *self.client, revoked=revoked)

    def _signed(
        self, subject: str, public_key: CertificatePublicKeyTypes, names: x509.SubjectAlternativeName | None,
        usages: tuple[x509.ObjectIdentifier, ...], days: int,
    ) -> x509.Certificate:  # fmt: skip
        ca = x509.load_pem_x509_certificate(self.ca.read_bytes())
        key = load_pem_private_key((self.folder / "ca.key").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        now = datetime.now(UTC)
        ends = min(now + timedelta(days=days), ca.not_valid_after_utc)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject[:64])])
        builder = (
            _begun(name, public_key, now, ends)
            .issuer_name(ca.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.public_key()),  # type: ignore[arg-type]
                critical=False,
            )
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        return builder.sign(key, hashes.SHA256())


def checked_request(pem: str, county: str, host: str) -> x509.CertificateSigningRequest:
    """A county's request for a certificate.

    Args:
        host: that of the county's address, the only name the certificate may bear.

    Raises:
        Invalid: it is none, was not signed by its own key, or is for another county or host.
    """
    try:
        request = x509.load_pem_x509_csr(pem.encode())
        valid = request.is_signature_valid
    except (ValueError, TypeError, UnicodeError) as error:
        raise Invalid(
            f"csr 不是 PEM 格式的证书请求: {error}。", f"csr is no certificate request in PEM: {error}."
        ) from None
    if not valid:
        raise Invalid("证书请求的签名不对。", "The certificate request was not signed by its own key.")
    names = [attribute.value for attribute in request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if names != [county]:
        raise Invalid(f"证书请求的 CN 是 {names},应为 {county}。", f"The request's CN is {names}, not {county}.")
    try:
        alternative = list(request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        alternative = []
    if alternative != [general_name(host)]:
        raise Invalid(
            f"证书请求的 subjectAltName 须只有地址里的主机 {host}。",
            f"The request's subjectAltName must be the host of the address alone, {host}.",
        )
    _check_key(request.public_key())
    return request


def _check_key(key: object) -> None:
    good = isinstance(key, ed25519.Ed25519PublicKey) or (
        (isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size >= 256)
        or (isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048)
    )  # fmt: skip
    if not good:
        raise Invalid("密钥太弱;请用 EC P-256。", "The key is too weak; use EC P-256.")


def general_name(host: str) -> x509.GeneralName:
    """A host as subjectAltName: an address or a DNS name."""
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host.encode("idna").decode() if not host.isascii() else host)


def serial_of(certificate: x509.Certificate) -> str:
    """The serial number as TLS tells it: hexadecimal capitals in whole bytes."""
    written = f"{certificate.serial_number:X}"
    return written.rjust(len(written) + len(written) % 2, "0")


def days_left(certificate: Path) -> float:
    """Days until a certificate ends."""
    ends = x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    return (ends - datetime.now(UTC)) / timedelta(days=1)


def _goes_on(certificate: Path, key_path: Path, names: x509.SubjectAlternativeName | None) -> bool:
    """Whether a certificate of ours is good for a while, for its key, and for the host that the settings name now."""
    key = load_pem_private_key(key_path.read_bytes(), None)
    public = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    if days_left(certificate) <= RENEWED_BEFORE_DAYS or key.public_key() != public:
        return False
    if names is None:
        return True
    extensions = x509.load_pem_x509_certificate(certificate.read_bytes()).extensions
    return bool(extensions.get_extension_for_class(x509.SubjectAlternativeName).value == names)


def peer_context(
    county: str | None, ca: Path, certificate: Path | None, key: Path | None, revoked: Collection[str] = ()
) -> ssl.SSLContext:
    """TLS 1.3 towards a county's exchange port.

    Args:
        county: the subject CN that its certificate must have; None takes any that the CA signed.
        certificate, key: ours; without them we come as a stranger. revoked: serial numbers that it must not have.
    """
    context = ssl.create_default_context(cafile=str(ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    if county is not None:
        context.sslsocket_class = _named(county, frozenset(revoked))
    return context


def subject_of(told: dict[str, object]) -> str | None:
    """The CN of a certificate as `ssl` tells it."""
    subject = told.get("subject") or ()
    for part in subject:  # type: ignore[attr-defined]  # a tuple of tuples of pairs
        for name, value in part:
            if name == "commonName":
                return str(value)
    return None


def _named(county: str, revoked: frozenset[str]) -> type[ssl.SSLSocket]:
    class Named(ssl.SSLSocket):
        """A socket that ends the handshake where another county answers, before anything is sent."""

        def do_handshake(self, block: bool = False) -> None:
            super().do_handshake(block)
            told = self.getpeercert() or {}
            found = subject_of(told)  # type: ignore[arg-type]
            if found != county:
                raise ssl.SSLCertVerificationError(f"the certificate is that of {found}, not of {county}")
            if told.get("serialNumber") in revoked:
                raise ssl.SSLCertVerificationError(f"the certificate of {county} was taken back")

    return Named


def _begun(
    subject: x509.Name, key: CertificatePublicKeyTypes, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins - CLOCKS_APART)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=signs_certificates, crl_sign=signs_certificates,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    _write(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(path.suffix + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
