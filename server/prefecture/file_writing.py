"""File drop above: receipts and orders for counties that no network reaches, in numbered, signed files.

A file stays in `files/CODE/` of the platform's home until the county says that it has it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import exists, select

from appliance.clock import rfc3339
from appliance.errors import Conflict
from appliance.exchange.file_state import give_out
from appliance.exchange.files import DOWN, NAME, Confirmed, Frames, Manifest, Received, name_of, pack
from appliance.exchange.kept import Order
from appliance.exchange.links import write_private
from server.prefecture.counties import FILES, all_counties, the_county
from server.prefecture.down import WAITING
from server.prefecture.file_tables import change_link, link_of, note_order
from server.prefecture.replicas import WRITING, held, state_in
from server.prefecture.store import Platform
from server.prefecture.tables import FILE_ORDER, SENT
from server.prefecture.views import live

FOLDER = "files"


@dataclass(frozen=True, slots=True)
class Wrote:
    """What goes to a county: the files that it has not receipted, the orders in new ones, what was copied."""

    county: str
    waiting: list[str]
    orders: int
    copied: list[str]


def write_files(platform: Platform, folder: Path, codes: Sequence[str] | None, limit: int) -> list[Wrote]:
    """Write what counties are to read into a folder.

    Args:
        codes: the counties; None for all whose files are carried. limit: bytes of a payload that a file shall not pass.

    Raises:
        NotFound: no such county. BadFile: the folder cannot be written. Conflict: another command writes for a county.
    """
    with platform.begin() as connection:
        if codes is None:
            wanted = [county.code for county in all_counties(connection) if county.mode == FILES]
        else:
            wanted = [the_county(connection, code).code for code in codes]
    return [_write_county(platform, folder, code, limit) for code in wanted]


def _write_county(platform: Platform, folder: Path, code: str, limit: int) -> Wrote:
    with held(platform, code, WRITING) as ours:
        if not ours:
            raise Conflict(
                f"{code} 的文件正由另一个命令写;请稍后重复本命令。",
                f"Another command is writing the files of {code}; repeat this one later.",
            )
        return _write(platform, folder, code, limit)


def _write(platform: Platform, folder: Path, code: str, limit: int) -> Wrote:
    _tidy(platform, code)
    orders = _waiting_orders(platform, code)
    left = orders
    while left:
        done = _order_file(platform, code, left, limit)
        left = left[done:]
    _receipt_file(platform, code)
    files = sorted(_outbox(platform, code).glob("*.wmx"))
    copied = give_out(files, folder)
    return Wrote(code, [path.name for path in files], len(orders), [path.name for path in copied])


def _order_file(platform: Platform, code: str, orders: Sequence[str], limit: int) -> int:
    """One file of orders; returns how many went into it."""
    frames, count = Frames(limit), 0
    for id_ in orders:
        if not frames.add([msgspec.json.encode(_order(platform, id_)) + b"\n"]):
            break
        count += 1
    _finish(platform, code, frames, orders[:count])
    return count


def _order(platform: Platform, id_: str) -> Order:
    with platform.begin() as connection:
        row = connection.execute(select(SENT).where(SENT.c.id == id_)).one()
    body = None if row.body is None else base64.b64encode(row.body).decode()
    return Order(row.id, row.method, row.path, row.headers, body)


def _receipt_file(platform: Platform, code: str) -> None:
    """A file that only tells how far we are, where the newest one does not say so already."""
    with platform.begin() as connection:
        told = link_of(connection, code).told
    if told != _receipt(platform, code)[2]:
        _finish(platform, code, Frames(0), [])


def _finish(platform: Platform, code: str, frames: Frames, orders: Sequence[str]) -> None:
    """Sign a file and lay it into the outbox; it counts once its number is in the database."""
    received, confirmed, told = _receipt(platform, code)
    with platform.begin() as connection:
        link = link_of(connection, code)
        number = link.down_number + 1
        certificate, key_path = platform.keys.client
        manifest = Manifest(
            county=code, link=link.link, way="down", number=number, previous=link.down_sha256,
            content="orders" if orders else "receipt", created=rfc3339(platform.clock.now()) or "",
            certificates=certificate.read_text(), payload=frames.described(), received=received, confirmed=confirmed,
        )  # fmt: skip
        key = load_pem_private_key(key_path.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        whole = pack(manifest, frames.packed, key)
        write_private(_outbox(platform, code) / name_of(code, DOWN, number), whole)
        digest = hashlib.sha256(whole).hexdigest()
        change_link(connection, code, down_number=number, down_sha256=digest, told=told)
        for id_ in orders:
            note_order(connection, code, id_, number)


def _receipt(platform: Platform, code: str) -> tuple[Received, Confirmed, str]:
    """How far we are with a county's files and its feed; the same as text."""
    with platform.begin() as connection:
        link, at = link_of(connection, code), state_in(connection, live(code))
    received = Received(link.up_number, link.up_sha256)
    confirmed = Confirmed(at.feed, at.cursor, link.wants_snapshot) if at else Confirmed("", 0, link.wants_snapshot)
    return received, confirmed, msgspec.json.encode([received, confirmed]).decode()


def _waiting_orders(platform: Platform, code: str) -> list[str]:
    """The ids of the orders that did not go down yet, what others need before them."""
    gone = exists().where(FILE_ORDER.c.id == SENT.c.id)
    query = select(SENT.c.id, SENT.c.needs).where(SENT.c.county == code, SENT.c.state == WAITING, ~gone)
    with platform.begin() as connection:
        left = list(connection.execute(query.order_by(SENT.c.made_at, SENT.c.id)))
    ordered: list[str] = []
    while left:
        ids = {row.id for row in left}
        ordered.extend(row.id for row in left if row.needs not in ids)
        left = [row for row in left if row.needs in ids]
    return ordered


def _tidy(platform: Platform, code: str) -> None:
    """Take out what the county has, and what never counted."""
    with platform.begin() as connection:
        link = link_of(connection, code)
    for path in _outbox(platform, code).glob("*.wmx"):
        found = NAME.fullmatch(path.name)
        if found is None or not link.down_receipted < int(found["number"]) <= link.down_number:
            path.unlink()


def _outbox(platform: Platform, code: str) -> Path:
    return platform.home / FOLDER / code
