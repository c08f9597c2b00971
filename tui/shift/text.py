"""The pages of the shift screen as rows and texts. Pure."""

from __future__ import annotations

from datetime import date
from typing import Any

from appliance.i18n.labels import Labels
from tui.columns import Column, Row
from tui.show import clock_text, short_number, state_text

Record = dict[str, Any]
ITEM_KINDS = ("overdue", "requests", "supervisions", "callbacks")
BY_HAND = ("entry", "order", "visit", "fault", "weather")
LOG_FILTERS = ("", *BY_HAND, "sign_on", "sign_off", "confirm", "look", "problem", "call")
COUNTED_AT_MOST = 1000
"""The node counts no further."""


def turn_text(record: Record, labels: Labels) -> str:
    """The name of a shift's turn."""
    return labels.pick(record["turn_name"], record["turn_english"])


def now_rows(now: Record, handovers: list[Record], labels: Labels) -> tuple[list[Column], list[Row]]:
    """Handovers that wait, then who is on duty, then who is missing."""
    columns = _columns(labels, ("state", 12, 0), ("name", 0, 3), ("turn", 0, 3), ("seat", 0, 3), ("since", 12, 0))
    rows = [
        _row(f"handover {item['id']}", (labels("shift.waiting"), "bold yellow"), item["name"],
             f"{item['day'][5:]} {turn_text(item, labels)}", item["seat"], clock_text(item["at"]))
        for item in handovers
    ]  # fmt: skip
    rows += [
        _row(f"shift {item['id']}", (labels("shift.on_duty"), "green"), item["name"],
             f"{item['day'][5:]} {turn_text(item, labels)}", item["seat"], clock_text(item["started_at"]))
        for item in now["on_duty"]
    ]  # fmt: skip
    rows += [
        _row(f"missing {item['account']}", (labels("shift.missing"), "bold red"), item["name"],
             f"{item['day'][5:]} {turn_text(item, labels)}", "", clock_text(item["starts_at"]))
        for item in now["missing"]
    ]  # fmt: skip
    return columns, rows


def my_shift(now: Record, labels: Labels) -> str:
    """One's own shift in a line."""
    mine = now["mine"]
    if mine is None:
        return labels("shift.not_on")
    turn = f"{mine['day'][5:]} {turn_text(mine, labels)}"
    return labels("shift.mine", turn=turn, seat=mine["seat"], since=clock_text(mine["started_at"]))


def patrols_text(numbers: dict[str, int] | None, labels: Labels) -> list[str]:
    """The alarms of the patrols in a line, for whom they are."""
    if numbers is None:
        return []
    return [labels("shift.patrols", **numbers) if any(numbers.values()) else labels("shift.patrols_well")]


def running_text(now: Record, labels: Labels) -> str:
    """The turns that run."""
    turns = " ".join(turn_text(item, labels) for item in now["running"])
    return labels("shift.running", turns=turns) if turns else labels("shift.no_turn")


def open_items_text(items: Record, labels: Labels, listed: int = 20) -> list[str]:
    """What is open, a line for each kind that has anything, with so many case numbers at most."""
    lines = [_item(state_text(state, labels), item, listed) for state, item in items["states"].items()]
    lines += [_item(labels(f"shift.{kind}"), items[kind], listed) for kind in ITEM_KINDS if items[kind]["count"]]
    return lines or [labels("shift.nothing_open")]


def handover_text(handover: Record, labels: Labels) -> list[str]:
    """A handover: who, the note, what was open."""
    head = labels("shift.handed_over", name=handover["name"], time=clock_text(handover["at"]))
    return [f"{head} {handover['note']}", *open_items_text(handover["items"], labels)]


def roster_rows(roster: Record, labels: Labels) -> tuple[list[Column], list[Row]]:
    """A week: an account a row, a day a column."""
    names = {turn["turn"]: labels.pick(turn["name"], turn["english"]) for turn in roster["turns"]}
    known = {(entry["account"], entry["day"]): names.get(entry["turn"], entry["turn"]) for entry in roster["entries"]}
    columns = [Column(labels("shift.column_name"), share=3)]
    for day in roster["days"]:
        weekday = labels(f"weekday.{date.fromisoformat(day).weekday()}")
        columns.append(Column(f"{day[8:]} {weekday}", share=2))
    rows = [
        Row(person["account"], ((person["name"], ""), *((known.get((person["account"], day), ""), "")
                                                       for day in roster["days"])))
        for person in roster["staff"]
    ]  # fmt: skip
    return columns, rows


