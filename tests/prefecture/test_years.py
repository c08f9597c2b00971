"""A platform that runs for years without being started again."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from appliance.clock import DAY
from server.prefecture import keys
from server.prefecture.app import tls_of
from server.prefecture.counties import log_pull
from server.prefecture.housekeeping import Housekeeping
from server.prefecture.status import log_lines
from server.prefecture.store import Platform
from tests import homes


def shown(port: ssl.SSLContext, ours: ssl.SSLContext) -> x509.Certificate:
    """The certificate that a port shows who connects now."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ours.wrap_bio(back, there, server_hostname="127.0.0.1")
    server = port.wrap_bio(there, back, server_side=True)
    for _ in range(4):
        for end in (client, server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    told = client.getpeercert(binary_form=True)
    assert told is not None
    return x509.load_der_x509_certificate(told)


def test_its_certificate_is_made_anew_and_shown_before_it_ends(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(keys, "OWN_DAYS", 30)
        platform.keys.renew(platform.settings.host, always=True)
    port, ours = tls_of(platform), keys.peer_context(None, platform.keys.ca, None, None)
    assert shown(port, ours).not_valid_after_utc < datetime.now(UTC) + timedelta(days=31)
    Housekeeping(platform, port).look()
    assert shown(port, ours).not_valid_after_utc > datetime.now(UTC) + timedelta(days=800)


def test_a_certificate_without_its_key_is_made_anew(platform: Platform) -> None:
    """The power went between the two."""
    certificate, key = platform.keys.server
    before = certificate.read_bytes()
    platform.keys.renew(platform.settings.host, always=True)
    certificate.write_bytes(before)
    assert platform.keys.renew(platform.settings.host) == [certificate.name]
    assert tls_of(platform)
    key.unlink()
    assert platform.keys.renew(platform.settings.host) == [certificate.name]
    assert platform.keys.renew(platform.settings.host) == []


def test_the_pull_log_tells_of_a_year(platform: Platform) -> None:
    now = platform.clock.now()
    with platform.begin() as connection:
        for days in (500, 399):
            log_pull(connection, homes.COUNTY, now - days * DAY, "whole", str(days), str(days))
    Housekeeping(platform, tls_of(platform)).look()
    with platform.begin() as connection:
        assert [row.en for row in log_lines(connection, None, 10)] == ["399"]
