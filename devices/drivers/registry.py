"""Which drivers there are: ours, and those of third parties by the entry point group `wanmi.drivers`.

A driver's module is loaded when it is asked for, so that a broken one harms nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from devices.drivers.interface import Driver
from devices.errors import BadSetup

GROUP = "wanmi.drivers"


def driver_names() -> list[str]:
    """The names of all drivers."""
    return sorted(_entries())


def driver_class(name: str) -> type[Driver]:
    """The driver of this name.

    Raises:
        BadSetup: there is none, or its module cannot be loaded.
    """
    entry = _entries().get(name)
    if entry is None:
        known = driver_names()
        raise BadSetup(
            f"没有驱动 {name};可用: {'、'.join(known)}。", f"There is no driver {name}; known: {', '.join(known)}."
        )
    try:
        found = entry.load()
    except Exception as error:  # whatever a third party's module raises
        raise BadSetup(
            f"驱动 {name} 无法加载: {error!r}。", f"The driver {name} cannot be loaded: {error!r}."
        ) from None
    if not (isinstance(found, type) and issubclass(found, Driver)):
        raise BadSetup(f"{entry.value} 不是驱动类。", f"{entry.value} is no driver class.")
    return found


def make_driver(name: str, options: Mapping[str, Any] | None = None) -> Driver:
    """A driver with its options.

    Raises:
        BadSetup: no such driver, or an option it does not have.
    """
    return driver_class(name)(options)


@cache
def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}
