"""Command-line options that all folders share, and output as data or as talk."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from appliance.settings import home_path

F = TypeVar("F", bound=Callable[..., Any])


def home_option(function: F) -> F:
    """`--home DIR`, as a Path."""
    return click.option(
        "--home",
        metavar="DIR",
        callback=lambda _context, _parameter, value: home_path(value),
        help="The node's home. [default: $WANMI_HOME, else /var/lib/wanmi]",
    )(function)


def json_option(function: F) -> F:
    """`--json`: print JSON only."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON only.")(function)


def say(text: str) -> None:
    """Talk goes to stderr."""
    click.echo(text, err=True)


def show(value: Any) -> None:
    """Data goes to stdout, as JSON."""
    click.echo(json.dumps(value, ensure_ascii=False))


def existing_file(_context: Any, _parameter: Any, value: str) -> Path:
    """A file argument that must exist."""
    path = Path(value)
    if not path.is_file():
        raise click.BadParameter(f"{value}: 没有这个文件 / no such file")
    return path
