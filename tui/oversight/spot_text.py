"""Spot checks as rows, their forms, and the settlement as a table. Pure."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import datetime
from io import StringIO
from math import isfinite
from typing import Any

from appliance.cells import safe_cell
from appliance.i18n.labels import Labels
from tui.columns import Column, Row
from tui.fields import PICK, TEXT, Choice, Field, FieldProblem, Finder, Form
from tui.show import ZONE, clock_text, short_number

Record = dict[str, Any]
KINDS = ("case", "grid")
ROOT = "/api/v1/assessment/spot-checks"
NONE = "—"
MONEY = ("sum", "earned", "deduction", "paid")


def draw_rows(items: Sequence[Record], labels: Labels) -> tuple[list[Column], list[Row]]:
    """Draws and how far they are."""
    columns = _columns(
        labels, ("period", 12, 0), ("kind", 12, 0), ("progress", 12, 0), ("bad", 8, 0), ("deduction", 12, 0),
        ("by", 12, 0), ("time", 13, 0),
    )  # fmt: skip
    rows = []
    for item in items:
        drawn = min(item["wanted"], item["population"])
        rows.append(Row(str(item["id"]), (
            (item["period"], ""), (labels(f"spot.{item['kind']}"), ""),
            (f"{item['checked']}/{drawn}", "dim" if item["checked"] == drawn else "bold yellow"),
            (str(item["bad"]), "bold red" if item["bad"] else ""), (money(item["deduction"]), ""),
            (item["drawn_by"], ""), (clock_text(item["drawn_at"]), ""),
        )))  # fmt: skip
    return columns, rows


def draw_lines(item: Record, labels: Labels) -> list[str]:
    """How anybody can draw again."""
    return [
        labels("spot.proof", number=item["population"], seed=item["seed"]),
        f"SHA-256 {item['population_sha256']}",
    ]


def check_rows(items: Sequence[Record], kind: str, labels: Labels) -> tuple[list[Column], list[Row]]:
    """The subjects of a draw and what was found; a row's key ends in the case that it opens."""
    columns = _columns(
        labels, ("subject", 20, 0), ("result", 9, 0), ("note", 0, 1), ("number", 13, 0), ("charged_to", 8, 0),
        ("deduction", 10, 0),
    )  # fmt: skip
    rows = []
    for item in items:
        state = "waiting" if item["good"] is None else "good" if item["good"] else "bad"
        opens = item["number"] or (item["subject"] if kind == "case" else "")
        rows.append(Row(f"{item['id']} {opens}", (
            (item["subject"], ""), (labels(f"spot.{state}"), {"bad": "bold red", "good": "green"}.get(state, "")),
            (item["note"], ""), (short_number(item["number"] or ""), ""), (item["charged_to"] or "", ""),
            (money(item["deduction"]) if item["deduction"] else "", ""),
        )))  # fmt: skip
    return columns, rows


def check_lines(item: Record, labels: Labels) -> list[str]:
    """What was found at a subject, whole; nothing before."""
    if item["good"] is None:
        return []
    by = f"{item['checked_by']} {clock_text(item['checked_at'])}"
    return [f"{item['subject']} {labels('spot.good' if item['good'] else 'spot.bad')} {item['number'] or ''}  {by}",
            item["note"]]  # fmt: skip


def draw_form(labels: Labels, period: str) -> Form:
    """The form of a new draw."""
    kinds = tuple(Choice(kind, labels(f"spot.{kind}")) for kind in KINDS)
    fields = (
        Field("kind", PICK, True, kinds, KINDS[0], label=labels("column.kind")),
        Field("wanted", required=True, default="10"),
        Field("period", required=True, default=period or this_month()),
    )
    return Form(labels("key.draw"), labels("spot.by_lot"), ROOT, fields, shape=_drawn)


def finding_form(labels: Labels, check: Record, chargeable: tuple[Choice, ...], classes: Finder) -> Form:
    """The form of what was found at a subject; what is bad becomes a case of its class, or has one already."""
    results = (Choice("yes", labels("spot.good")), Choice("no", labels("spot.bad")))
    fields = (
        Field("good", PICK, True, results), Field("note"), Field("class", PICK, finder=classes),
        Field("number", label=labels("column.number")),
        Field("charged_to", TEXT, False, chargeable), Field("deduction"),
    )  # fmt: skip
    path = f"{ROOT}/{check['id']}/result"
    return Form(labels("key.finding"), f"{check['subject']}\n{labels('spot.once')}", path, fields, shape=_found)


def settlement_csv(sheet: Record, labels: Labels) -> bytes:
    """The settlement as a table for a spreadsheet: two decimals, UTF-8 with its mark."""
    names = ("period", "state", "kind", "code", "name", "sum", "score", "share", "earned", "deduction", "paid")
    written = StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow([labels(f"settlement.{name}") for name in names])
    state = labels("evaluation.closed" if sheet["closed"] else "evaluation.open")
    for item in sheet["items"]:
        amounts = {name: NONE if item[name] is None else money(item[name]) for name in MONEY}
        told = item | amounts | {
            "period": sheet["period"], "state": state, "kind": labels(f"settlement.{item['kind']}"),
            "code": item["subject"], "score": NONE if item["score"] is None else f"{item['score']:.2f}",
            "share": NONE if item["share"] is None else f"{item['share'] * 100:g}%",
        }  # fmt: skip
        writer.writerow([safe_cell(str(told[name])) for name in names])
    return written.getvalue().encode("utf-8-sig")


def money(yuan: float) -> str:
    """An amount with its cents."""
    return f"{yuan:.2f}"


def this_month() -> str:
    """The running month as a period."""
    return f"{datetime.now(ZONE):%Y-%m}"


def _drawn(body: Record) -> Record:
    try:
        return body | {"wanted": int(body["wanted"])}
    except ValueError:
        raise FieldProblem("wanted", "form.bad_number") from None


def _found(body: Record) -> Record:
    told = body | {"good": body["good"] == "yes"}
    if "deduction" in body:
        try:
            told["deduction"] = float(body["deduction"])
        except ValueError:
            raise FieldProblem("deduction", "form.bad_number") from None
        if not isfinite(told["deduction"]):
            raise FieldProblem("deduction", "form.bad_number")
    return told


def _columns(labels: Labels, *columns: tuple[str, int, int]) -> list[Column]:
    return [Column(labels(f"column.{name}"), width, share) for name, width, share in columns]
