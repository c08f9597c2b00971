"""Options that several device commands share."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any, TypeVar

import rich_click as click

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
    """Values as TOML reads them (numbers, true, lists); what is no TOML value is a text."""
    found: dict[str, Any] = {}
    for item in values:
        key, equals, value = item.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{item}: 须为 KEY=VALUE / write KEY=VALUE")
        try:
            found[key] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            found[key] = value
    return found
