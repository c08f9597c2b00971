"""Which packs count: the county's own (the national one unless it has one) and, beside it, the prefecture's."""

from __future__ import annotations

from pathlib import Path

from appliance.errors import BadHome
from appliance.scoring.pack import Pack, load_pack, national
from appliance.settings import Scoring

FOLDER = "packs"


def packs_in_force(home: Path, settings: Scoring) -> list[Pack]:
    """The county's pack first, then the prefecture's where there is one.

    Raises:
        BadHome: a named pack is missing. BadFile: it is wrong.
    """
    packs = [_named(home, settings.pack, "scoring.pack") if settings.pack else national()]
    if settings.upper_pack:
        packs.append(_named(home, settings.upper_pack, "scoring.upper_pack"))
    return packs


def _named(home: Path, id_: str, setting: str) -> Pack:
    file = home / FOLDER / f"{id_}.csv"
    if not file.is_file() or "/" in id_:
        raise BadHome(f"{setting} 指定的 {file} 不存在。", f"{file}, named by {setting}, does not exist.")
    return load_pack(file)
