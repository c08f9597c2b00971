"""Counties that no network reaches: `files read`, `files write`."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from appliance.options import json_option, say, show
from server.prefecture.command_line.shared import home_option

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
SIZE = 200.0


@click.group()
def files() -> None:
    """Carry files to and from counties that no network reaches (网闸, USB)."""


@files.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--adopt", is_flag=True, help="Go on although files are missing for good; a snapshot is asked for.")
@home_option
@json_option
def read(folder: Path, adopt: bool, home: Path, as_json: bool) -> None:
    """Take in the counties' files in DIR, each county's in the order of their numbers; each counts once.

    A file that is torn, changed or signed by a stranger is refused, and so are those after a missing number; what came
    before them counts. Then write the receipts: `wanmi prefecture files write DIR`.

    \b
    Example:
      wanmi prefecture files read /media/usb
    """
    from dataclasses import asdict

    from server.prefecture.files import read_files
    from server.prefecture.replicas import upgrade_all
    from server.prefecture.store import opened

    done = []
    with opened(home) as platform:
        upgrade_all(platform)
        for each in read_files(platform, folder, adopt=adopt):
            done.append(asdict(each))
            if not as_json:
                wanted = "" if each.fits else "\t接不上,将索取快照 (does not fit, a snapshot is asked for)"
                click.echo(f"{each.file}\t{each.content}\t{each.lines} 行 (lines){wanted}")
    if as_json:
        show({"read": done})
    elif not done:
        say("没有新文件 (nothing new)")


@files.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--county", "counties", multiple=True, metavar="CODE", help="Only this county; may be repeated.")
@click.option(
    "--size", default=SIZE, show_default=True, type=click.FloatRange(min=0, min_open=True), metavar="MEGABYTES",
    help="A file's content is at most so large; several are written then.",
)  # fmt: skip
@home_option
@json_option
def write(folder: Path, counties: tuple[str, ...], size: float, home: Path, as_json: bool) -> None:
    """Write receipts and what waits to be sent down into DIR, for `wanmi link read` in the county.

    All files that the county has not receipted are laid into DIR; one that is there already stays.

    \b
    Example:
      wanmi prefecture files write /media/usb --county 411081
    """
    from dataclasses import asdict

    from server.prefecture.file_writing import write_files
    from server.prefecture.store import opened

    with opened(home) as platform:
        done = write_files(platform, folder, counties or None, int(size * 1024 * 1024))
    if as_json:
        show({"written": [asdict(each) for each in done]})
        return
    for each in done:
        for name in each.copied:
            click.echo(folder / name)
        say(f"{each.county}: 新指令 {each.orders} 条,{len(each.waiting)} 个文件等待县里回执 (orders, files that wait)")
