"""The round of the video seat as rows; the viewer's command and the newest screenshot of this seat. Pure but for files.

`WANMI_VIEWER` is the command that shows a picture: its words, `{url}` for the address or the address behind them; it is
run without a shell. `WANMI_SCREENSHOTS` is the folder into which this seat's screenshots are saved.
"""

from __future__ import annotations

import re
import shlex
from datetime import datetime
from pathlib import Path
from typing import Any

from appliance.i18n.labels import Labels
from tui.columns import Column, Row
from tui.show import clock_text, moment

Record = dict[str, Any]
CLASSES = ("", "一类", "二类", "其他")
PICTURES = frozenset([".jpg", ".jpeg", ".png", ".webp", ".mp4"])
FRESH_SECONDS = 900.0
"""A screenshot that is older than a quarter of an hour is of another look."""
ADDRESS = re.compile(r"(?:rtsps?|rtmp|https?)://[^\s\x00-\x1f]+", re.IGNORECASE)
PASSWORD = re.compile(r"(://[^:@\s]*):\S*@")
"""Up to the last @, because a password may hold one."""


def round_rows(cameras: list[Record], at: str, labels: Labels) -> tuple[list[Column], list[Row]]:
    """Cameras with the minutes since each was due; `at` is the node's time."""
    columns = [
        Column(labels("video.column_due"), 8), Column(labels("video.column_code"), share=3),
        Column(labels("video.column_name"), share=6), Column(labels("video.column_class"), share=2),
        Column(labels("video.column_every"), 7), Column(labels("video.column_last"), 13),
    ]  # fmt: skip
    now = moment(at)
    rows = []
    for camera in cameras:
        every = labels("video.minutes", minutes=f"{camera['minutes']:g}")
        cells = (
            _due(camera, now, labels), (camera["code"], ""), (camera["name"], ""),
            (camera["street_class"] or camera["round"], ""), (every, ""), (clock_text(camera["looked_at"]), ""),
        )  # fmt: skip
        rows.append(Row(camera["code"], cells))
    return columns, rows


def is_due(camera: Record, at: str) -> bool:
    """Whether a camera's time has come at the node's time `at`."""
    due, now = moment(camera["due_at"]), moment(at)
    return due is None or now is None or due <= now


def _due(camera: Record, now: datetime | None, labels: Labels) -> tuple[str, str]:
    due = moment(camera["due_at"])
    if due is None or now is None:
        return labels("video.never"), "bold red"
    minutes = int((now - due).total_seconds() // 60)
    text = labels("video.minutes", minutes=f"{minutes:+d}")
    return text, "bold red" if minutes > camera["minutes"] else "yellow" if minutes >= 0 else "green"


def shown_address(url: str) -> str:
    """The address of a picture without the password in it."""
    return PASSWORD.sub(r"\1:***@", url)


def viewer_command(setting: str, url: str) -> list[str]:
    """The words of the command that opens a picture.

    Raises:
        ValueError: the setting cannot be read, or the address is none.
    """
    if not ADDRESS.fullmatch(url):
        raise ValueError(shown_address(url)[:60])
    words = shlex.split(setting)
    if not words:
        raise ValueError("WANMI_VIEWER")
    filled = [word.replace("{url}", url) for word in words]
    return filled if filled != words else [*words, url]


def newest_picture(folder: str, now: float) -> str:
    """The path of the newest fresh screenshot in a folder, empty where there is none; `now` in seconds since 1970."""
    if not folder:
        return ""
    found: list[tuple[float, str]] = []
    try:
        for path in Path(folder).expanduser().iterdir():
            if path.suffix.lower() in PICTURES and path.is_file():
                found.append((path.stat().st_mtime, str(path)))
    except OSError:
        return ""
    made, newest = max(found, default=(0.0, ""))
    return newest if now - made <= FRESH_SECONDS else ""
