"""The node in the local network: never without TLS; seats and the agent trust the box's own authority."""

from __future__ import annotations

import json
import os
import signal
import ssl
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appliance import cli
from appliance.doctor import Finding
from appliance.errors import Conflict, Invalid
from appliance.lan import AUTHORITY, Door, Following, check_certificate, is_loopback, protection, trust
from devices.agent.node import NodeClient, NodeRefused
from provisioning.certificate import make_certificate
from provisioning.renewals import renew_network
from tests.nodes import START_SECONDS, free_port
from tests.started import start_wanmi
from tui.trusting import trusted


def test_other_machines_are_not_served_without_tls(home: Path) -> None:
    refused = CliRunner().invoke(cli.wanmi, ["serve", "--host", "0.0.0.0", "--home", str(home)], standalone_mode=False)
    assert isinstance(refused.exception, Invalid)
    assert "wanmi certificate make" in refused.exception.zh
    up = CliRunner().invoke(cli.wanmi, ["up", "--host", "::", "--home", str(home)], standalone_mode=False)
    assert isinstance(up.exception, Invalid)
    assert protection(home, Door(behind_proxy=True), "0.0.0.0") is None, "a proxy does it"
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "10.0.0.5", "box")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip


def test_seats_and_the_agent_reach_it_by_its_certificate(home: Path) -> None:
    told = CliRunner().invoke(
        cli.wanmi, ["certificate", "make", "--names", "wanmi.local,10.0.0.5", "--home", str(home), "--json"]
    )
    authority = Path(json.loads(told.stdout)["authority"])
    assert authority == home / AUTHORITY
    for name in ("lan.key", "lan-ca.key"):
        assert (home / "keys" / name).stat().st_mode & 0o077 == 0
    port = free_port()
    process = start_wanmi("serve", "--home", str(home), "--host", "0.0.0.0", "--port", str(port))
    url = f"https://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=url, verify=trusted(authority), trust_env=False) as seat:
            assert answered(seat) == 200
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            httpx.get(f"{url}/health", trust_env=False)
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False)
        old = ssl.create_default_context(cafile=str(authority))
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/health", verify=old, trust_env=False)
        agent = NodeClient(url, "no key of ours", trust(home, url))
        with pytest.raises(NodeRefused) as refused:
            agent.get("/api/v1/sources")
        agent.close()
        assert refused.value.status == 401, "it was reached, and only its key is not good"
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def test_a_county_with_a_certificate_of_its_own_is_reached_by_the_box_s_programs(home: Path) -> None:
    """It names the county's domain and not 127.0.0.1, is of an authority the box never heard of, and is renewed."""
    door, port = Door(), free_port()
    url = f"https://127.0.0.1:{port}"
    agent = NodeClient(url, "no key of ours", trust(home, url))
    for year in ("this", "the next"):
        own_certificate(home, door)
        process = start_wanmi("serve", "--home", str(home), "--host", "0.0.0.0", "--port", str(port))
        try:
            with httpx.Client(base_url=url, verify=trust(home, url), trust_env=False) as program:
                assert answered(program) == 200, f"{year} year"
            with pytest.raises(NodeRefused) as refused:
                agent.get("/api/v1/sources")
            assert refused.value.status == 401, "the agent runs on, and knows the node by its new certificate"
            own_certificate(home, door)
            with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
                httpx.get(f"{url}/health", verify=trust(home, url), trust_env=False)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)
    agent.close()


def own_certificate(home: Path, door: Door, days: int = 90) -> None:
    """What a public authority gave the county for its domain."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    domain = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "wanmi.county.example")])
    made = (
        x509.CertificateBuilder(public_key=key.public_key(), serial_number=x509.random_serial_number())
        .subject_name(domain)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("wanmi.county.example")]), critical=False)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a public authority")]))
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for name, content in ((door.certificate, made.public_bytes(serialization.Encoding.PEM)), (door.key, pem)):
        (home / name).write_bytes(content)
        (home / name).chmod(0o600)


def answered(client: httpx.Client) -> int:
    """The status of a node's health, once it is up."""
    ends = time.monotonic() + START_SECONDS
    while True:
        try:
            return client.get("/health").status_code
        except httpx.ConnectError:
            assert time.monotonic() < ends
            time.sleep(0.05)  # between two looks at a port that is not open yet


