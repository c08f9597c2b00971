"""Options that several device commands share."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any, TypeVar

import rich_click as click

from devices.configuration import is_plain

F = TypeVar("F", bound=Callable[..., Any])


def baud_option(function: F) -> F:
    """`--baud RATE`: a number, or auto (None)."""
    return click.option(
        "--baud", default="auto", metavar="RATE", callback=_rate, help="Bits a second, or auto.", show_default=True
    )(function)


def driver_options(function: F) -> F:
    """`--option KEY=VALUE`, several times: options of the driver, as a dict."""
    return click.option(
        "--option", "-o", "options", multiple=True, metavar="KEY=VALUE", callback=_options,
        help="An option of the driver (see wanmi devices drivers); may be given again.",
    )(function)  # fmt: skip


def _rate(_context: Any, _parameter: Any, value: str) -> int | None:
    if value == "auto":
        return None
    if not (value.isascii() and value.isdigit()) or not 300 <= int(value) <= 4_000_000:
        raise click.BadParameter("须为 300 到 4000000,或 auto / 300 to 4000000, or auto")
    return int(value)


def _options(_context: Any, _parameter: Any, values: tuple[str, ...]) -> dict[str, Any]:
    """Values as TOML reads them (numbers, true, lists of these); what is no such value is a text."""
    found: dict[str, Any] = {}
    for item in values:
        if not is_plain(item):
            shown = item.encode("ascii", "backslashreplace").decode()
            raise click.BadParameter(f"{shown}: 含有无法书写的字符 / it has characters that cannot be written")
        key, equals, value = item.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{item}: 须为 KEY=VALUE / write KEY=VALUE")
        found[key] = _read(value)
        if not is_plain(found[key]):
            raise click.BadParameter(
                f"{item}: 须为文字、数字、true/false 或它们的列表 / a text, a number, true or false, or a list of these"
            )
    return found


def _read(value: str) -> Any:
    """A date, and a number that is none (nan, inf), stay the text that they were written as."""
    try:
        found = tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):
        return value
    return found if isinstance(found, list | dict) or is_plain(found) else value
