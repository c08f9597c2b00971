"""Which drivers there are: ours, and those of third parties by the entry point group `wanmi.drivers`.

A driver's module is loaded when it is asked for, so that a broken one harms nobody else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from appliance.errors import WanmiError
from devices.drivers.interface import Driver
from devices.errors import BadSetup, FaultyDriver

GROUP = "wanmi.drivers"


def driver_names() -> list[str]:
    """The names of all drivers."""
    return sorted(_entries())


def driver_class(name: str) -> type[Driver]:
    """The driver of this name.

    Raises:
        BadSetup: there is none. FaultyDriver: its module cannot be loaded, or has no driver.
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
        raise FaultyDriver(
            f"驱动 {name} 无法加载: {error!r}。", f"The driver {name} cannot be loaded: {error!r}."
        ) from None
    if not (isinstance(found, type) and issubclass(found, Driver)):
        raise FaultyDriver(f"{entry.value} 不是驱动类。", f"{entry.value} is no driver class.")
    return found


def make_driver(name: str, options: Mapping[str, Any] | None = None) -> Driver:
    """A driver with its options.

    Raises:
        BadSetup: no such driver, or an option it does not have. FaultyDriver: it fails when it is made.
    """
    kind = driver_class(name)
    with blamed(name):
        return kind(options)


def check_names(names: tuple[str, ...]) -> None:
    """See that there are such drivers, whether they work or not.

    Raises:
        BadSetup: there is none of one of the names.
    """
    for name in names:
        if name not in _entries():
            driver_class(name)


@contextmanager
def blamed(name: str) -> Iterator[None]:
    """Whatever a driver raises here that is no refusal is told as its fault.

    Raises:
        FaultyDriver: in place of it.
    """
    try:
        yield
    except WanmiError:
        raise
    except Exception as error:  # a third party's driver may raise anything
        raise FaultyDriver(f"驱动 {name} 出错: {error!r}。", f"The driver {name} failed: {error!r}.") from error


@cache
def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}
