"""The files of a case: their facts in words, their order, and saving one. Pure but for the saving."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from math import cos, hypot, radians
from pathlib import Path
from typing import Any

from appliance.i18n.labels import Labels
from tui.client import NodeClient
from tui.map.viewport import METRES_A_DEGREE
from tui.pictures.decode import TYPES
from tui.show import clock_text, short_number

Record = dict[str, Any]
STAGES = ("report", "verify", "before", "after", "check", "callback", "approval")


def files_of(record: Record) -> list[Record]:
    """The files of a case in the order of its walk."""
    places = {stage: at for at, stage in enumerate(STAGES)}
    return sorted(record["evidence"], key=lambda item: (places.get(item["stage"], 99), item.get("taken_at") or ""))


def is_picture(item: Record) -> bool:
    """Whether it can be drawn."""
    return item["type"] in TYPES


def facts(item: Record, record: Record, labels: Labels) -> str:
    """Stage, time, position, distance to the case, type and the head of the fingerprint."""
    taken = clock_text(item.get("taken_at")) or labels("evidence.no_time")
    place, away = labels("evidence.no_place"), ""
    if item.get("lon") is not None and item.get("lat") is not None:
        place = f"{item['lon']:.6f},{item['lat']:.6f}"
        away = labels("evidence.metres", metres=f"{metres_between(item, record):.0f}")
    stage = labels(f"stage.{item['stage']}")
    return "  ".join(filter(None, (stage, taken, place, away, item["type"], item["sha256"][:8])))


def metres_between(one: Record, other: Record) -> float:
    """The distance of two positions in metres, on the plane between them."""
    lat = radians((one["lat"] + other["lat"]) / 2)
    east = (one["lon"] - other["lon"]) * METRES_A_DEGREE * cos(lat)
    return hypot(east, (one["lat"] - other["lat"]) * METRES_A_DEGREE)


def counterpart(files: list[Record], at: int) -> int | None:
    """The picture to compare with: the last `after` for a `before`, the first `before` for an `after`."""
    wanted = {"before": "after", "after": "before"}.get(files[at]["stage"])
    found = [index for index, item in enumerate(files) if item["stage"] == wanted and is_picture(item)]
    if not found or not is_picture(files[at]):
        return None
    return found[-1] if wanted == "after" else found[0]


async def save(client: NodeClient, path: str, most: int, target: Path, sha256: str) -> None:
    """Bring a file of the node into a new file; one that is there with the same content stays, and so does any other.

    Raises:
        OSError: the folder is not there or cannot be written, or a file of other content has that name.
        FileTooLarge: it has more than `most` bytes. And what `NodeClient` raises.
    """
    if await asyncio.to_thread(_has_content, target, sha256):
        return
    file = await asyncio.to_thread(target.open, "xb")
    try:
        await client.download_into(path, most, file)
        await asyncio.to_thread(file.close)
    except BaseException:  # also when the viewer is left meanwhile: half a file is none
        with suppress(OSError):
            file.close()
        with suppress(OSError):
            target.unlink()
        raise


def saved_as(folder: str, record: Record, item: Record) -> Path:
    """The file into which one of a case is saved: number, stage, head of the fingerprint."""
    ending = {"jpeg": "jpg"}.get(item["type"], item["type"])
    name = f"{short_number(record['number'])}-{item['stage']}-{item['sha256'][:8]}.{ending}"
    return Path(folder).expanduser() / name


def _has_content(target: Path, sha256: str) -> bool:
    if not target.exists():
        return False
    with target.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256
