"""Which evidence files leave the county: those of cases in sight, unless somebody marked them as not to be shared."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, text

from appliance.cases.evidence import MEDIA, path_of
from appliance.errors import NotFound
from appliance.exchange.kinds.base import Sight

_ROWS = text(
    "SELECT e.type, e.share, e.case_id, e.uploaded_by, c.grid, c.community, c.street "
    "FROM evidence e LEFT JOIN cases c ON c.id = e.case_id WHERE e.sha256 = :sha256"
)


def shared_file(
    connection: Connection, home: Path, sha256: str, areas: tuple[str, ...], account: str
) -> tuple[Path, str]:
    """The path and media type of a file that may leave.

    A file that is kept back on one case is kept back on all: it is the same picture.

    Args:
        areas: as in `Sight`. account: who asks; what it sent itself it may read back.

    Raises:
        NotFound: no such file on a case in sight, or it is kept back.
    """
    rows, sight = connection.execute(_ROWS, {"sha256": sha256}).all(), Sight(areas=areas)
    in_sight = any(
        row.uploaded_by == account or (row.case_id is not None and sight.holds(row.grid, row.community, row.street))
        for row in rows
    )
    path = path_of(home, sha256)
    if not in_sight or not all(row.share for row in rows) or not path.exists():
        raise NotFound(
            f"没有可共享的证据文件 {sha256[:64]}。", f"There is no evidence file {sha256[:64]} that is shared."
        )
    return path, MEDIA[rows[0].type]
