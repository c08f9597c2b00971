"""Who may join, and how: tokens that serve once, signed requests, certificates that are taken back (ENROL.md)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import CertificateSigningRequest
from sqlalchemy import Connection, Row, Update, insert, select, update

from appliance.clock import DAY, SECOND, micros
from appliance.errors import FieldError, Forbidden, Invalid, NotSignedIn
from appliance.exchange.scopes import SCOPES, grants_of
from server.prefecture.counties import FILES, change_county, find_county, put_enrolled, put_registered, the_county
from server.prefecture.county_port import plain
from server.prefecture.down import FAILED, KEPT_BODY, WAITING
from server.prefecture.keys import checked_request, serial_of
from server.prefecture.settings import CLIENT
from server.prefecture.store import Platform
from server.prefecture.tables import CERTIFICATE, SENT, TOKEN
from server.prefecture.views import remake_views

CONTRACT = "1"
PROBED_FIRST = 60 * SECOND
"""A county that was just registered is left so long for its probe, which begins the pulling, or its own first call."""

_COUNTY = re.compile(r"\d{6}")


class EnrolBody(msgspec.Struct):
    """Step 1 of joining, as the county sends it over the network or on a stick."""

    contract: str
    county: str
    name: str
    address: str
    csr: str


class RegisterBody(msgspec.Struct):
    """Step 2: where the county is reached."""

    contract: str
    address: str


class Enrolled(msgspec.Struct):
    """The answer to step 1."""

    certificate: str
    ca: str
    scopes: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a bearer token, or the subject and serial number of a TLS client certificate, or neither."""

    token: str | None = None
    subject: str | None = None
    serial: str | None = None


def make_token(platform: Platform, county: str, scopes: Sequence[str] | None, days: float | None) -> tuple[str, int]:
    """A token with which this county may be enrolled once, and when it ends; only its digest is kept.

    Raises:
        Invalid: no county's code, or an unknown scope.
    """
    _check_county(county)
    words = list(platform.settings.scopes if scopes is None else scopes)
    grants_of(words, allowed=SCOPES)
    token, now = secrets.token_urlsafe(24), platform.clock.now()
    ends = now + int((platform.settings.token_days if days is None else days) * DAY)
    with platform.begin() as connection:
        connection.execute(
            insert(TOKEN).values(
                digest=_digest(token), county=county, scopes={CLIENT: words}, made_at=now, ends_at=ends
            )
        )
    return token, ends


def enrol(platform: Platform, caller: Caller, body: EnrolBody) -> Enrolled:
    """Step 1: sign the county's request.

    Raises:
        NotSignedIn: token and certificate are missing, used, ended or taken back. Forbidden: those of another county.
        Invalid: the body or its request is wrong.
    """
    host = _check_body(body.contract, body.address)
    _check_county(body.county)
    request = checked_request(body.csr, body.county, host)
    now = platform.clock.now()
    with platform.begin() as connection:
        if caller.token is not None:
            scopes = _use_token(connection, caller.token, body.county, now)
        else:
            check_certificate(connection, caller, body.county, now)
            scopes = the_county(connection, body.county).scopes
        return _signed(platform, connection, request, body, scopes, host)


def sign_file(platform: Platform, body: EnrolBody, scopes: Sequence[str] | None) -> Enrolled:
    """The answer to a request that came on a stick: the technician at the platform vouches for it instead of a token.

    Raises:
        Invalid: the request is wrong.
    """
    host = _check_body(body.contract, body.address)
    _check_county(body.county)
    words = list(platform.settings.scopes if scopes is None else scopes)
    grants_of(words, allowed=SCOPES)
    request = checked_request(body.csr, body.county, host)
    with platform.begin() as connection:
        answer = _signed(platform, connection, request, body, {CLIENT: words}, host)
        now, county = platform.clock.now(), the_county(connection, body.county)
        put_registered(connection, county, body.address.rstrip("/"), now, now)
    return answer


def register(platform: Platform, caller: Caller, county: str, body: RegisterBody) -> None:
    """Step 2: from now on the county is reached at this address."""
    _check_body(body.contract, body.address)
    now = platform.clock.now()
    with platform.begin() as connection:
        authorise(connection, caller, county, now)
        known = the_county(connection, county)
        put_registered(connection, known, body.address.rstrip("/"), now, now + PROBED_FIRST)


