"""The bulletin 专刊 of a day, week, month or longer: what leaders and the media read. No reporter stands on it."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from appliance.clock import local
from appliance.ledgers.reading import overview
from appliance.papers.bulletin_queries import commonest_classes, course, oldest_open
from appliance.papers.charts import Bar, Line, bars, lines
from appliance.scoring.evaluated import Evaluated
from appliance.scoring.evaluation import Evaluation
from appliance.scoring.figures import NONE, rounded, shown
from appliance.scoring.formula import Value
from appliance.scoring.pack import Indicator, Pack
from appliance.scoring.periods import Period
from appliance.scoring.runs import PLATFORM
from appliance.scoring.scores import Scored
from appliance.scoring.store import score_history

if TYPE_CHECKING:
    from appliance.cases.office import Office

FILE = Path(__file__).with_name("bulletin.csv")
CLASSES, OLDEST, TREND = 10, 15, 12
KINDS = {"day": "日报", "week": "周报", "month": "月报", "quarter": "季报", "year": "年报", "span": "专报"}
STANDING = {"within": "在控制线内", "near": "接近控制线", "passed": "超过控制线", None: NONE}
UNGROUPED = "未分组"
Facts = dict[str, Any]


@cache
def sections() -> Mapping[str, Mapping[str, str]]:
    """By section the codes of its indicators, and whether more of each is `high` good, `low` good or neither."""
    found: dict[str, dict[str, str]] = {}
    with FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["section"], {})[row["code"]] = row["better"]
    return found


def bulletin_facts(
    connection: Connection, office: Office, evaluated: Evaluated, before: Evaluated, pack: Pack
) -> Facts:
    """What the bulletin of a counted period says.

    Args:
        before: the period of the same kind before it, for the changes.
    """
    period, settings = evaluated.period, office.settings
    facts = evaluated.named["platform"][PLATFORM].subject.facts
    departments = evaluated.scored(pack, "department")
    names = {row.subject: row.name for row in departments}
    return {
        "county": settings.name or settings.county, "kind": KINDS[period.kind], "title": title_of(period, office),
        "starts_at": _time(office, period.start), "as_of": _time(office, period.as_of),
        "closed": evaluated.closed_at is not None,
        "left_out": evaluated.left_out, "pack": pack.id, "pack_sha256": pack.sha256,
        "before": title_of(before.period, office), "key": _key(pack, evaluated, before),
        "columns": {name: _columns(pack, name) for name in ("department", "region", "source")},
        "groups": _groups(pack, departments), "idle": [row.name for row in departments if row.place is None],
        "grades": pack.grades, "units_chart": _rates_chart(departments),
        "regions": [_row(pack, row, row.place) for row in evaluated.scored(pack, "region")],
        "sources": _sources(office, pack, evaluated),
        **_classes(connection, period, before.period, office), **_course(connection, office, period, pack),
        **_open(connection, office, evaluated, names),
        "ledgers": [_ledger(row) for row in overview(connection, period, facts, settings)],
        "patrols": _patrols(facts), "satisfaction": _satisfaction(facts),
    }  # fmt: skip


def title_of(period: Period, office: Office) -> str:
    """A period in words: 2026年10月, 2026年第41周 …"""
    zone = office.settings.zone
    first, last = local(period.start, zone), local(period.end - 1, zone)
    match period.kind:
        case "day":
            return f"{first.year}年{first.month}月{first.day}日"
        case "week":
            year, week, _ = first.isocalendar()
            return f"{year}年第{week}周"
        case "month":
            return f"{first.year}年{first.month}月"
        case "quarter":
            return f"{first.year}年第{(first.month + 2) // 3}季度"
        case "year":
            return f"{first.year}年"
        case _:
            return f"{first:%Y-%m-%d} 至 {last:%Y-%m-%d}"


def _key(pack: Pack, evaluated: Evaluated, before: Evaluated) -> list[Facts]:
    """The county's figures with their change; a change of a rate is in points of per cent."""
    now, then = (dict(each.scored(pack, "platform")[0].figures) for each in (evaluated, before))
    own = pack.indicators.get("platform", {})
    return [
        {
            "name": own[code].chinese, "now": shown(own[code], now[code]), "then": shown(own[code], then.get(code)),
            **_change(own[code], now[code], then.get(code), better),
        }
        for code, better in sections()["key"].items() if code in own
    ]  # fmt: skip


def _change(each: Indicator, now: Value, then: Value, better: str) -> Facts:
    """The change as people read it, and whether it is `good`, `bad` or neither."""
    if now is None or then is None:
        return {"change": NONE, "mood": ""}
    change = now - then
    if not change:
        return {"change": "持平", "mood": ""}
    size = f"{rounded(abs(change) * 100)} 个百分点" if each.unit == "rate" else f"{abs(change):g}"
    mood = "" if not better else "good" if (change > 0) is (better == "high") else "bad"
    return {"change": f"{'↑' if change > 0 else '↓'} {size}", "mood": mood}


def _columns(pack: Pack, scope: str) -> list[str]:
    own = pack.indicators.get(scope, {})
    return [own[code].chinese for code in sections()[scope] if code in own]


def _row(pack: Pack, row: Scored, place: int | None) -> Facts:
    own = pack.indicators.get(row.scope, {})
    grade = next((each for each in pack.grades if each.code == row.grade), None)
    return {
        "place": place if place is not None else NONE, "name": row.name,
        "cells": [shown(own[code], row.figures[code]) for code in sections()[row.scope] if code in own],
        "score": NONE if row.score is None or place is None else rounded(float(row.score)),
        "grade": grade if place is not None else None,
    }  # fmt: skip


