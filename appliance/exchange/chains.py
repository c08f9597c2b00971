"""Whether a certificate comes from a CA: each is signed by the next, and those above are authorities, valid then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import NameOID


def authorities_of(
    chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]
) -> list[x509.Certificate] | None:
    """The authorities above the first certificate of a chain, a root last; None where it comes from none of the roots.

    Args:
        chain: the certificate itself first, then those between it and a root, in any order.
    """
    below, between = chain[0], list(chain[1:])
    found: list[x509.Certificate] = []
    for _ in range(len(chain) + 1):
        root = next((root for root in roots if _issued(below, root)), None)
        if root is not None:
            return [*found, root]
        above = next((other for other in between if _issued(below, other)), None)
        if above is None:
            return None
        found.append(above)
        between.remove(above)
        below = above
    return None


def is_authority(certificate: x509.Certificate, at: datetime) -> bool:
    """Whether it may sign certificates, and is valid at a moment."""
    try:
        is_ca = bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        is_ca = False
    return is_ca and is_valid(certificate, at)


def is_valid(certificate: x509.Certificate, at: datetime) -> bool:
    """Whether a moment lies in its time."""
    return certificate.not_valid_before_utc <= at < certificate.not_valid_after_utc


def common_name(certificate: x509.Certificate) -> str:
    """The subject's CN, "" where there is none."""
    names = [attribute.value for attribute in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return str(names[0]) if names else ""


def _issued(below: x509.Certificate, above: x509.Certificate) -> bool:
    try:
        below.verify_directly_issued_by(above)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True
