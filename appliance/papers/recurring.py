"""Papers that come back: which there are (`papers.csv`, or the county's own in `packs/`), and what is due of them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from appliance.clock import local, micros, rfc3339
from appliance.errors import BadFile
from appliance.papers.filing import DRAFT, filing_of
from appliance.papers.pages import FOLDER
from appliance.scoring.packs_in_force import FOLDER as PACKS
from appliance.scoring.periods import KINDS, Period, name_of, period_of
from appliance.settings import Settings

SHIPPED = Path(__file__).with_name("papers.csv")
RETURN, BULLETIN = "return", "bulletin"
ENDINGS = {RETURN: ("xlsx", "csv", "json"), BULLETIN: ("html", "pdf")}
"""The files that a maker writes."""
BACK_AT_MOST = 400
_BEGAN = text("SELECT at FROM case_action ORDER BY at LIMIT 1")
_MADE = text("SELECT made_at, of_closed FROM made_paper WHERE paper = :paper AND period = :period")
_CLOSED = text("SELECT closed_at FROM score_period WHERE name = :period")


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper that comes back.

    Attributes:
        kind: of the period it is about.
        due_day, due_hour: due on this day after the period's end (1 is the day that follows it), at this hour.
        back: so many periods that are over are made up for.
        maker: `return` or `bulletin`.
    """

    paper: str
    chinese: str
    english: str
    kind: str
    due_day: int
    due_hour: int
    back: int
    maker: str

    def due_at(self, period: Period, zone: ZoneInfo) -> int:
        """When it is due."""
        day = local(period.end, zone).date() + timedelta(days=self.due_day - 1)
        return micros(datetime.combine(day, time(self.due_hour), zone))


@dataclass(frozen=True, slots=True)
class Due:
    """A paper of one period: `state` is due, made, submitted or overdue.

    Attributes:
        is_closed: whether the period is closed.
        to_make: it never was made, its files are gone, or the period was closed or the return signed since.
    """

    paper: Paper
    period: str
    due_at: int
    state: str
    made_at: int | None
    is_closed: bool
    to_make: bool
    files: tuple[str, ...]
    filing: dict[str, Any] | None

    def as_dict(self) -> dict[str, Any]:
        """As the API tells it."""
        return {
            "paper": self.paper.paper, "name": self.paper.chinese, "english": self.paper.english,
            "maker": self.paper.maker, "period": self.period, "due_at": rfc3339(self.due_at), "state": self.state,
            "made_at": rfc3339(self.made_at), "closed": self.is_closed, "files": list(self.files),
            "filing": self.filing,
        }  # fmt: skip


def papers_of(home: Path) -> list[Paper]:
    """The papers of a county.

    Raises:
        BadFile: a line of the table is wrong.
    """
    own = home / PACKS / SHIPPED.name
    file = own if own.is_file() else SHIPPED
    try:
        reader = csv.DictReader(StringIO(file.read_text(encoding="utf-8-sig"), newline=""))
        rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadFile(f"{file} 无法读取: {error}。", f"{file} cannot be read: {error}.") from None
    found: dict[str, Paper] = {}
    for line, row in rows:
        try:
            made = Paper(
                row["paper"], row["chinese"], row["english"], row["kind"], int(row["due_day"]), int(row["due_hour"]),
                int(row["back"]), row["maker"],
            )  # fmt: skip
        except (KeyError, ValueError, TypeError) as error:
            raise _wrong(file, line, f"{error!r}", f"{error!r}") from None
        _check(file, line, made, found)
        found[made.paper] = made
    return list(found.values())


def due_papers(connection: Connection, home: Path, settings: Settings, now: int) -> list[Due]:
    """What is due, made, submitted or overdue, the newest periods first; of nothing before the first case."""
    zone = settings.zone
    began = connection.execute(_BEGAN).scalar()
    if began is None:
        return []
    found = []
    for paper in papers_of(home):
        for name in _ended(paper, local(now, zone).date()):
            period = period_of(name, zone, now)
            if period.end > began:
                found.append(_due(connection, home, zone, now, paper, period))
    return sorted(found, key=lambda each: (-each.due_at, each.paper.paper))


def file_of(home: Path, maker: str, period: str, ending: str) -> Path:
    """Where a made paper lies."""
    return home / FOLDER / f"{maker}-{period}.{ending}"


def _ended(paper: Paper, today: date) -> list[str]:
    """The names of the last periods of a kind that are over."""
    names: list[str] = []
    day = today
    running = name_of(paper.kind, today)
    while len(names) < paper.back:
        day -= timedelta(days=1)
        name = name_of(paper.kind, day)
        if name != running and (not names or names[-1] != name):
            names.append(name)
    return names


def _due(connection: Connection, home: Path, zone: ZoneInfo, now: int, paper: Paper, period: Period) -> Due:
    made = connection.execute(_MADE, {"paper": paper.paper, "period": period.name}).one_or_none()
    files = tuple(
        file.name
        for file in (file_of(home, paper.maker, period.name, ending) for ending in ENDINGS[paper.maker])
        if file.is_file()
    )
    filing = filing_of(connection, period.name) if paper.maker == RETURN else None
    due_at, is_made = paper.due_at(period, zone), made is not None and bool(files)
    if filing is not None and filing["state"] != DRAFT:
        state = "submitted"
    elif is_made and filing is None:
        state = "made"
    else:
        state = "overdue" if now > due_at else "made" if is_made else "due"
    is_closed = connection.execute(_CLOSED, {"period": period.name}).scalar() is not None
    signed = None if filing is None or filing["signed_at"] is None else datetime.fromisoformat(filing["signed_at"])
    old = made is None or (is_closed and not made.of_closed) or (signed is not None and made.made_at < micros(signed))
    return Due(
        paper, period.name, due_at, state, None if made is None else made.made_at, is_closed, old or not files, files,
        filing,
    )  # fmt: skip


def _check(file: Path, line: int, paper: Paper, before: dict[str, Paper]) -> None:
    if not paper.paper or paper.paper in before:
        raise _wrong(
            file, line, f"代号“{paper.paper}”为空或重复", f"the paper '{paper.paper}' is nameless or given twice"
        )
    if paper.kind not in KINDS[:-1]:
        known = "、".join(KINDS[:-1])
        raise _wrong(file, line, f"kind 应为 {known}", f"kind is one of {', '.join(KINDS[:-1])}")
    if paper.maker not in ENDINGS or (paper.maker == RETURN and paper.kind != "month"):
        raise _wrong(
            file, line, "maker 应为 bulletin,或 month 的 return", "maker is bulletin, or return where the kind is month"
        )
    if not (1 <= paper.due_day <= 366 and 0 <= paper.due_hour <= 23 and 1 <= paper.back <= BACK_AT_MOST):
        raise _wrong(
            file, line, f"due_day 1–366, due_hour 0–23, back 1–{BACK_AT_MOST}",
            f"due_day is 1 to 366, due_hour 0 to 23, back 1 to {BACK_AT_MOST}",
        )  # fmt: skip


def _wrong(file: Path, line: int, zh: str, en: str) -> BadFile:
    return BadFile(f"{file.name} 第 {line} 行不对: {zh}。", f"{file.name}, line {line}, is wrong: {en}.")