def found(home: Path) -> Finding:
    (finding,) = check_certificate(home)
    return finding


def test_the_doctor_says_when_it_ends(home: Path) -> None:
    assert found(home).result == "skipped"
    long_ago = datetime.now(UTC) - timedelta(days=810)
    make_certificate(home, ["box"], Door(), long_ago)
    assert found(home).result == "warning"
    authority = (home / AUTHORITY).read_bytes()
    make_certificate(home, ["box"], Door())
    assert found(home).result == "passed"
    assert (home / AUTHORITY).read_bytes() == authority, "seats go on trusting what they trust"
    make_certificate(home, ["box"], Door(), datetime.now(UTC) - timedelta(days=900))
    assert found(home).result == "failed"


def test_what_is_no_name_is_refused(home: Path, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no host name"):
        make_certificate(home, ["a b"], Door())
    (home / "keys" / "lan.crt").write_text("nonsense")
    (home / "keys" / "lan.key").write_text("nonsense")
    with pytest.raises(Invalid, match="cannot be used"):
        protection(home, Door(), "0.0.0.0")
    with pytest.raises(Invalid, match="no authority"):
        trusted(tmp_path / "not there")


def test_a_certificate_that_ends_soon_is_renewed_under_its_names_and_the_running_node_takes_it(home: Path) -> None:
    door, now = Door(), datetime.now(UTC)
    make_certificate(home, ["wanmi.local", "10.0.0.5"], door)
    assert renew_network(home, door) is None, "it has years"
    context = protection(home, door, "0.0.0.0")
    assert context is not None
    following = Following(context, home, door)
    before = (home / door.certificate).read_bytes()
    later = renew_network(home, door, now + timedelta(days=800))
    assert later is not None
    assert later > now + timedelta(days=1600)
    assert names_in(home / door.certificate) == names_in_bytes(before)
    following.look()
    assert served(context) == (home / door.certificate).read_bytes()


def test_a_certificate_of_another_authority_is_the_county_s_to_renew(home: Path) -> None:
    door = Door()
    make_certificate(home, ["box"], door)
    own_certificate(home, door)
    before = (home / door.certificate).read_bytes()
    assert renew_network(home, door, datetime.now(UTC) + timedelta(days=50)) is None
    refused = CliRunner().invoke(cli.wanmi, ["certificate", "make", "--home", str(home)], standalone_mode=False)
    assert isinstance(refused.exception, Conflict)
    assert "a public authority" in refused.exception.en
    assert (home / door.certificate).read_bytes() == before
    own_certificate(home, door, days=20)
    assert "put its new one" in found(home).en
    assert "certificate make" not in found(home).en


def test_half_a_new_pair_leaves_the_running_node_the_one_it_has(home: Path, tmp_path: Path) -> None:
    door, other = Door(), tmp_path / "other"
    (other / "keys").mkdir(parents=True)
    for place in (home, other):
        make_certificate(place, ["box"], door)
    context = protection(home, door, "0.0.0.0")
    assert context is not None
    following, before = Following(context, home, door), (home / door.certificate).read_bytes()
    (home / door.certificate).write_bytes((other / door.certificate).read_bytes())
    os.utime(home / door.certificate, (time.time() + 5,) * 2)
    following.look()
    assert served(context) == before
    (home / door.key).write_bytes((other / door.key).read_bytes())
    following.look()
    assert served(context) == (other / door.certificate).read_bytes()


def names_in(file: Path) -> set[str]:
    return names_in_bytes(file.read_bytes())


def names_in_bytes(content: bytes) -> set[str]:
    found = x509.load_pem_x509_certificate(content)
    told = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in told}


def served(context: ssl.SSLContext) -> bytes:
    """The certificate that a context shows whoever calls, by a handshake in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    calling = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    calling.check_hostname, calling.verify_mode = False, ssl.CERT_NONE
    client = calling.wrap_bio(to_client, to_server)
    server = context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    shown = client.getpeercert(binary_form=True)
    assert shown is not None
    return ssl.DER_cert_to_PEM_cert(shown).encode()
