"""The list of deletions in the repository: newer than the snapshots, so that an old one brings nobody back."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.clock import micros
from appliance.privacy.deletions import LIST, Deletion, keep, listed, read, replay
from appliance.records.store import Records
from backups.repository import LISTS, Repository

if TYPE_CHECKING:
    from backups.snapshot import Manifest

KEPT = 3


def add_list(repository: Repository, home: Path, county: str) -> None:
    """Lay the list of a home into the repository, where it has one."""
    if (home / LIST).exists():
        host = f"{county}-{LISTS}"
        repository.add(home, [str(LIST)], host, (LISTS,), ())
        repository.forget_lists(host, KEPT)


def known_deletions(repository: Repository, old_home: Path | None) -> list[Deletion]:
    """The deletions of the newest list in the repository, and of the old home where it can be read.

    Raises:
        Broken: a list is damaged; nothing is restored as if it were none.
    """
    found = set(listed(old_home)) if old_home is not None else set()
    newest = repository.lists()[-1:]
    for each in newest:
        found.update(read(repository.file(each.id, f"/{LIST}")))
    return sorted(found)


def delete_again(repository: Repository, home: Path, manifest: Manifest, old_home: Path | None) -> None:
    """Delete in a restored home whoever was deleted after its snapshot, and keep the list there."""
    delete_listed(home, known_deletions(repository, old_home), micros(datetime.fromisoformat(manifest.at)))


def delete_listed(home: Path, deletions: Collection[Deletion], since: int) -> None:
    """Delete in a restored home whoever is listed after a moment (microseconds), and keep the list there."""
    if not deletions:
        return
    (home / LIST).parent.mkdir(mode=0o700, exist_ok=True)
    keep(home, deletions)
    records = Records.open(home)
    try:
        replay(records, deletions, since)
    finally:
        records.close()
