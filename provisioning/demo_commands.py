"""`wanmi demo`: the demo county, made, opened or played."""

from __future__ import annotations

from pathlib import Path

import click

HOME = click.option(
    "--home", type=click.Path(path_type=Path), default=Path("demo"), show_default=True, help="Where the demo lives."
)


@click.group()
def demo() -> None:
    """The demo county: Yuzhou 411081 with its real names and codes, and ninety days of cases."""


@demo.command("make")
@click.option("--days", default=90, show_default=True, type=click.IntRange(1, 400), help="Days of past.")
@HOME
def make_command(home: Path, days: int) -> None:
    """Make the demo county; does nothing when it is there."""
    from provisioning.demo.make import make

    make(home, days)


@demo.command("play")
@HOME
def play_command(home: Path) -> None:
    """Play one working day unattended against a real node, and print it.

    Every step goes over HTTP, as the console, a phone app or the prefecture would do it. Exit code 0 when every step
    was answered as it should be.
    """
    from provisioning.demo.make import make
    from provisioning.demo.play import play

    make(home)
    play(home)


@demo.command("open")
@HOME
def open_command(home: Path) -> None:
    """Make the demo county, start its node and open the console.

    Sign in as yiren (all desk roles at once); the password is shown.
    """
    from provisioning.demo.make import make
    from provisioning.demo.play import open_console

    make(home)
    open_console(home)
