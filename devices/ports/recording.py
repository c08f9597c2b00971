"""Records what comes over a port into a log with a header, so that a new device arrives as a test log."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType


class Recorder:
    """A tap of a line that keeps what came in. Comments in the log begin with `#`, everything else is byte for byte."""

    def __init__(self, file: Path, product: str, port: str, rate: int, framing: str, note: str) -> None:
        header = {
            "Name": product or "?", "Date": datetime.now(UTC).date().isoformat(), "Port": Path(port).name,
            "Line": f"{rate} {framing}", "Notes": note or "-",
        }  # fmt: skip
        self._file = file.open("xb")
        for key, value in header.items():
            self._file.write(f"# {key}: {' '.join(value.split())}\n".encode())

    def hear(self, direction: str, data: bytes) -> None:
        """Keep what came in."""
        if direction == "in":
            self._file.write(data)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._file.close()
