"""Options of a device, checked with sentences. They come as TOML values, or as words from a command line."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from devices.drivers.interface import Driver
from devices.errors import BadSetup, NoAnswer

T = TypeVar("T")


def whole(driver: Driver, name: str, low: int, high: int) -> int:
    """A whole number within its range; a word may be `0x…`.

    Raises:
        BadSetup: it is none, or out of range.
    """
    given = driver.options[name]
    found = given
    if isinstance(given, str):
        try:
            found = int(given, 0)
        except ValueError:
            found = None
    if not isinstance(found, int) or isinstance(found, bool) or not low <= found <= high:
        raise wrong_option(driver, name, given, f"{low} 到 {high} 的整数", f"a whole number from {low} to {high}")
    return found


def seconds(driver: Driver, name: str, low: float, high: float) -> float:
    """A time in seconds within its range.

    Raises:
        BadSetup: it is none, or out of range.
    """
    given = driver.options[name]
    try:
        found = float(given)
    except (TypeError, ValueError):
        found = -1.0
    if isinstance(given, bool) or not low <= found <= high:
        raise wrong_option(driver, name, given, f"{low:g} 到 {high:g} 秒", f"{low:g} to {high:g} seconds")
    return found


def word(driver: Driver, name: str, known: Collection[str]) -> str:
    """One of the known words.

    Raises:
        BadSetup: it is another.
    """
    given = driver.options[name]
    if given not in known:
        raise wrong_option(driver, name, given, "、".join(known), f"one of {', '.join(known)}")
    return str(given)


def yes(driver: Driver, name: str) -> bool:
    """True or false.

    Raises:
        BadSetup: it is neither.
    """
    given = driver.options[name]
    words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    found = words.get(given.lower()) if isinstance(given, str) else given
    if not isinstance(found, bool):
        raise wrong_option(driver, name, given, "true 或 false", "true or false")
    return found


def zone(driver: Driver, name: str) -> ZoneInfo:
    """A time zone.

    Raises:
        BadSetup: there is none of this name.
    """
    given = driver.options[name]
    try:
        return ZoneInfo(given)
    except (KeyError, OSError, TypeError, ValueError):
        raise wrong_option(driver, name, given, "时区名,如 Asia/Shanghai", "a zone such as Asia/Shanghai") from None


def wrong_option(driver: Driver, name: str, given: Any, zh: str, en: str) -> BadSetup:
    """The refusal of an option's value."""
    return BadSetup(
        f"驱动 {driver.key} 的选项 {name} 须为{zh},得到 {given!r}。",
        f"The option {name} of the driver {driver.key} is {en}, got {given!r}.",
    )


def ask_again(tries: int, ask: Callable[[], T]) -> T:
    """Ask, and again where nothing understandable came, as often as the line is worth.

    Raises:
        NoAnswer: none of the tries brought an answer.
    """
    for left in reversed(range(tries)):
        try:
            return ask()
        except NoAnswer:
            if not left:
                raise
    raise AssertionError("at least one try")
