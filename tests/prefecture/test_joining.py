"""Who may join: a token serves once, a request must be the county's own, a certificate can be taken back."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.clock import ManualClock
from appliance.errors import BadHome, Conflict, Forbidden, Invalid, NotSignedIn, WanmiError
from server.exchange.peers import server_context
from server.prefecture.counties import change_county, the_county
from server.prefecture.county_port import CountyPort, Unreachable
from server.prefecture.enrolment import Caller, RegisterBody, enrol, leave, make_token, register, sign_file
from server.prefecture.keys import serial_of
from server.prefecture.settings import checked
from server.prefecture.store import Platform, make_platform
from tests import homes, postgis
from tests.cases.desk import Desk
from tests.prefecture.city import City
from tests.prefecture.counties import ADDRESS, DeskPort, body, enrolled, pull, request

COUNTY = homes.COUNTY


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """One prefecture for the stories of this file; each makes its own token."""
    postgis.require()
    database = postgis.cluster().create()
    yield City(tmp_path_factory.mktemp("prefecture") / "city", database).make()
    postgis.cluster().drop(database)


def certified(platform: Platform) -> Caller:
    """A county that was enrolled and shows its certificate from now on."""
    token, _ = make_token(platform, COUNTY, None, None)
    answer = enrol(platform, Caller(token=token), body())
    return Caller(subject=COUNTY, serial=serial_of(x509.load_pem_x509_certificate(answer.certificate.encode())))


def test_the_certificate_serves_both_ends_of_tls_and_is_for_this_county_alone(platform: Platform) -> None:
    token, _ = make_token(platform, COUNTY, ["cases.read"], None)
    key = ec.generate_private_key(ec.SECP256R1())
    answer = enrol(platform, Caller(token=token), body(csr=request(key=key)))
    leaf = x509.load_pem_x509_certificate(answer.certificate.encode())
    ca = x509.load_pem_x509_certificate(answer.ca.encode())
    leaf.verify_directly_issued_by(ca)
    assert leaf.public_key() == key.public_key()
    assert [name.value for name in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == [COUNTY]
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(usage) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert 824 <= (leaf.not_valid_after_utc - datetime.now(UTC)).days <= 825
    assert answer.scopes == {"prefecture": ["cases.read"]}


@pytest.mark.parametrize(
    ("what", "refusal"), [("used", NotSignedIn), ("other", Forbidden), ("old", NotSignedIn), ("wrong", NotSignedIn)]
)
def test_a_token_serves_its_county_once_and_in_time(city: City, what: str, refusal: type[WanmiError]) -> None:
    clock = ManualClock(datetime(2026, 10, 9, 9, tzinfo=UTC))
    platform = city.open(clock=clock)
    try:
        token, _ = make_token(platform, "411082" if what == "other" else COUNTY, None, 1)
        if what == "used":
            enrol(platform, Caller(token=token), body())
        clock.advance(days=2 if what == "old" else 0)
        with pytest.raises(refusal):
            enrol(platform, Caller(token="x" if what == "wrong" else token), body())
    finally:
        platform.close()


def test_only_the_digest_of_a_token_is_kept(city: City, platform: Platform) -> None:
    token, _ = make_token(platform, COUNTY, None, None)
    kept = str([tuple(row) for row in city.sees("SELECT * FROM prefecture.token")])
    assert COUNTY in kept
    assert token not in kept


@pytest.mark.parametrize("csr", [request("411082"), request(host="10.0.0.9"), request(host="county.example")])
def test_a_request_for_another_county_or_host_is_not_signed(
    platform: Platform, csr: x509.CertificateSigningRequest
) -> None:
    token, _ = make_token(platform, COUNTY, None, None)
    with pytest.raises(Invalid):
        enrol(platform, Caller(token=token), body(csr=csr))
    assert enrol(platform, Caller(token=token), body()), "the refusal did not use the token up"


@pytest.mark.parametrize("wrong", [{"address": "http://127.0.0.1:9"}, {"contract": "2"}, {"county": "4110"}])
def test_a_wrong_message_is_refused_in_a_sentence(platform: Platform, wrong: dict[str, str]) -> None:
    token, _ = make_token(platform, COUNTY, None, None)
    with pytest.raises(Invalid):
        enrol(platform, Caller(token=token), body(**wrong))


def test_a_certificate_renews_itself_until_its_county_leaves(platform: Platform) -> None:
    county = certified(platform)
    register(platform, county, COUNTY, RegisterBody("1", ADDRESS))
    assert enrol(platform, county, body()).scopes["prefecture"]
    with pytest.raises(Forbidden):
        register(platform, county, "411082", RegisterBody("1", ADDRESS))
    leave(platform, county, COUNTY)
    with pytest.raises(NotSignedIn, match="taken back"):
        enrol(platform, county, body())
    with pytest.raises(NotSignedIn):
        enrol(platform, Caller(), body())


def test_a_county_without_a_network_joins_by_a_stick(city: City, platform: Platform, tmp_path: Path) -> None:
    paper, answer = tmp_path / "request.json", tmp_path / "answer.json"
    paper.write_bytes(msgspec.json.encode(body("411083")))
    city.run("sign", str(paper), "--out", str(answer), "--scopes", "cases.read")
    assert city.json("sign", str(paper), "--out", str(answer), "--scopes", "cases.read")["county"] == "411083"
    told = json.loads(answer.read_text(encoding="ascii"))
    leaf = x509.load_pem_x509_certificate(told["certificate"].encode())
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(told["ca"].encode()))
    assert told["scopes"] == {"prefecture": ["cases.read"]}
    paper.write_text("{}", encoding="ascii")
    assert "request.json" in city.run("sign", str(paper), "--out", str(answer), code=1)
    assert city.json("remove", "411083") == {"county": "411083", "removed": True}


def test_nothing_is_sent_to_a_county_that_is_another_one(platform: Platform, tmp_path: Path) -> None:
    """At the address of one county the other answers, with a certificate of ours that is good for this host."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = platform.keys.sign(request("411082", key=key), "411082", "127.0.0.1", 10)
    (tmp_path / "pair.pem").write_bytes(
        certificate.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    pair = tmp_path / "pair.pem"
    with socket.create_server(("127.0.0.1", 0)) as door, ThreadPoolExecutor(1) as threads:
        heard = threads.submit(_listen, door, server_context(pair, pair, platform.keys.ca))
        port = CountyPort(COUNTY, f"https://127.0.0.1:{door.getsockname()[1]}", platform.keys.context(COUNTY), 10)
        with port, pytest.raises(Unreachable, match="that of 411082, not of 411081"):
            port.ask("POST", "/exchange/v1/cases", {}, b"a case")
        assert heard.result(10) == b""


def test_nothing_is_sent_to_who_shows_a_certificate_that_was_taken_back(platform: Platform, tmp_path: Path) -> None:
    """A county lost its key, was removed and joined again; who has the old key answers in its place."""
    key, pair = ec.generate_private_key(ec.SECP256R1()), tmp_path / "pair.pem"
    token, _ = make_token(platform, COUNTY, None, None)
    answer = enrol(platform, Caller(token=token), body(csr=request(key=key)))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pair.write_bytes(answer.certificate.encode() + private)
    leave(platform, None, COUNTY)
    certified(platform)
    with socket.create_server(("127.0.0.1", 0)) as door, ThreadPoolExecutor(1) as threads:
        heard = threads.submit(_listen, door, server_context(pair, pair, platform.keys.ca))
        port = CountyPort(COUNTY, f"https://127.0.0.1:{door.getsockname()[1]}", platform.towards(COUNTY), 10)
        with port, pytest.raises(Unreachable, match="was taken back"):
            port.ask("POST", "/exchange/v1/cases", {}, b"a case")
        assert heard.result(10) == b""
    leave(platform, None, COUNTY)


def _listen(door: socket.socket, tls: ssl.SSLContext) -> bytes:
    """What comes after the handshake."""
    connection, _ = door.accept()
    try:
        with connection, tls.wrap_socket(connection, server_side=True) as secured:
            return secured.recv(1000)
    except OSError:
        return b""


def test_a_home_is_made_whole_or_not_at_all(city: City, tmp_path: Path) -> None:
    """A second platform in the same database, or in a folder that is not empty, is refused and leaves nothing."""
    with pytest.raises(Conflict, match="prefecture in this database"):
        make_platform(tmp_path / "second", city.settings())
    assert not (tmp_path / "second").exists()
    with pytest.raises(Conflict, match="not empty"):
        make_platform(city.home, city.settings())
    with pytest.raises(BadHome):
        make_platform(
            tmp_path / "third", city.settings().model_copy(update={"database_url": "postgresql+psycopg:///no"})
        )
    assert list(tmp_path.iterdir()) == []
    assert {path.stat().st_mode & 0o777 for path in (city.home / "keys").iterdir()} == {0o600}
    assert (city.home / "prefecture.toml").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("key", "value"),
    [("url", "http://a:1"), ("database_url", "sqlite://x"), ("time_zone", "Mars"), ("scopes", ["all"]), ("what", 1)],
)
def test_a_wrong_setting_is_named(city: City, key: str, value: object) -> None:
    with pytest.raises(BadHome, match=key):
        checked("prefecture.toml", {**city.settings().model_dump(), key: value})


