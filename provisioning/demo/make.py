"""Makes the demo county: an empty home, then everything the technician would do, then ninety days of work."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from appliance.cases.office import Office
from appliance.clock import SystemClock
from appliance.errors import BadHome, Broken
from appliance.options import say
from appliance.records.store import Records
from appliance.settings import FILE
from provisioning.demo import hall, past, walks, world
from provisioning.home import make_home

COUNTY, NAME = "411081", "禹州市"
READY, MAKING = "demo.ready", "demo.making"
"""Files in the home: the demo is there; the demo was begun. A home without either is somebody's own."""

SETTINGS = {"http": {"public_requests_per_minute": 600}, **hall.SETTINGS}
ORDER = ("boundary", "departments", "staff", "duty-grids", "places", "parts", "duties", "cameras", "roster")


def make(home: Path, days: int = past.DAYS) -> bool:
    """Make the demo county; False when it is there already.

    Raises:
        Broken: a file of the demo was refused.
    """
    from provisioning.import_files import native

    if (home / READY).exists():
        return False
    native.load()
    _clear(home)
    say("生成示范县 禹州市 411081 / making the demo county")
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    (home / MAKING).touch()
    make_home(home, county=COUNTY, name=NAME, edition="2026", settings=SETTINGS)
    fill(home)
    live(home, days)
    (home / MAKING).rename(home / READY)
    return True


def _clear(home: Path) -> None:
    """Remove a demo that was begun and not finished; never anything else.

    Raises:
        BadHome: somebody's own home.
    """
    if (home / MAKING).exists():
        say(f"{home}: 上次没有完成，重新生成 / was not finished, made anew")
        shutil.rmtree(home)
    elif (home / FILE).exists():
        raise BadHome(
            f"{home} 是一个真实的家目录，不是示范县；请用 --home 指定别处。",
            f"{home} is a home of somebody's own and no demo; name another place with --home.",
        )


def fill(home: Path) -> None:
    """Import the census and cut the grids."""
    from provisioning.import_files.pipeline import Options, run_import

    records = Records.open(home)
    try:
        with TemporaryDirectory() as folder:
            files = world.write_files(Path(folder))
            for kind in ORDER:
                result, _ = run_import(records, kind, files[kind], Options(), None)
                if result.refusals:
                    raise Broken(
                        f"示范文件 {kind} 被拒: {result.refusals[0]}", f"demo file {kind}: {result.refusals[0]}"
                    )
                say(f"  {kind:12} {result.added:6}")
                if kind == "boundary":
                    say(f"  {'grids':12} {_cut(records):6}")
    finally:
        records.close()


def live(home: Path, days: int) -> None:
    """Play the past, and where the collectors were yesterday and today."""
    clock = SystemClock()
    office = Office.open(home, clock=clock)
    try:
        with progress("过去九十天 / ninety days") as tell:
            steps = past.play_past(office, clock.now(), tell, days)
        say(f"  {'steps':12} {steps:6}")
        say(f"  {'positions':12} {walks.walk(office, clock.now()):6}")
    finally:
        office.close()


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr when it is a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _cut(records: Records) -> int:
    from provisioning.import_files.cutting import cut_county

    result, _ = cut_county(records, 100.0, 15, None, False, None)
    return result.count
