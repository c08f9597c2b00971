"""What the commands of `wanmi prefecture` share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import rich_click as click

F = TypeVar("F", bound=Callable[..., Any])


def home_option(function: F) -> F:
    """`--home DIR`, as a Path."""

    def path(_context: Any, _parameter: Any, value: str | None) -> Any:
        from server.prefecture.store import home_of

        return home_of(value)

    return click.option(
        "--home", metavar="DIR", callback=path, help="The platform's home. [default: $WANMI_PREFECTURE]"
    )(function)


def county_argument(function: F) -> F:
    """`COUNTY`, a code of six digits."""
    return click.argument("county", metavar="COUNTY")(function)


def split_words(written: tuple[str, ...]) -> list[str] | None:
    """Words given by commas or by repeating an option; None when it was not given."""
    words = [word for part in written for word in part.replace(",", " ").split()]
    return words or None
