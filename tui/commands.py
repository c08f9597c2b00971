"""`wanmi console`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tui.trusting import authority_option, trusted

DEFAULT_URL = "http://127.0.0.1:8411"


@click.command()
@click.option("--url", metavar="URL", help=f"The node's address. [default: $WANMI_URL, else {DEFAULT_URL}]")
@click.option("--language", type=click.Choice(["zh", "en"]), help="F9 changes it. [default: as last time, else zh]")
@click.option("--no-braille", is_flag=True, help="Draw maps with . : # where the font has no braille dots.")
@authority_option
def console(url: str | None, language: str | None, no_braille: bool, ca: Path | None) -> None:
    """Open the operator console.

    Sign in with your account. Nothing is kept on this machine: neither the password nor the session.

    \b
    Examples:
      wanmi console
      wanmi console --url https://10.0.0.5:8411 --ca lan-ca.crt --language en
    """
    from tui.terminal import end_with_terminal, require_terminal

    require_terminal()
    end_with_terminal()

    from tui.app import Console
    from tui.map.glyphs import known_braille
    from tui.pictures.graphics import detect
    from tui.seat.line_driver import LineDriver

    detect()
    spoken = language or os.environ.get("WANMI_LANGUAGE")
    braille = False if no_braille else known_braille()
    address = url or os.environ.get("WANMI_URL") or DEFAULT_URL
    Console(address, spoken, braille=braille, driver=LineDriver, trusted=trusted(ca)).run()