def roster_legend(roster: Record, labels: Labels) -> str:
    """Which key sets which turn."""
    turns = [
        f"{at} {labels.pick(turn['name'], turn['english'])} {turn['begins']}-{turn['ends']}"
        for at, turn in enumerate(roster["turns"], 1)
    ]
    return "   ".join([f"{roster['days'][0]} / {roster['days'][-1]}", *turns, labels("shift.legend_rest")])


def log_rows(lines: list[Record], labels: Labels) -> tuple[list[Column], list[Row]]:
    """The log, newest first."""
    columns = _columns(labels, ("since", 12, 0), ("kind", 11, 0), ("name", 0, 2), ("text", 0, 7))
    rows = [
        _row(str(line["id"]), clock_text(line["at"]), labels(f"log.{line['kind']}"), line["name"], log_text(line))
        for line in lines
    ]
    return columns, rows


def log_text(line: Record) -> str:
    """What a line says: its subject where that is a camera, and its text."""
    subject = line["subject"] if line["kind"] in ("look", "problem") else ""
    return " ".join(part for part in (subject, line["text"]) if part)


def call_rows(calls: list[Record], labels: Labels) -> tuple[list[Column], list[Row]]:
    """Calls, newest first."""
    columns = _columns(labels, ("since", 12, 0), ("number", 0, 4), ("seat", 0, 3), ("state", 11, 0), ("case", 14, 0))
    rows = []
    for call in calls:
        answered = call["answered_at"] is not None
        state = (labels("shift.answered"), "") if answered else (labels("shift.unanswered"), "bold red")
        case = short_number(call["case"]) if call["case"] else ""
        seat = call["seat_name"] or call["seat"]
        rows.append(_row(str(call["id"]), clock_text(call["at"]), call["number"], seat, state, case))
    return columns, rows


def instruction_rows(items: list[Record], labels: Labels) -> tuple[list[Column], list[Row]]:
    """Instructions, newest first."""
    columns = _columns(
        labels, ("since", 12, 0), ("case", 13, 0), ("leader", 0, 2), ("text", 0, 5), ("due", 12, 0), ("reply", 14, 0)
    )
    rows = []
    for item in items:
        reply = (labels("shift.no_reply"), "yellow")
        if item["reply"] is not None:
            reply = (f"{clock_text(item['reply']['at'])}", "green")
        elif item["overdue"]:
            reply = (labels("shift.overdue_reply"), "bold red")
        rows.append(
            _row(str(item["id"]), clock_text(item["at"]), short_number(item["case"]), item["actor_name"],
                 item["note"] or "", clock_text(item["due_at"]), reply)
        )  # fmt: skip
    return columns, rows


def instruction_text(item: Record, labels: Labels) -> list[str]:
    """An instruction whole, with its reply."""
    lines = [f"{short_number(item['case'])} {item['name']} {item['address']} {state_text(item['state'], labels)}"]
    lines.append(f"{item['actor_name']}: {item['note'] or ''}")
    if reply := item["reply"]:
        lines.append(f"{labels('shift.column_reply')} {reply['actor_name']}: {reply['note'] or ''}")
    return lines


def _item(name: str, item: Record, listed: int) -> str:
    more = "+" if item["count"] >= COUNTED_AT_MOST else ""
    numbers = " ".join(short_number(number) for number in item["numbers"][:listed])
    return f"{name} {item['count']}{more}  {numbers}"


def _columns(labels: Labels, *columns: tuple[str, int, int]) -> list[Column]:
    return [Column(labels(f"shift.column_{name}"), width, share) for name, width, share in columns]


def _row(key: str, *cells: str | tuple[str, str]) -> Row:
    return Row(key, tuple((cell, "") if isinstance(cell, str) else cell for cell in cells))
