"""Scores of a month and of a year in a county with ten years of cases, beside the bare SQL that they need.

The bare side runs the statements of `appliance/scoring/statements.py` by the sqlite3 module and throws the rows away.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from zoneinfo import ZoneInfo

from appliance.clock import SystemClock, micros
from appliance.records.engine import READER_CACHE_KIB
from appliance.records.store import DATABASE, Records
from appliance.scoring import store
from appliance.scoring.countable import SCOPES
from appliance.scoring.evaluation import Evaluation
from appliance.scoring.pack import national
from appliance.scoring.periods import Period, name_of
from appliance.scoring.reading import values_of
from appliance.scoring.statements import statements
from tests.bench import full_histories

ZONE = ZoneInfo("Asia/Shanghai")
MONTH_SECONDS, MONTH_RATIO, YEAR_SECONDS, SCREENS_SECONDS = 3.0, 1.5, 15.0, 0.2
ROUNDS = 3


def prepared(home: Path, kept: Path) -> Path:
    """A copy of a large county whose last twelve whole months have full histories; made once."""
    if not (kept / "ready").exists():
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(home, kept)
        Records.open(kept).close()
        first, after = _twelve_months()
        cases = full_histories.make(kept / DATABASE, _moment(first), _moment(after))
        (kept / "ready").write_text(f"{cases}\n", encoding="ascii")
    return kept


def measure(home: Path) -> bool:
    """All of it on one county."""
    records = Records.open(home)
    try:
        evaluation = Evaluation(records)
        first, after = _twelve_months()
        last = date.fromordinal(after.toordinal() - 1)
        month = evaluation.period(name_of("month", last))
        year = evaluation.period(f"{first.isoformat()}..{last.isoformat()}")
        held = [
            _counted("a month", home, evaluation, month, MONTH_SECONDS, MONTH_RATIO),
            _counted("twelve months", home, evaluation, year, YEAR_SECONDS, None),
            _screens(records, evaluation, evaluation.period(name_of("month", first))),
        ]
    finally:
        records.close()
    return all(held)


def _counted(
    name: str, home: Path, evaluation: Evaluation, period: Period, most: float, ratio_at_most: float | None
) -> bool:
    """Evaluate a period in all scopes by the national pack, in turns with the bare statements."""
    pack, bare, whole, rows = national(), [], [], 0

    def evaluate() -> None:
        with evaluation.records.read() as connection:
            evaluated = evaluation.evaluate(connection, period)
        for scope in SCOPES:
            evaluated.scored(pack, scope)

    with closing(sqlite3.connect(home / DATABASE, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA cache_size = -{READER_CACHE_KIB}")
        connection.execute("PRAGMA temp_store = MEMORY")
        for _ in range(ROUNDS):
            rows, seconds = _bare(connection, period)
            bare.append(seconds)
            whole.append(_timed(evaluate))
    seconds, ratio = median(whole), median(whole) / median(bare)
    bound = "" if ratio_at_most is None else f" ({ratio_at_most})"
    print(f"{name:14}{rows:>10,} rows  {seconds:6.2f} s (bound {most:.0f})  bare SQL {median(bare):.2f} s  "
          f"{ratio:.2f} x{bound}")  # fmt: skip
    return seconds <= most and (ratio_at_most is None or ratio <= ratio_at_most)


def _bare(connection: sqlite3.Connection, period: Period) -> tuple[int, float]:
    """How many history rows, and how long everything took."""
    counts, keys, began = [], list[int](), perf_counter()
    for statement in statements():
        cursor, count = connection.execute(statement, values_of(period, keys)), 0
        while page := cursor.fetchmany(10_000):
            count += len(page)
            if not counts:
                keys += [row[0] for row in page]
        counts.append(count)
    return counts[1], perf_counter() - began


def _screens(records: Records, evaluation: Evaluation, month: Period) -> bool:
    """The scores of every scope of a closed month, as screens read them."""
    with records.read() as connection:
        row = store.read_period(connection, month.name)
    if row is None or row.closed_at is None:
        evaluation.close(month.name, "k1")
    found: dict[str, int] = {}

    def read() -> None:
        with records.read() as connection:
            for scope in SCOPES:
                found[scope] = len(store.kept_scores(connection, month.name, evaluation.packs()[0].sha256, scope))

    seconds = median(_timed(read) for _ in range(ROUNDS))
    print(f"a closed month {sum(found.values()):>9,} scores {seconds * 1000:6.0f} ms "
          f"(bound {SCREENS_SECONDS * 1000:.0f})")  # fmt: skip
    assert found["platform"] == 1
    return seconds <= SCREENS_SECONDS


def _timed(work: Callable[[], None]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


def _twelve_months() -> tuple[date, date]:
    """The first day of the last twelve whole months, and the day after them."""
    today = datetime.fromtimestamp(SystemClock().now() / 1_000_000, ZONE).date()
    after = today.replace(day=1)
    return after.replace(year=after.year - 1), after


def _moment(day: date) -> int:
    return micros(datetime(day.year, day.month, day.day, tzinfo=ZONE))
