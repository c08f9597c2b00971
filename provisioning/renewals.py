"""The job `renew-certificates`: those of the links to platforms above, and the one of the local network."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography import x509

from appliance.errors import Broken
from appliance.lan import AUTHORITY_KEY, is_of_the_box
from provisioning.certificate import OWN, make_certificate
from provisioning.joining.joining import renew_links

if TYPE_CHECKING:
    from pathlib import Path

    from appliance.cases.office import Office
    from appliance.lan import Door

DAYS = 60


def renew_certificates(office: Office) -> dict[str, Any]:
    """Renew what ends within sixty days; the running node takes the new certificate by itself.

    Raises:
        Broken: a platform did not renew its link; which and why is told.
    """
    home = office.records.home
    network, links = renew_network(home, office.settings.node), renew_links(home, DAYS)
    failed = [link for link in links if not link["ok"]]
    if failed:
        why = "; ".join(f"{link['url']}: {link['why']}" for link in failed)
        raise Broken(f"证书未能续期: {why}", f"Not renewed: {why}")
    return {"links": [link["url"] for link in links], "network": network and f"{network:%F}"}


def renew_network(home: Path, door: Door, now: datetime | None = None) -> datetime | None:
    """Renew the certificate of the local network under its old names; None where there is nothing to do.

    One that the box's own authority did not make is the county's to renew.
    """
    now, file = now or datetime.now(UTC), home / door.certificate
    if not file.exists() or not (home / AUTHORITY_KEY).exists():
        return None
    found = x509.load_pem_x509_certificate(file.read_bytes())
    if found.not_valid_after_utc > now + timedelta(days=DAYS) or not is_of_the_box(home, found):
        return None
    told = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    names = [str(name.value) for name in told if str(name.value) not in OWN]
    return make_certificate(home, names, door, now)