def _groups(pack: Pack, departments: Sequence[Scored]) -> list[Facts]:
    """Units that had work, ranked within groups of like duty; the largest group first."""
    groups: dict[str | None, list[Scored]] = {}
    for row in departments:
        if row.place is not None:
            groups.setdefault(row.group, []).append(row)
    ordered = sorted(groups.items(), key=lambda item: (item[0] is None, -len(item[1]), item[0] or ""))
    only = len(groups) == 1
    return [
        {
            "name": name or ("" if only else UNGROUPED),
            "rows": [_row(pack, row, row.place_in_group if name else row.place) for row in rows],
        }
        for name, rows in ordered
    ]  # fmt: skip


def _rates_chart(departments: Sequence[Scored]) -> Any:
    """On-time handling of the units that had work, best first."""
    rated = [row for row in departments if row.place is not None and row.figures.get("handle_on_time_rate") is not None]
    rated.sort(key=lambda row: (-float(row.figures["handle_on_time_rate"] or 0), row.subject))
    rows = [
        Bar(row.name, float(row.figures["handle_on_time_rate"] or 0),
            f"{rounded(float(row.figures['handle_on_time_rate'] or 0) * 100)}%")
        for row in rated
    ]  # fmt: skip
    return bars(rows, 1.0) if rows else None


def _sources(office: Office, pack: Pack, evaluated: Evaluated) -> list[Facts]:
    """Cases by source, the largest first."""
    names = office.book.sources
    rows = []
    for row in sorted(
        evaluated.scored(pack, "source"), key=lambda row: (-int(row.figures.get("reports") or 0), row.subject)
    ):
        told = _row(pack, row, None)
        rows.append(told | {"name": names[row.subject].name if row.subject in names else row.name})
    return rows


def _classes(connection: Connection, period: Period, before: Period, office: Office) -> Facts:
    """The ten classes of most cases, and how many they were before."""
    now = commonest_classes(connection, period, CLASSES)
    then = {(row.kind, row.code): row.cases for row in commonest_classes(connection, before, 10_000)}
    rows = [
        {"name": row.name, "code": row.code, "cases": row.cases, "then": then.get((row.kind, row.code), 0)}
        for row in now
    ]
    chart = bars([Bar(row["name"], row["cases"], str(row["cases"])) for row in rows]) if rows else None
    return {"classes": rows, "classes_chart": chart}


def _course(connection: Connection, office: Office, period: Period, pack: Pack) -> Facts:
    """The course of the period, and that of the closed periods before."""
    places, counted = course(connection, period, office.settings.zone)
    names = {"report": "上报", "file": "立案", "close": "结案"}
    drawn = lines(places, [Line(names[action], values) for action, values in counted.items()])
    kept = score_history(connection, "platform", PLATFORM, pack.id, period.kind, TREND)[::-1]
    kept = [item for item in kept if item["period"] <= period.name]
    rates = [
        Line(name, [item["values"].get(code) for item in kept])
        for code, name in (("close_rate", "结案率"), ("close_on_time_rate", "按期结案率"))
    ]
    trend = lines([item["period"] for item in kept], rates, per_cent=True) if len(kept) > 1 else None
    return {"course_chart": drawn, "trend_chart": trend}


def _open(connection: Connection, office: Office, evaluated: Evaluated, names: Mapping[str, str]) -> Facts:
    """What was due and not closed at the end: by unit, and the oldest cases."""
    period = evaluated.period
    behind = Evaluation(office.records).cases_behind(
        connection, period, "platform", PLATFORM, ["should_close", "closed"], fresh_after=0
    )
    left = sorted(set(behind["should_close"]) - set(behind["closed"]))
    units = [
        (names.get(key, key), named.subject.facts.get("should_close", 0) - named.subject.facts.get("closed", 0))
        for key, named in evaluated.named["department"].items()
    ]
    return {
        "left": len(left),
        "left_by_unit": sorted((each for each in units if each[1] > 0), key=lambda each: (-each[1], each[0])),
        "oldest": [
            row | {
                "department": names.get(row["department"], row["department"] or NONE),
                "due_at": _day(office, row["due_at"]),
            }
            for row in oldest_open(connection, left, period.as_of, OLDEST)
        ],
    }  # fmt: skip


def _ledger(row: Mapping[str, Any]) -> Facts:
    return {
        "name": row["name"], "rows": row["rows"], "cases": row["cases"], "share": _share(row["share"]),
        "limit": _share(row["limit"]), "standing": STANDING[row["standing"]], "passed": row["standing"] == "passed",
    }  # fmt: skip


def _patrols(facts: Mapping[str, int]) -> list[tuple[str, str]]:
    due, done = facts.get("patrol_due", 0), facts.get("patrol_done", 0)
    minutes, covered = facts.get("video_minutes_due", 0), facts.get("video_minutes_covered", 0)
    return [
        ("应巡查次数", str(due)), ("实际巡查次数", str(done)), ("巡查到位率", _share(done / due if due else None)),
        ("视频巡查覆盖率", _share(covered / minutes if minutes else None)),
    ]  # fmt: skip


def _satisfaction(facts: Mapping[str, int]) -> list[tuple[str, str]]:
    good, bad = facts.get("satisfied", 0), facts.get("dissatisfied", 0)
    whole = good + bad
    return [
        ("回访件数", str(whole)), ("满意", str(good)), ("不满意", str(bad)),
        ("公众满意率", _share(good / whole if whole else None)),
    ]  # fmt: skip


def _share(value: float | None) -> str:
    return NONE if value is None else f"{rounded(value * 100)}%"


def _day(office: Office, at: int | None) -> str:
    return NONE if at is None else f"{local(at, office.settings.zone):%Y-%m-%d}"


def _time(office: Office, at: int) -> str:
    moment = local(at, office.settings.zone)
    return f"{moment.year}年{moment.month}月{moment.day}日 {moment:%H:%M}"