@pytest.mark.parametrize("mode", ["outbound", "files"])
def test_a_county_that_renews_its_certificate_goes_on_in_its_own_way(platform: Platform, mode: str) -> None:
    """It is not called in vain where it calls by itself or sends files."""
    county = certified(platform)
    register(platform, county, COUNTY, RegisterBody("1", ADDRESS))
    assert mode_of(platform) == "pull"
    with platform.begin() as connection:
        change_county(connection, COUNTY, mode=mode)
    if mode == "outbound":
        enrol(platform, county, body())
        register(platform, county, COUNTY, RegisterBody("1", ADDRESS))
    else:
        sign_file(platform, body(), None)
    assert mode_of(platform) == mode
    leave(platform, None, COUNTY)
    register(platform, certified(platform), COUNTY, RegisterBody("1", ADDRESS))
    assert mode_of(platform) == "pull", "one that left comes as a new one"
    leave(platform, None, COUNTY)


def mode_of(platform: Platform) -> str:
    with platform.begin() as connection:
        return the_county(connection, COUNTY).mode


def test_a_county_whose_joining_again_stops_half_way_is_reached_where_it_was(platform: Platform) -> None:
    county = certified(platform)
    register(platform, county, COUNTY, RegisterBody("1", ADDRESS))
    enrol(platform, county, body(address="https://127.0.0.1:10"))
    with platform.begin() as connection:
        assert the_county(connection, COUNTY).address == ADDRESS
    leave(platform, None, COUNTY)