def leave(platform: Platform, caller: Caller | None, county: str) -> None:
    """End a county's membership: its certificates count no more and nobody calls it; what it sent stays in its schema.

    Args:
        caller: the county itself, or None when the platform's technician says so.
    """
    now = platform.clock.now()
    with platform.begin() as connection:
        if caller is not None:
            authorise(connection, caller, county, now)
        the_county(connection, county)
        change_county(connection, county, left_at=now, mode=FILES, registered_at=None)
        connection.execute(_tokens_ended(county, now, used_alone=caller is not None))
        connection.execute(
            update(SENT)
            .where(SENT.c.county == county, SENT.c.state == WAITING)
            .values(state=FAILED, done_at=now, answer="县已退出本平台 (the county left)", body=KEPT_BODY)
        )
        connection.execute(
            update(CERTIFICATE)
            .where(CERTIFICATE.c.county == county, CERTIFICATE.c.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        remake_views(connection)


def _tokens_ended(county: str, now: int, *, used_alone: bool) -> Update:
    """Tokens of a county that leaves count no more; who leaves by itself may have its next one in hand already."""
    ended = update(TOKEN).where(TOKEN.c.county == county, TOKEN.c.ends_at > now).values(ends_at=now)
    return ended.where(TOKEN.c.used_at.is_not(None)) if used_alone else ended


def authorise(connection: Connection, caller: Caller, county: str, now: int) -> None:
    """Let a joined county through, by its certificate or by the token with which it was enrolled.

    Raises:
        NotSignedIn, Forbidden: as in `enrol`. NotFound: it has not joined.
    """
    if caller.token is not None:
        row = _token(connection, caller.token, county, now)
        if row.used_at is None:
            raise Forbidden("请先用这个令牌登记 (POST enrol)。", "Enrol with this token first (POST enrol).")
    else:
        check_certificate(connection, caller, county, now)
    the_county(connection, county)


def check_certificate(connection: Connection, caller: Caller, county: str, now: int) -> None:
    """Let a county through by its TLS client certificate alone.

    Raises:
        NotSignedIn: there is none, or it was taken back. Forbidden: it is that of another county.
    """
    if caller.subject is None:
        raise NotSignedIn(
            "需要接入令牌 (Authorization: Bearer …) 或本县的证书。",
            "A token (Authorization: Bearer …) or the county's certificate is needed.",
        )
    if caller.subject != county:
        raise Forbidden(
            f"证书属于 {caller.subject},不属于 {county}。",
            f"The certificate is that of {caller.subject}, not of {county}.",
        )
    query = select(CERTIFICATE.c.revoked_at).where(
        CERTIFICATE.c.serial == caller.serial, CERTIFICATE.c.county == county, CERTIFICATE.c.ends_at > now
    )
    row = connection.execute(query).one_or_none()
    if row is None or row.revoked_at is not None:
        raise NotSignedIn(
            "这张证书已被收回或不是本平台签发的;请用新令牌重新接入。",
            "This certificate was taken back or is not of this platform; join again with a new token.",
        )


def _use_token(connection: Connection, token: str, county: str, now: int) -> dict[str, list[str]]:
    row = _token(connection, token, county, now)
    used = update(TOKEN).where(TOKEN.c.digest == _digest(token), TOKEN.c.used_at.is_(None)).values(used_at=now)
    if connection.execute(used).rowcount != 1:
        raise NotSignedIn(
            "这个令牌已经用过;请向地市平台要一个新的。",
            "This token was used already; ask the prefecture for a new one.",
        )
    scopes: dict[str, list[str]] = row.scopes
    return scopes


def _token(connection: Connection, token: str, county: str, now: int) -> Row[Any]:
    row = connection.execute(select(TOKEN).where(TOKEN.c.digest == _digest(token))).one_or_none()
    if row is None:
        raise NotSignedIn("没有这个令牌;请核对后重试。", "There is no such token; check how it is written.")
    if row.county != county:
        raise Forbidden(f"这个令牌不是给 {county} 的。", f"This token is not for {county}.")
    if row.ends_at <= now:
        raise NotSignedIn(
            "这个令牌已经过期;请向地市平台要一个新的。", "This token has expired; ask the prefecture for a new one."
        )
    return row


def _signed(
    platform: Platform, connection: Connection, request: CertificateSigningRequest, body: EnrolBody,
    scopes: dict[str, list[str]], host: str,
) -> Enrolled:  # fmt: skip
    certificate = platform.keys.sign(request, body.county, host, platform.settings.certificate_days)
    now, known = platform.clock.now(), find_county(connection, body.county)
    put_enrolled(connection, body.county, plain(body.name, 60), body.address.rstrip("/"), scopes, now)
    connection.execute(
        insert(CERTIFICATE).values(
            serial=serial_of(certificate), county=body.county, made_at=now,
            ends_at=micros(certificate.not_valid_after_utc), scopes=scopes,
        )
    )  # fmt: skip
    if known is not None and known.left_at is not None:
        remake_views(connection)
    leaf = certificate.public_bytes(Encoding.PEM).decode()
    return Enrolled(leaf, platform.keys.ca.read_text(encoding="ascii"), scopes)


def _check_body(contract: str, address: str) -> str:
    """The host of the address.

    Raises:
        Invalid: another contract, or no https address.
    """
    if contract != CONTRACT:
        raise Invalid(
            f"合同版本 {contract[:20]!r} 不支持;本平台用 {CONTRACT!r}。",
            f"Contract {contract[:20]!r} is not supported; this platform speaks {CONTRACT!r}.",
            fields=(FieldError("contract", "不支持", "not supported", (CONTRACT,)),),
        )
    try:
        parts = urlsplit(address)
        good = parts.scheme == "https" and parts.hostname and parts.port != 0 and not parts.username
        httpx.URL(address)
    except (ValueError, httpx.InvalidURL):
        good = False
    if not good:
        raise Invalid(
            f"地址 {address[:80]!r} 须写作 https://主机:端口。", f"The address {address[:80]!r} must be https://HOST:PORT.",
            fields=(FieldError("address", "须写作 https://主机:端口", "write https://HOST:PORT"),),
        )  # fmt: skip
    return parts.hostname or ""


def _check_county(code: str) -> None:
    if not _COUNTY.fullmatch(code) or not code.isascii():
        raise Invalid(
            f"{code[:20]!r} 不是六位县代码。", f"{code[:20]!r} is no county code of six digits.",
            fields=(FieldError("county", "六位数字", "six digits"),),
        )  # fmt: skip


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
