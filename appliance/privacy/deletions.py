"""The list of deletions, `backups/deletions.jsonl`: salted digests of the deleted, so that a restore deletes again.

It stands beside the database and not in it, since a snapshot that is older than a deletion knows nothing of it; every
backup lays the newest list into the repository. It names nobody, but who has it can try numbers: it is private (0600).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path

import msgspec

from appliance.clock import HOUR
from appliance.errors import Broken
from appliance.exchange.links import write_private
from appliance.lock import hold
from appliance.people.accounts import deactivate
from appliance.privacy.deleting import delete
from appliance.privacy.finding import Found, find
from appliance.privacy.sought import Sought, case_value, digest
from appliance.records.store import Records
from appliance.records.writer import Unit

LIST = Path("backups") / "deletions.jsonl"
MARGIN = HOUR
"""A deletion is listed before it is done; a snapshot between the two still has the person."""


class Deletion(msgspec.Struct, frozen=True, order=True):
    """One deletion: when (microseconds), by what (`phone`, `email`, `case`, `account`), and the salted digest of it."""

    at: int
    by: str
    salt: str
    digest: str


def read(content: bytes) -> list[Deletion]:
    """The deletions of a list.

    Raises:
        Broken: a line of it cannot be read.
    """
    try:
        return [msgspec.json.decode(line, type=Deletion) for line in content.splitlines() if line.strip()]
    except msgspec.DecodeError as error:
        raise Broken(f"删除清单损坏: {error}。", f"The list of deletions is damaged: {error}.") from None


def listed(home: Path) -> list[Deletion]:
    """The deletions of a home; none where it has no list.

    Raises:
        Broken: as `read`. OSError: there is one that cannot be read.
    """
    try:
        return read((home / LIST).read_bytes())
    except FileNotFoundError:
        return []


def note(home: Path, at: int, by: str, spelt: str) -> None:
    """Write a deletion down, on the disk before anything is deleted. One salt serves the whole list."""
    (home / LIST).parent.mkdir(mode=0o700, exist_ok=True)
    with hold(home / LIST.parent, "deletions", "删除清单", "the list of deletions"):
        before = listed(home)
        salt = before[-1].salt if before else secrets.token_hex(16)
        keep(home, [*before, Deletion(at, by, salt, digest(salt, by, spelt))])


def keep(home: Path, deletions: Iterable[Deletion]) -> None:
    """Write the list of a home, each deletion once, oldest first."""
    lines = [msgspec.json.encode(each) for each in sorted(set(deletions))]
    write_private(home / LIST, b"".join(line + b"\n" for line in lines))


def replay(records: Records, deletions: Iterable[Deletion], since: int) -> dict[str, int]:
    """Delete again whoever was deleted after a snapshot, in the county that was restored from it.

    Args:
        since: when the snapshot was made, in microseconds. What was deleted before is not in it; who reported again
            after that is not deleted for it.

    Returns:
        How much was found.
    """
    later = [each for each in deletions if each.at >= since - MARGIN]
    if not later:
        return {}
    person = _anybody_of(later)
    with records.read() as connection:
        found = find(connection, person)
    counts = found.counts()
    if any(counts.values()):
        records.write(lambda unit: _again(unit, found, person))
    return counts


def _again(unit: Unit, found: Found, person: Sought) -> None:
    for row in found.accounts:
        if row["active"] and person.account(row["account"]):
            deactivate(unit, row["account"], by="technician")
            row["active"] = False
    delete(unit, found, person, "technician", "restore")


def _anybody_of(deletions: list[Deletion]) -> Sought:
    digests = {each.digest for each in deletions}
    salts = {each.salt for each in deletions}

    def is_listed(by: str, spelt: str) -> bool:
        return bool(spelt) and any(digest(salt, by, spelt) in digests for salt in salts)

    return Sought(
        phone=lambda each: is_listed("phone", each),
        email=lambda each: is_listed("email", each),
        account=lambda each: is_listed("account", each),
        case=lambda number, at: is_listed("case", case_value(number, at)),
    )
