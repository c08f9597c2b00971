"""Patterns of staged checks 摆拍: pairs, haste, photos used again or odd, answers without proof, jumping positions."""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from appliance.analysis.values import Finding, kinds
from appliance.patrols import day_file
from appliance.scoring.periods import Period
from appliance.settings import Settings

MINUTE = 60_000_000
AROUND = 30 * MINUTE
"""What somebody did so long before or after a position that jumps may be answered from elsewhere."""

_FIELD = text(
    "SELECT h.case_id, h.number, h.action, h.actor, h.actor_name, h.role, h.at, h.detail, h.to_state, c.department "
    "FROM case_action h JOIN cases c ON c.id = h.case_id WHERE h.at >= :start AND h.at < :as_of AND h.action IN "
    "('finish', 'check_pass', 'check_fail', 'verify_true', 'verify_false') ORDER BY h.case_id, h.seq"
)
_ACTED = text(
    "SELECT number, at FROM case_action WHERE actor = :who AND at >= :first AND at <= :last ORDER BY at, case_id"
)
_COLLECTORS = text("SELECT count(*) FROM account WHERE active AND ('|' || roles || '|') LIKE '%|collector|%'")
_NAMES = text("SELECT account, name FROM account UNION ALL SELECT code, name FROM department")


def staged_work(connection: Connection, period: Period, home: Path, settings: Settings) -> Iterator[Finding]:
    """Every finding about staged work in a period."""
    names: dict[str, str] = {row.account: row.name for row in connection.execute(_NAMES)}
    others = connection.execute(_COLLECTORS).scalar_one() > 1
    pairs: dict[tuple[str, str], list[str]] = defaultdict(list)
    of_unit: dict[str, int] = defaultdict(int)
    quick: dict[tuple[str, str], list[str]] = defaultdict(list)
    repeats: dict[str, list[str]] = defaultdict(list)
    odd: dict[str, list[str]] = defaultdict(list)
    unproven: dict[str, list[str]] = defaultdict(list)
    finished: tuple[int, int] = (0, 0)
    haste = kinds()["quick_check"].share * MINUTE
    for row in connection.execute(_FIELD, {"start": period.start, "as_of": period.as_of}):
        if row.action == "finish":
            finished = (row.case_id, row.at)
            continue
        if row.role != "collector":
            continue
        detail = _detail(row.detail)
        if row.action.startswith("check") and row.department is not None:
            pair = (row.actor, row.department)
            pairs[pair].append(row.number)
            of_unit[row.department] += 1
            if finished[0] == row.case_id and row.at - finished[1] <= haste:
                quick[pair].append(row.number)
        if detail.get("repeats"):
            repeats[row.actor].append(row.number)
        if detail.get("photo_odd"):
            odd[row.actor].append(row.number)
        if detail.get("proven") is False:
            unproven[row.actor].append(row.number)
    if others:
        yield from _pairs(pairs, of_unit, names)
    yield from _listed("quick_check", quick, names)
    yield from _listed("photos_alike", {(who,): numbers for who, numbers in repeats.items()}, names)
    yield from _listed("photo_odd", {(who,): numbers for who, numbers in odd.items()}, names)
    yield from _listed("unproven", {(who,): numbers for who, numbers in unproven.items()}, names)
    yield from _jumps(connection, home, period, settings, names)


def _pairs(
    pairs: dict[tuple[str, str], list[str]], of_unit: dict[str, int], names: dict[str, str]
) -> Iterator[Finding]:
    kind = kinds()["pair"]
    for (collector, unit), numbers in pairs.items():
        whole = of_unit[unit]
        if len(numbers) >= kind.least and len(numbers) > kind.share * whole:
            yield Finding("pair", f"{collector} {unit}", _named((collector, unit), names), len(numbers), whole, numbers)


def _listed(kind: str, found: dict[Any, list[str]], names: dict[str, str]) -> Iterator[Finding]:
    for subject, numbers in found.items():
        if len(numbers) >= kinds()[kind].least:
            yield Finding(kind, " ".join(subject), _named(subject, names), len(numbers), None, numbers)


def _named(subject: tuple[str, ...], names: dict[str, str]) -> str:
    return " · ".join(names.get(code, code) for code in subject)


def _jumps(
    connection: Connection, home: Path, period: Period, settings: Settings, names: dict[str, str]
) -> Iterator[Finding]:
    """People whose tracks jump, from the days' counts of patrols, with the cases they worked on just then."""
    found: dict[str, list[int]] = defaultdict(list)
    for day in _days(period, settings):
        try:
            with day_file.opened(home, day.isoformat()) as file:
                if file is not None:
                    for who, at in file.execute("SELECT who, at FROM odd ORDER BY who, at"):
                        found[who].append(at)
        except sqlite3.DatabaseError:
            continue  # the doctor tells
    for who, moments in found.items():
        if len(moments) >= kinds()["jumps"].least:
            numbers = _worked_on(connection, who, moments)
            yield Finding("jumps", who, names.get(who, who), len(moments), None, numbers)


def _worked_on(connection: Connection, who: str, moments: list[int]) -> list[str]:
    """The cases that somebody acted on around some moments, which are in order."""
    span = {"who": who, "first": moments[0] - AROUND, "last": moments[-1] + AROUND}
    numbers: dict[str, None] = {}
    for row in connection.execute(_ACTED, span):
        near = bisect_left(moments, row.at - AROUND)
        if near < len(moments) and moments[near] <= row.at + AROUND:
            numbers[row.number] = None
    return list(numbers)


def _days(period: Period, settings: Settings) -> Iterator[date]:
    day = datetime.fromtimestamp(period.start / 1_000_000, settings.zone).date()
    last = datetime.fromtimestamp((period.as_of - 1) / 1_000_000, settings.zone).date()
    while day <= last:
        yield day
        day += timedelta(days=1)


def _detail(stored: Any) -> dict[str, Any]:
    found: dict[str, Any] = (msgspec.json.decode(stored) if isinstance(stored, str) else stored) or {}
    return found
