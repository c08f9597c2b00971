"""Which packs count: the county's own (the national one unless it has one) and, beside it, the prefecture's."""

from __future__ import annotations

from pathlib import Path

from appliance.errors import BadHome, NotFound
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


def pack_named(home: Path, settings: Scoring, id_: str | None) -> Pack:
    """The pack with this id among those in force; the county's where none is named.

    Raises:
        BadHome, BadFile: as above. NotFound: it is not in force.
    """
    packs = packs_in_force(home, settings)
    found = packs[0] if id_ is None else next((pack for pack in packs if pack.id == id_), None)
    if found is None:
        known = ", ".join(pack.id for pack in packs)
        raise NotFound(
            f"没有启用指标包 {id_};已启用: {known}。", f"The pack {id_} is not in force; in force are: {known}."
        )
    return found


def _named(home: Path, id_: str, setting: str) -> Pack:
    file = home / FOLDER / f"{id_}.csv"
    if not file.is_file() or "/" in id_:
        raise BadHome(f"{setting} 指定的 {file} 不存在。", f"{file}, named by {setting}, does not exist.")
    return load_pack(file)
