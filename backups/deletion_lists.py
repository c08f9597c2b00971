"""The list of deletions in the repository: newer than the snapshots, so that an old one brings nobody back."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.clock import micros
from appliance.errors import Broken, Conflict
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
        with suppress(Conflict):  # somebody else uses the repository; old lists go tomorrow
            repository.forget_lists(host, KEPT)


def known_deletions(repository: Repository, old_home: Path | None) -> list[Deletion]:
    """The deletions of the newest list in the repository, and of the old home where it can be read.

    Raises:
        Broken: a list is damaged; nothing is restored as if it were none.
    """
    found = listed_in_old(old_home)
    newest = repository.lists()[-1:]
    for each in newest:
        found.update(read(repository.file(each.id, f"/{LIST}")))
    return sorted(found)


def listed_in_old(home: Path | None) -> set[Deletion]:
    """The deletions of a home that is replaced; none where there is none, or where it is another account's.

    Raises:
        Broken: it has a list that is damaged, or its disk does not give it any more; what to do is said.
    """
    try:
        return set() if home is None else set(listed(home))
    except PermissionError:
        return set()
    except (Broken, OSError) as error:
        why = f"{home}/{LIST}: {error}"
        raise Broken(
            f"旧家目录的删除清单读不出来 ({why});请把它移开,或用 --home 另指一个空文件夹 (并给 --to 与 --key),"
            "则以备份中的清单为准。",
            f"The old home's list of deletions cannot be read ({why}); move it away, or name an empty folder by --home "
            "(with --to and --key): the list in the backup counts then.",
        ) from None


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
