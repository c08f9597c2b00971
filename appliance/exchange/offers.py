"""What a platform above offers: a code pack, a pack of indicators, a year's holidays. Nothing of it counts by itself.

An offer lies in `offers/` of the home until the technician applies or declines it; the platform can read which.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Literal

import msgspec

from appliance.clock import rfc3339
from appliance.errors import Conflict, FieldError, Invalid, NotFound
from appliance.exchange.links import write_private

FOLDER = "offers"
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,79}")
FILES_AT_MOST, BYTES_AT_MOST, WAITING_AT_MOST = 20, 4 * 1024 * 1024, 100
Kind = Literal["pack", "calendar", "indicators"]
NEEDED: dict[str, tuple[re.Pattern[str], str]] = {
    "pack": (re.compile(r"pack\.toml"), "pack.toml"), "calendar": (re.compile(r"calendar\.csv"), "calendar.csv"),
    "indicators": (re.compile(r"[A-Za-z0-9_-]{1,60}\.csv"), "NAME.csv"),
}  # fmt: skip
"""The file that an offer of a kind must hold, and how that is said; a pack of indicators is named by its file."""


class Offer(msgspec.Struct, kw_only=True):
    """An offer as it is kept: its files are text by name, its times RFC 3339."""

    id: str
    kind: Kind
    title: str
    files: dict[str, str]
    link: str
    client: str
    at: str
    state: Literal["offered", "applied", "declined"] = "offered"
    decided_at: str | None = None
    note: str = ""

    def summary(self) -> dict[str, object]:
        """What is told of it outside: all but the content."""
        return {
            "id": self.id, "kind": self.kind, "title": self.title, "files": sorted(self.files), "at": self.at,
            "state": self.state, "decided_at": self.decided_at, "note": self.note,
        }  # fmt: skip


def take_offer(
    home: Path, kind: str, title: str, files: dict[str, str], *, link: str, client: str, now: int
) -> tuple[Offer, bool]:
    """Keep an offer; the same content again is the same offer. Returns it, and whether it is new.

    Raises:
        Invalid: a file is missing, badly named, or too large. Conflict: too many wait already.
    """
    _check(kind, files)
    digest = hashlib.sha256(msgspec.json.encode([link, kind, title, sorted(files.items())])).hexdigest()[:12]
    path = home / FOLDER / f"{digest}.json"
    if path.exists():
        return find_offer(home, digest), False
    if sum(offer.state == "offered" for offer in list_offers(home)) >= WAITING_AT_MOST:
        raise Conflict(
            f"已有 {WAITING_AT_MOST} 份待处理的下发内容;请先由县技术员处理。",
            f"{WAITING_AT_MOST} offers wait already; the county's technician must decide first.",
        )
    offer = Offer(id=digest, kind=kind, title=title, files=files, link=link, client=client, at=rfc3339(now) or "")  # type: ignore[arg-type]  # `_check` knows the kind
    write_private(path, msgspec.json.encode(offer))
    return offer, True


def list_offers(home: Path) -> list[Offer]:
    """All offers, oldest first."""
    found = [msgspec.json.decode(path.read_bytes(), type=Offer) for path in (home / FOLDER).glob("*.json")]
    return sorted(found, key=lambda offer: (offer.at, offer.id))


def find_offer(home: Path, id_: str) -> Offer:
    """An offer by its id.

    Raises:
        NotFound: there is none.
    """
    path = home / FOLDER / f"{id_}.json"
    if not NAME.fullmatch(id_) or not path.exists():
        raise NotFound(f"没有下发内容 {id_};见 wanmi link offers。", f"There is no offer {id_}; see wanmi link offers.")
    return msgspec.json.decode(path.read_bytes(), type=Offer)


def decide_offer(home: Path, offer: Offer, state: Literal["applied", "declined"], note: str, now: int) -> Offer:
    """Note what the technician did with it."""
    decided = msgspec.structs.replace(offer, state=state, note=note, decided_at=rfc3339(now))
    write_private(home / FOLDER / f"{offer.id}.json", msgspec.json.encode(decided))
    return decided


def _check(kind: str, files: dict[str, str]) -> None:
    needed = NEEDED.get(kind)
    if needed is None:
        raise Invalid(
            f"kind 须为 {'、'.join(NEEDED)}。",
            f"kind is one of {', '.join(NEEDED)}.",
            fields=(FieldError("kind", "未知种类", "unknown kind", tuple(NEEDED)),),
        )
    wrong = [name for name in files if not NAME.fullmatch(name)]
    size = sum(len(content.encode()) for content in files.values())
    pattern, said = needed
    if (
        not any(pattern.fullmatch(name) for name in files)
        or wrong
        or len(files) > FILES_AT_MOST
        or size > BYTES_AT_MOST
    ):
        raise Invalid(
            f"{kind} 须含文件 {said},至多 {FILES_AT_MOST} 个、{BYTES_AT_MOST >> 20} MB,文件名只用字母数字和 . _ -。",
            f"An offer of {kind} holds {said}; at most {FILES_AT_MOST} files and {BYTES_AT_MOST >> 20} MB, named by "
            "letters, digits and . _ - only.",
            fields=tuple(FieldError(f"files.{name[:80]}", "文件名不对", "wrong name") for name in wrong),
        )
