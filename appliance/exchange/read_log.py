"""What was read from above, a JSON line a request, in `log/exchange/YYYY-MM.jsonl`: who, what, from where to where.

It is written before the answer ends and survives the end of the process. Nothing of the records stands in it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

FOLDER = Path("log") / "exchange"


class ReadLog:
    """Appends lines; one for each process."""

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._month = ""
        self._file: int | None = None

    def write(self, **line: Any) -> None:
        """Append a line whole or not at all; `at` is now.

        Raises:
            OSError: it cannot be written; then nothing may be handed out.
        """
        now = datetime.now(UTC)
        if self._file is None or now.strftime("%Y-%m") != self._month:
            self.close()
            self._month = now.strftime("%Y-%m")
            path = self._folder / f"{self._month}.jsonl"
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        told = {"at": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"), **line}
        encoded, size = msgspec.json.encode(told) + b"\n", os.fstat(self._file).st_size
        if os.write(self._file, encoded) < len(encoded):
            os.ftruncate(self._file, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def read_lines(home: Path, since: str = "") -> Iterator[dict[str, Any]]:
    """The lines from a time on (RFC 3339, or its beginning), oldest first; a line that was cut off is passed over."""
    for path in sorted((home / FOLDER).glob("*.jsonl")):
        if path.stem < since[:7]:
            continue
        with path.open("rb") as file:
            for line in file:
                try:
                    told = msgspec.json.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue
                if told["at"] >= since:
                    yield told


def forget_months(home: Path, kept: int) -> list[str]:
    """Delete the files of months that are over longer ago than `kept` months; returns their names."""
    now = datetime.now(UTC)
    oldest = now.year * 12 + now.month - 1 - kept
    first = f"{oldest // 12:04d}-{oldest % 12 + 1:02d}"
    ended = [path for path in sorted((home / FOLDER).glob("*.jsonl")) if path.stem < first]
    for path in ended:
        path.unlink()
    return [path.name for path in ended]
