"""Counties without a network: their papers, and a port that reads a desk's records as the exchange port does."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from sqlalchemy import insert

from appliance.clock import DAY
from appliance.exchange.kinds.all import KINDS
from appliance.exchange.kinds.base import Sight
from appliance.exchange.landing import Item, Line
from appliance.exchange.reading import feed_state, read_changes, read_snapshot
from server.prefecture.counties import County, change_county, put_enrolled, the_county
from server.prefecture.county_port import Changes, CountyPort, Info, Unreachable
from server.prefecture.enrolment import EnrolBody
from server.prefecture.keys import general_name
from server.prefecture.puller import Pull, Pulled
from server.prefecture.replicas import opened_replica
from server.prefecture.settings import CLIENT, USUAL_SCOPES
from server.prefecture.store import Platform
from server.prefecture.tables import CERTIFICATE
from server.prefecture.views import live
from tests import homes
from tests.cases.desk import Desk
from tests.exchange.replicas import lines, lines_of, sights

ADDRESS = "https://127.0.0.1:9"


def request(
    county: str = homes.COUNTY, host: str = "127.0.0.1", key: ec.EllipticCurvePrivateKey | None = None
) -> x509.CertificateSigningRequest:
    """A county's request for a certificate."""
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, county)]))
        .add_extension(x509.SubjectAlternativeName([general_name(host)]), critical=False)
        .sign(key or ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )


def body(county: str = homes.COUNTY, *, csr: x509.CertificateSigningRequest | None = None, **more: str) -> EnrolBody:
    """Step 1 of joining."""
    pem = (csr or request(county)).public_bytes(Encoding.PEM).decode()
    given = {"contract": "1", "county": county, "name": "禹州市", "address": ADDRESS, "csr": pem}
    return EnrolBody(**(given | more))


def enrolled(
    platform: Platform,
    code: str = homes.COUNTY,
    name: str = "禹州市",
    *,
    mode: str = "pull",
    scopes: Sequence[str] = USUAL_SCOPES,
) -> County:
    """A county that has joined."""
    now = platform.clock.now()
    with platform.begin() as connection:
        put_enrolled(connection, code, name, ADDRESS, {CLIENT: list(scopes)}, now)
        change_county(connection, code, mode=mode, registered_at=now)
        return the_county(connection, code)


def certificate(platform: Platform, serial: str, scopes: Sequence[str], code: str = homes.COUNTY) -> None:
    """Note a certificate with which a county was granted these scopes, as enrolling does."""
    now = platform.clock.now()
    row = {"serial": serial, "county": code, "made_at": now, "ends_at": now + DAY, "scopes": {CLIENT: list(scopes)}}
    with platform.begin() as connection:
        connection.execute(insert(CERTIFICATE).values(row))


class DeskPort(CountyPort):
    """The port of a desk's county, read in this process.

    Attributes:
        feeds: the types that it grants. loses: which changes a page leaves out.
        sight: how its records are shown. serial: of the certificate that it shows.
        before: called before each page and each line of a snapshot; it may raise, or work in the county.
    """

    def __init__(self, desk: Desk, county: str = homes.COUNTY) -> None:
        self.desk, self.county = desk, county
        self.feeds = tuple(KINDS)
        self.before: Callable[[str], None] = lambda _: None
        self.asked: list[str] = []
        self.lines_at_most = 10**9
        self.sight = Sight()
        self.loses: Callable[[int], bool] = lambda _: False

    def __exit__(self, *_: object) -> None: ...

    def info(self) -> Info:
        with self.desk.office.records.read() as connection:
            state = feed_state(connection)
        return Info(self.county, "1", state.name, state.first, state.last, list(self.feeds))

    def changes(self, after: int, feed: str, types: tuple[str, ...], limit: int) -> Changes:
        self.before("changes")
        self.asked.append(f"changes {after}")
        with self.desk.office.records.read() as connection:
            page = read_changes(connection, after, limit, types, sights(self.sight), feed)
        items = [msgspec.json.decode(item, type=Item) for item in page.items]
        return Changes([item for item in items if not self.loses(item.seq)], page.next, page.more)

    def snapshot(self, type_: str, cursor: int, after: str | None, feed: str) -> Generator[Line, None, None]:
        self.asked.append(f"{type_} {after or ''}".strip())
        key, more, told_already = after, True, 0
        while more:
            with self.desk.office.records.read() as connection:
                told, page = read_snapshot(connection, KINDS[type_], key, self.sight)
            for line in told:
                self.before(type_)
                told_already += 1
                if told_already > self.lines_at_most:
                    return
                yield msgspec.json.decode(line, type=Line)
            key, more = page.next, page.next is not None


def pull(platform: Platform, port: DeskPort) -> Pulled:
    """Pull a desk's county once."""
    with platform.begin() as connection:
        county = the_county(connection, port.county)
    return Pull(platform, county, port, lambda: False).run()


def broken_line(_: str) -> None:
    """A line that went down."""
    raise Unreachable("断线", "The line went down.")


def same_as_county(platform: Platform, desk: Desk, county: str = homes.COUNTY) -> bool:
    """Whether the replica is the county, record by record."""
    with opened_replica(platform, live(county)) as replica, replica.engine.connect() as connection:
        return lines_of(connection) == lines(desk.office.records)
