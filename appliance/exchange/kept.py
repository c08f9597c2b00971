"""What a link that the county itself brings keeps on its disk: how the last exchange went, answers not delivered yet.

It stands in the link's folder, beside its keys, and goes with them when the county leaves.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from threading import get_ident

import msgspec

from appliance.exchange.links import LinkFolder, write_private

FOLDER = "exchange"
LAST, ANSWERS = "last.json", "answers"


class LastExchange(msgspec.Struct, frozen=True):
    """How the exchange with a platform goes; times are RFC 3339.

    Attributes:
        at: when the platform last answered well, None if it never did.
        failed_at, zh, en: the failure since then and its sentence, None while all is well.
    """

    at: str | None = None
    failed_at: str | None = None
    zh: str | None = None
    en: str | None = None


class Order(msgspec.Struct):
    """A request to the county's exchange routes; `body` in Base64."""

    id: str
    method: str
    path: str
    headers: dict[str, str] = {}
    body: str | None = None


class OrderAnswer(msgspec.Struct, frozen=True):
    """What the county answered to an order from above; `body` in Base64 (docs/exchange.md)."""

    id: str
    status: int
    headers: dict[str, str]
    body: str


class Kept:
    """The kept things of one link.

    Args:
        home: the node's home. url: the platform's, which names the link.
    """

    def __init__(self, home: Path, url: str) -> None:
        self.folder = LinkFolder(home, url).path / FOLDER

    def last(self) -> LastExchange:
        """How the last exchange went; empty before the first."""
        try:
            return msgspec.json.decode((self.folder / LAST).read_bytes(), type=LastExchange)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return LastExchange()

    def save_last(self, last: LastExchange) -> None:
        """Keep how it went; the loss of the newest in a power cut is no harm."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        staged = self.folder / f"{LAST}.{get_ident()}.new"  # feed and orders may both note something
        staged.write_bytes(msgspec.json.encode(last))
        staged.replace(self.folder / LAST)

    def keep_answer(self, answer: OrderAnswer) -> None:
        """Keep an answer until it is delivered; it is on the disk when this returns."""
        path = self._answer(answer.id)
        staged = path.with_suffix(".new")
        write_private(staged, msgspec.json.encode(answer))
        os.replace(staged, path)

    def answer_to(self, id_: str) -> OrderAnswer | None:
        """The answer that is kept to an order, None where it was not carried out, or delivered already."""
        return _read(self._answer(id_))

    def answers(self) -> list[OrderAnswer]:
        """All answers that wait to be delivered."""
        found = (_read(path) for path in sorted((self.folder / ANSWERS).glob("*.json")))
        return [answer for answer in found if answer is not None]

    def drop_answer(self, id_: str) -> None:
        """It is delivered."""
        self._answer(id_).unlink(missing_ok=True)

    def _answer(self, id_: str) -> Path:
        """The platform chose the id; its digest is a safe name."""
        return self.folder / ANSWERS / f"{hashlib.sha256(id_.encode()).hexdigest()[:32]}.json"


def _read(path: Path) -> OrderAnswer | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=OrderAnswer)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return None
