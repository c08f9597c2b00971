"""The rule of the monthly return (docs/exchange.md "The monthly return")."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from server.prefecture.conformance.probes import Node, NotApplicable, Wrong, problem

SCOPE = "reports.read"


def month_is_returned(node: Node) -> str:
    """The month before the present one: its county, month and values; the same bytes again, 304, CSV; else 422."""
    if SCOPE not in node.info.get("scopes", [SCOPE]):
        raise NotApplicable(f"this client was not granted {SCOPE}")
    now = datetime.now(UTC)
    period = f"{now.replace(day=1) - timedelta(days=2):%Y-%m}"
    answer = node.get(f"reports/monthly/{period}", None)
    if answer.status_code == 403:
        raise NotApplicable(f"the return may not be read: {problem(answer)}")
    if answer.status_code != 200:
        raise Wrong(f"GET reports/monthly/{period}: {answer.status_code}, not 200")
    told = answer.json()
    _check_members(told, node.info["county"], period, now)
    if node.get(f"reports/monthly/{period}").content != answer.content:
        raise Wrong(f"{period} has ended, and is told in other bytes the second time")
    tag = answer.headers.get("ETag", "")
    node.get(f"reports/monthly/{period}", 304, headers={"If-None-Match": tag or "none"})
    csv = node.get(f"reports/monthly/{period}", headers={"Accept": "text/csv"})
    if "text/csv" not in csv.headers.get("Content-Type", ""):
        raise Wrong(f"text/csv was asked for, {csv.headers.get('Content-Type')} came")
    problem(node.get(f"reports/monthly/{now.year + 1}-12", 422))
    return f"{period}: {len(told['values'])} values, 304, text/csv, 422 for a month that has not begun"


def _check_members(told: dict[str, Any], county: str, period: str, now: datetime) -> None:
    if (told["county"], told["period"]) != (county, period):
        raise Wrong(f"the return of {told['county']} for {told['period']}, not of {county} for {period}")
    if datetime.fromisoformat(told["as_of"]) > now + timedelta(hours=1):
        raise Wrong(f"as_of {told['as_of']} is in the future")
    strange = set(told["values"]) - {column["code"] for column in told["columns"]}
    wrong = [name for name, value in told["values"].items() if not isinstance(value, int | float | None)]
    if strange or wrong:
        raise Wrong(f"values without a column or no numbers: {', '.join(sorted(strange) + wrong)}")
    if not told["rule"]["sha256"]:
        raise Wrong("rule.sha256 is missing")
