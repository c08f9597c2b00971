"""`wanmi link write` and `wanmi link read`: files for the platform, and what comes back (docs/exchange.md)."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.exchange.settings import FILES, Link
from appliance.options import home_option, json_option, say, show

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
SIZE = 200.0


@click.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--link", "url", metavar="URL", help="The platform, where there are several.")
@click.option(
    "--size", default=SIZE, show_default=True, type=click.FloatRange(min=0, min_open=True), metavar="MEGABYTES",
    help="A file's content is at most so large; several are written then.",
)  # fmt: skip
@home_option
@json_option
def write(folder: Path, url: str | None, size: float, home: Path, as_json: bool) -> None:
    """Write what the platform lacks into DIR, as numbered and signed files.

    All files that the platform has not receipted are laid into DIR, whole or not at all; one that is there already
    stays. The first time that is a snapshot. Repeat the command after an interruption, or for another stick.

    \b
    Example:
      wanmi link write /media/usb
    """
    from appliance.lock import hold
    from appliance.records.store import Records
    from provisioning.carrying.writing import MEGABYTE, Writer

    records = Records.open(home)
    try:
        with hold(home, "files", "文件摆渡命令", "file command"):
            done = Writer(records, file_link(home, url), int(size * MEGABYTE)).write(folder)
    finally:
        records.close()
    if as_json:
        show({"waiting": done.waiting, "made": done.made, "copied": done.copied})
        return
    for name in done.copied:
        click.echo(folder / name)
    say(
        f"新写 {len(done.made)} 个文件,{len(done.waiting)} 个等待平台回执 / {len(done.made)} new, "
        f"{len(done.waiting)} wait for the platform's receipt"
    )


@click.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--link", "url", metavar="URL", help="The platform, where there are several.")
@home_option
@json_option
def read(folder: Path, url: str | None, home: Path, as_json: bool) -> None:
    """Read the platform's receipts and orders from DIR, in the order of their numbers; each counts once.

    A file that is torn, changed, or not for this county is refused, and so are those after a missing number; what came
    before them counts. What the orders came to goes with the next `wanmi link write`.

    \b
    Example:
      wanmi link read /media/usb
    """
    from dataclasses import asdict

    from appliance.lock import hold
    from appliance.records.store import Records
    from provisioning.carrying.reading import Reader

    records = Records.open(home)
    try:
        with hold(home, "files", "文件摆渡命令", "file command"):
            taken = Reader(records, file_link(home, url)).read(folder)
    finally:
        records.close()
    if as_json:
        show({"read": [asdict(each) for each in taken]})
        return
    for each in taken:
        wanted = "  平台要快照 / it wants a snapshot" if each.snapshot else ""
        click.echo(f"{each.file}  指令 / orders {each.orders}  平台已有至 / confirmed {each.confirmed}{wanted}")
    if not taken:
        say("没有新文件 / nothing new")


def file_link(home: Path, url: str | None) -> Link:
    """The link whose files are carried: that of a URL, else the only one."""
    from appliance.settings import load
    from provisioning.joining.leaving import find_link

    carried = [link for link in load(home).exchange.links if link.mode == FILES]
    return carried[0] if url is None and len(carried) == 1 else find_link(home, url)
