"""The tables of the system install: which files, folders and units belong to it (`data/*.csv`)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class File:
    """A file of the install.

    Attributes:
        path: where it goes. source: its content, a file in `data/`. mode: its permissions. group: its group.
        yours: the technician changes it; what is there stays.
    """

    path: str
    source: Path
    mode: int
    group: str
    yours: bool


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the install, its permissions and its owner."""

    path: str
    mode: int
    owner: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A systemd unit; `seat` units are the screen of the machine itself and hold no data."""

    name: str
    seat: bool


@cache
def files() -> tuple[File, ...]:
    """The files, as written in `data/files.csv`."""
    return tuple(
        File(row["path"], DATA / row["source"], int(row["mode"], 8), row["group"], row["yours"] == "yes")
        for row in _rows("files.csv")
    )


@cache
def folders() -> tuple[Folder, ...]:
    """The folders, outer ones first."""
    return tuple(Folder(row["path"], int(row["mode"], 8), row["owner"]) for row in _rows("folders.csv"))


@cache
def units() -> tuple[Unit, ...]:
    """The units, in the order in which they start."""
    return tuple(Unit(row["unit"], row["seat"] == "yes") for row in _rows("units.csv"))


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
