"""Options of a fake device, checked with sentences before it runs."""

from __future__ import annotations

from pathlib import Path

from devices.errors import BadSetup
from devices.fakes.fake import Fake

LOG_AT_MOST = 64 * 1024 * 1024


def number(fake: Fake, name: str, default: float, low: float, high: float) -> float:
    """A number within its range.

    Raises:
        BadSetup: it is none, or out of range.
    """
    given = fake.options.get(name, default)
    if isinstance(given, int | float) and not isinstance(given, bool) and low <= given <= high:
        return float(given)
    raise BadSetup(
        f"模拟设备 {fake.key} 的选项 {name} 须为 {low:g} 到 {high:g},得到 {given!r}。",
        f"The option {name} of the simulated {fake.key} is {low:g} to {high:g}, got {given!r}.",
    )


def whole(fake: Fake, name: str, default: int, low: int, high: int) -> int:
    """A whole number within its range.

    Raises:
        BadSetup: it is none, or out of range.
    """
    found = number(fake, name, default, low, high)
    if found != int(found):
        raise BadSetup(
            f"模拟设备 {fake.key} 的选项 {name} 须为整数,得到 {found:g}。",
            f"The option {name} of the simulated {fake.key} is a whole number, got {found:g}.",
        )
    return int(found)


def recording(fake: Fake, name: str) -> bytes | None:
    """What a recorded file holds, None where none is named.

    Raises:
        BadSetup: it is no file, cannot be read, is empty or too large.
    """
    given = fake.options.get(name)
    if given is None:
        return None
    path = Path(str(given))
    try:
        data = path.read_bytes() if path.is_file() and path.stat().st_size <= LOG_AT_MOST else b""
    except (OSError, ValueError):
        data = b""
    if not data:
        raise BadSetup(
            f"模拟设备 {fake.key} 的选项 {name}: {path} 不是可读的记录文件。",
            f"The option {name} of the simulated {fake.key}: {path} is no recorded file that can be read.",
        )
    return data