def test_nobody_comes_in_with_an_old_token_once_a_county_was_removed(platform: Platform) -> None:
    """Neither with one that was never used, nor with the one by which it once came in."""
    spare, _ = make_token(platform, COUNTY, None, None)
    used, _ = make_token(platform, COUNTY, None, None)
    enrol(platform, Caller(token=used), body())
    leave(platform, None, COUNTY)
    with pytest.raises(NotSignedIn, match="expired"):
        enrol(platform, Caller(token=spare), body())
    certified(platform)
    with pytest.raises(NotSignedIn, match="expired"):
        register(platform, Caller(token=used), COUNTY, RegisterBody("1", ADDRESS))
    leave(platform, None, COUNTY)


def test_a_report_that_is_being_read_does_not_keep_a_county_from_renewing(platform: Platform, desk: Desk) -> None:
    enrolled(platform)
    pull(platform, DeskPort(desk))
    county = certified(platform)
    with platform.begin() as report:
        report.exec_driver_sql("SELECT count(*) FROM prefecture.all_cases")
        enrol(platform, county, body())
    leave(platform, None, COUNTY)


def test_a_home_whose_database_is_another_one_is_refused_in_a_sentence(city: City, tmp_path: Path) -> None:
    empty = postgis.cluster().create()
    other = City(tmp_path / "city", empty).make()
    platform = other.open()
    with platform.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA prefecture CASCADE")
    platform.close()
    assert "holds no platform" in other.run("status", code=1)
    postgis.cluster().drop(empty)
