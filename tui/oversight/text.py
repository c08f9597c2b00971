"""The pages of oversight as rows and lines: ledgers, findings, campaigns, appeals. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from appliance.i18n.labels import Labels
from tui.columns import Column, Row
from tui.show import clock_text

Record = dict[str, Any]
PAGES = ("ledgers", "findings", "campaigns", "appeals", "spot_checks")
STANDINGS = {"within": "green", "near": "bold yellow", "passed": "bold red"}
NONE = "—"
KEYS = {"ledgers": "ledger", "campaigns": "code"}
"""The member that names a record of a page, where it is not `id`."""


def ledger_rows(items: Sequence[Record], labels: Labels) -> tuple[list[Column], list[Row]]:
    """Every ledger with its share and how that stands to the county's limit."""
    columns = _columns(
        labels, ("ledger", 0, 3), ("cases", 8, 0), ("share", 10, 0), ("limit", 10, 0), ("standing", 12, 0)
    )
    rows = [
        Row(item["ledger"], (
            (labels.pick(item["name"], item["english"]), ""), (str(item["cases"]), "bold"),
            (percent(item["share"]), ""), (percent(item["limit"]), ""), _standing(item["standing"], labels),
        ))
        for item in items
    ]  # fmt: skip
    return columns, rows


def entry_rows(items: Sequence[Record], labels: Labels) -> tuple[list[Column], list[Row]]:
    """The rows of one ledger."""
    columns = _columns(labels, ("number", 22, 0), ("class", 0, 2), ("time", 13, 0), ("by", 12, 0), ("note", 0, 3))
    rows = [
        Row(f"{item['id']} {item['number'] or ''}", (
            (item["number"] or NONE, ""), (item["case"] or NONE, ""), (clock_text(item["at"]), ""),
            (item.get("actor_name") or item["actor"], ""),
            (_note(item), "" if item.get("closed_at") is None else "dim"),
        ))
        for item in items
    ]  # fmt: skip
    return columns, rows


def entry_lines(item: Record, labels: Labels) -> list[str]:
    """An entry of a register, whole, and how it was closed; nothing for a row that came of a case's action."""
    if item.get("fields") is None:
        return []
    told = [f"{item['number'] or NONE}  {_told(item['fields'])}  {item['note'] or ''}"]
    if item["closed_at"]:
        told.append(
            f"{labels('key.close_entry')} {clock_text(item['closed_at'])} {item['closed_by']}  {_told(item['closing'])}"
        )
    return told


def finding_rows(items: Sequence[Record], labels: Labels) -> tuple[list[Column], list[Row]]:
    """What is odd or comes again."""
    columns = _columns(
        labels, ("finding", 20, 0), ("subject", 0, 3), ("count", 8, 0), ("against", 10, 0), ("cases", 8, 0)
    )
    rows = [
        Row(f"{item['kind']} {item['subject']}", (
            (labels.pick(item["title"], item["english"]), "bold red" if item["group"] == "proof" else ""),
            (item["name"], ""), (str(item["count"]), "bold"),
            (NONE if item["of"] is None else f"{item['of']:g}", ""), (str(item["cases"]), ""),
        ))
        for item in items
    ]  # fmt: skip
    return columns, rows


def campaign_rows(items: Sequence[Record], labels: Labels) -> tuple[list[Column], list[Row]]:
    """Campaigns and how far they are."""
    columns = _columns(
        labels, ("campaign", 0, 3), ("state", 10, 0), ("progress", 16, 0), ("points", 10, 0), ("ends", 13, 0)
    )
    rows = [
        Row(item["code"], (
            (item["name"], ""), (labels("campaign.ended" if item["ended_at"] else "campaign.running"), ""),
            (f"{item['answered']}/{item['targets']}", "bold"),
            (NONE if item["points"] is None else f"{item['points']:.2f}", ""), (clock_text(item["ends_at"]), ""),
        ))
        for item in items
    ]  # fmt: skip
    return columns, rows


def appeal_rows(items: Sequence[Record], labels: Labels) -> tuple[list[Column], list[Row]]:
    """Appeals; those that wait stand out."""
    columns = _columns(
        labels, ("number", 22, 0), ("period", 12, 0), ("subject", 12, 0), ("state", 12, 0), ("reason", 0, 3)
    )
    rows = []
    for item in items:
        state = "waiting" if item["approved"] is None else "approved" if item["approved"] else "refused"
        style = "bold yellow" if state == "waiting" else "dim"
        rows.append(Row(str(item["id"]), (
            (item["number"], ""), (item["period"], ""), (item["subject"], ""), (labels(f"appeal.{state}"), style),
            (item["reason"], ""),
        )))  # fmt: skip
    return columns, rows


def number_rows(numbers: Sequence[str], labels: Labels) -> tuple[list[Column], list[Row]]:
    """The cases behind a finding."""
    return _columns(labels, ("number", 0, 1)), [Row(number, ((number, ""),)) for number in numbers]


def shares(progress: Record, labels: Labels) -> list[str]:
    """How far a campaign is by street, unit and collector, a line each."""
    lines = []
    for key in ("street", "department", "collector"):
        told = "  ".join(
            f"{row['subject'] or NONE} {row['answered']}/{row['targets']}"
            + ("" if row["points"] is None else f" {row['points']:.1f}")
            for row in progress[key]
        )
        lines.append(f"{labels('scope.' + {'street': 'region'}.get(key, key))}: {told}")
    return lines


def name_of(page: str, item: Record, labels: Labels) -> str:
    """What a line is called that was opened."""
    if page == "spot_checks":
        return f"{item['period']} {labels('spot.' + item['kind'])}"
    return labels.pick(item["name"], item.get("english", ""))


def percent(value: float | None) -> str:
    """A share in per cent."""
    return NONE if value is None else f"{value * 100:.2f}%"


def _standing(standing: str | None, labels: Labels) -> tuple[str, str]:
    return ("", "") if standing is None else (labels(f"ledger.{standing}"), STANDINGS[standing])


def _note(item: Record) -> str:
    fields = item.get("fields")
    if fields is None:
        return item["note"] or ""
    return f"✓ {_told(fields)}" if item.get("closed_at") else _told(fields)


def _told(fields: Record) -> str:
    return " ".join(str(value) for value in fields.values())


def _columns(labels: Labels, *columns: tuple[str, int, int]) -> list[Column]:
    return [Column(labels(f"column.{name}"), width, share) for name, width, share in columns]
