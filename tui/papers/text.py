"""Papers as rows and lines. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from appliance.i18n.labels import Labels
from tui.columns import Column, Row
from tui.show import clock_text

Record = dict[str, Any]
PAGES = ("waiting", "all")
STYLES = {"overdue": "bold red", "due": "yellow", "made": "", "submitted": "green"}
ENDINGS = {"return": ("xlsx", "csv", "json"), "bulletin": ("pdf", "html")}
"""The formats of a paper, by its maker."""
MEDIA = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv",
    "json": "application/json", "pdf": "application/pdf", "html": "text/html",
}  # fmt: skip


def waiting(items: Sequence[Record]) -> list[Record]:
    """What somebody still has to do: make it, or sign the return."""
    return [item for item in items if item["state"] in ("due", "overdue") or _unsigned(item)]


def key_of(item: Record) -> str:
    """The key of a paper's row."""
    return f"{item['paper']} {item['period']}"


def paper_rows(items: Sequence[Record], labels: Labels) -> tuple[list[Column], list[Row]]:
    """Papers with their state; the word stands beside the colour."""
    columns = [
        Column(labels("column.paper"), 0, 1), Column(labels("column.period"), 12), Column(labels("column.due"), 12),
        Column(labels("column.state"), 10), Column(labels("column.signer"), 0, 1),
    ]  # fmt: skip
    return columns, [_row(item, labels) for item in items]


def lines(item: Record, labels: Labels) -> list[str]:
    """What is to be said of a paper: who signed, what is missing, its files."""
    told = [f"{labels.pick(item['name'], item['english'])} {item['period']}"]
    filing = item["filing"]
    if filing is not None:
        told.append(_filing(filing, labels))
        if not item["closed"]:
            told.append(labels("papers.not_closed", period=item["period"]))
    if item["files"]:
        told.append(f"{labels('papers.files')}: {'  '.join(item['files'])}  {clock_text(item['made_at'])}")
    return told


def path_of(item: Record) -> str:
    """Where the node answers a paper."""
    return f"/api/v1/returns/{item['period']}" if item["maker"] == "return" else bulletin_path(item["period"])


def bulletin_path(period: str) -> str:
    """Where the node answers a bulletin."""
    return f"/api/v1/papers/bulletin/{period}"


def _row(item: Record, labels: Labels) -> Row:
    style = STYLES[item["state"]]
    signer = (item["filing"] or {}).get("signed_by_name") or ""
    cells = (
        (labels.pick(item["name"], item["english"]), ""), (item["period"], ""), (clock_text(item["due_at"]), style),
        (labels(f"papers.state.{item['state']}"), style), (signer, ""),
    )  # fmt: skip
    return Row(key_of(item), cells)


def _filing(filing: Record, labels: Labels) -> str:
    if filing["signed_by"] is None:
        return labels("papers.unsigned")
    return labels(
        "papers.signed", state=labels("papers.state.submitted"), revision=filing["revision"],
        name=filing["signed_by_name"], at=clock_text(filing["signed_at"]),
    )  # fmt: skip


def _unsigned(item: Record) -> bool:
    return item["filing"] is not None and item["filing"]["signed_by"] is None
