"""Key, certificate request, and whether a certificate may be used (ENROL.md, step 1)."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appliance.errors import Invalid
from appliance.exchange.chains import authorities_of, is_authority
from appliance.exchange.links import write_private


def ensure_key(path: Path) -> tuple[ec.EllipticCurvePrivateKey, bool]:
    """The private key of a link, made once (EC P-256, readable by its owner only); whether it was made now.

    Raises:
        Invalid: the file is no such key.
    """
    if path.exists():
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), None)
        except ValueError as error:
            raise Invalid(f"{path} 不是密钥: {error}。", f"{path} is no key: {error}.") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise Invalid(f"{path} 不是椭圆曲线密钥。", f"{path} is no elliptic curve key.")
        return key, False
    made = ec.generate_private_key(ec.SECP256R1())
    pem = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(path, pem)
    return made, True


def certificate_request(key: ec.EllipticCurvePrivateKey, county: str, address: str) -> str:
    """The CSR as PEM: CN is the county, the alternative name is the host of our address."""
    host = urlsplit(address).hostname or ""
    name: x509.GeneralName
    try:
        name = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        name = x509.DNSName(host.encode("idna").decode("ascii"))
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, county)]))
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return request.public_bytes(serialization.Encoding.PEM).decode()


def check_certificate(certificate: str, ca: str, key: ec.EllipticCurvePrivateKey, now: datetime | None = None) -> None:
    """Refuse a certificate that is not ours, not from the CA, or not valid now.

    Args:
        certificate: PEM, our own first, then those between it and the CA.
        ca: PEM of the CA.

    Raises:
        Invalid: the sentence says which of these it is.
    """
    now = now or datetime.now(UTC)
    try:
        chain = x509.load_pem_x509_certificates(certificate.encode())
        roots = x509.load_pem_x509_certificates(ca.encode())
    except ValueError as error:
        raise Invalid(f"平台给的证书不是 PEM: {error}。", f"The platform's certificate is no PEM: {error}.") from None
    ours = chain[0]
    if _public(ours.public_key()) != _public(key.public_key()):
        raise Invalid(
            "平台给的证书不是签给本节点密钥的;请重新申请。",
            "The platform's certificate is not for this node's key; enrol again.",
        )
    if not ours.not_valid_before_utc <= now < ours.not_valid_after_utc:
        begins, ends, here = (
            f"{time:%Y-%m-%d %H:%M}" for time in (ours.not_valid_before_utc, ours.not_valid_after_utc, now)
        )
        raise Invalid(
            f"平台给的证书此刻无效 (有效期 {begins} 至 {ends} UTC,本机时钟 {here} UTC);请先校准本机时钟。",
            f"The platform's certificate is not valid now (from {begins} to {ends} UTC, this machine says {here} UTC); "
            "check this machine's clock first.",
        )
    _check_chain(chain, roots, now)


def _check_chain(chain: list[x509.Certificate], roots: list[x509.Certificate], now: datetime) -> None:
    """The chain ends at one of the roots; those above are authorities that are valid now."""
    above = authorities_of(chain, roots)
    if above is None:
        raise Invalid(
            "平台给的证书不是由它给的 CA 签发的;请联系平台。",
            "The platform's certificate is not signed by the CA that came with it; ask the platform.",
        )
    for authority in above:
        if not is_authority(authority, now):
            raise Invalid(
                f"平台的 CA {authority.subject.rfc4514_string()} 不是有效的签发者。",
                f"The platform's CA {authority.subject.rfc4514_string()} is no authority that is valid now.",
            )


def _public(key: object) -> bytes:
    return key.public_bytes(  # type: ignore[attr-defined,no-any-return]  # every public key of this library has it
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
