"""A case as lines of text: its record, its history, what stands beside it. Pure; widths in terminal cells."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from appliance.i18n.labels import Labels
from tui.cells import wrap
from tui.messages import Surroundings
from tui.reference import Reference
from tui.show import (
    LIGHT_STYLE,
    action_text,
    clock_text,
    light_text,
    limit_text,
    remaining,
    role_text,
    short_number,
    state_text,
)

Record = dict[str, Any]


class CaseText:
    """Writes cases in one language."""

    def __init__(self, labels: Labels, reference: Reference) -> None:
        self._labels = labels
        self._reference = reference

    def record(self, record: Record, width: int, around: Surroundings | None = None) -> Text:
        """The facts of a case; what is left of its limit stands there when the surroundings are known."""
        labels, reference = self._labels, self._reference
        light = record.get("light")
        head = Text(no_wrap=True)
        head.append(f"{record['number']} ", "bold")
        head.append(f"{reference.class_text(record, labels)} ", "bold").append(f"{record['code']}/{record['edition']}")
        source = reference.book.sources.get(record["source"])
        source_text = labels.pick(source.name, source.english) if source else record["source"]
        reporter = record.get("reporter") or {}
        caller = f"{reporter.get('name') or ''} {reporter.get('phone') or ''}".strip()
        due = f"{clock_text(record['due_at'])} ({remaining(record['due_at'], labels)})" if record["due_at"] else "--"
        left = (around.clock.get("remaining") if around else None) or None
        if left and left["unit"] != "小时":
            due += f"  {labels('case.left', amount=limit_text(left))}"
        rows = [
            f"{labels('case.state')} {state_text(record['state'], labels)}  v{record['version']}",
            f"{labels('case.source')} {source_text}  {caller}".rstrip(),
            f"{labels('case.place')} {record['address'] or '-'}",
            f"{labels('case.grid')} {record['grid'] or '-'}  {labels('case.duty_grid')} {record['duty_grid'] or '-'} "
            f"{record['collector'] or ''}".rstrip(),
            f"{labels('case.department')} {self._department(record)}",
            f"{labels('case.limit')} {limit_text(record['limit'])}  {labels('case.due')} {due}"
            + (f"  {labels('case.rework')} {record['rework']}" if record["rework"] else ""),
        ]
        if record["upper"]:
            rows.append(self._above(record["upper"]))
        if record["condition"]:
            rows.append(f"{labels('case.condition')} {record['condition']}")
        if record["part"]:
            rows.append(f"{labels('case.part')} {record['part']}")
        rows.append(f"{labels('case.description')} {record['description'] or '-'}")
        lines = [head]
        for row in rows:
            lines += [Text(line, no_wrap=True) for line in wrap(row, width)]
        if light:
            lines[1].append(f"  {light_text(light, labels)}", LIGHT_STYLE[light])
        return Text("\n").join(lines)

    def history(self, rows: list[Record], width: int) -> Text:
        """The history, one row an action, the text of it below."""
        lines = []
        for row in rows:
            line = Text(no_wrap=True)
            line.append(f"{clock_text(row['at'])} ", "dim").append(action_text(row["action"], self._labels), "bold")
            line.append(f" {self._who(row)}")
            if row["to"] != row["from"]:
                line.append(f" > {state_text(row['to'], self._labels)}", "dim")
            line.truncate(width)
            lines.append(line)
            for text in self._facts(row):
                lines += [Text(f"  {piece}", "dim", no_wrap=True) for piece in wrap(text, width - 2)]
        return Text("\n").join(lines)

    def beside(self, record: Record, around: Surroundings | None, width: int) -> Text:
        """Requests, supervisions, evidence and likely duplicates."""
        labels = self._labels
        rows: list[str] = []
        for request in record["requests"]:
            answer = "waiting" if request["waiting_for"] else "approved" if request["approved"] else "refused"
            kind = labels(f"request.{request['kind']}")
            who = f" {role_text('prefecture', labels)}" if request["waiting_for"] == "prefecture" else ""
            rows.append(f"{labels('case.request')} {kind} ({labels('request.' + answer)}{who}) {request['reason']}")
        for item in record["supervisions"]:
            end = "cleared" if item["cleared_at"] else "answered" if item["answered_at"] else "running"
            rows.append(f"{labels('case.supervision')} {item['id']} {labels('supervision.' + end)} {item['note']}")
        if record["evidence"]:
            stages: dict[str, int] = {}
            for item in record["evidence"]:
                stages[item["stage"]] = stages.get(item["stage"], 0) + 1
            listed = "  ".join(f"{labels('stage.' + stage)} {count}" for stage, count in stages.items())
            rows.append(f"{labels('case.evidence')} {listed}")
        rows.append(f"{labels('case.duplicates')} {self._duplicates(around)}")
        if record["flags"]:
            rows.append(f"{labels('case.flags')} {' '.join(record['flags'])}")
        return Text("\n").join(Text(line, no_wrap=True) for row in rows for line in wrap(row, width))

    def _above(self, upper: Record) -> str:
        """The number at the platform above, when it is due there, and whether it wants to decide on requests."""
        labels = self._labels
        due = f"  {labels('case.due')} {clock_text(upper['due_at'])}" if upper["due_at"] else ""
        decides = f"  ({labels('case.decided_above')})" if upper["reply_required"] else ""
        return f"{labels('case.above')} {upper['number']}{due}{decides}"

    def _duplicates(self, around: Surroundings | None) -> str:
        if around is None:
            return "..."
        if not around.duplicates:
            return self._labels("case.none")
        return "  ".join(
            f"{short_number(item['number'])} {item['metres']:g} m {state_text(item['state'], self._labels)}"
            for item in around.duplicates
        )

    def _department(self, record: Record) -> str:
        if record["department"]:
            below = self._reference.department_text(record["sub_unit"])
            return self._reference.department_text(record["department"]) + (f" > {below}" if below else "")
        suggested = self._reference.department_text(record["department_suggested"])
        return f"({self._labels('case.suggested')}) {suggested}" if suggested else "-"

    def _who(self, row: Record) -> str:
        name = row["actor_name"] or row["actor"]
        role = role_text(row["role"], self._labels)
        behalf = f" {self._labels('case.for')} {row['on_behalf_of']}" if row["on_behalf_of"] else ""
        return f"{name} ({role}){behalf}"

    def _facts(self, row: Record) -> list[str]:
        facts = []
        if row.get("department"):
            facts.append(self._reference.department_text(row["department"]))
        if row.get("collector"):
            facts.append(f"{role_text('collector', self._labels)} {row['collector']}")
        if row.get("method"):
            facts.append(self._labels(f"method.{row['method']}"))
        if row.get("kind") and row["action"] in ("request", "decide"):
            facts.append(self._labels(f"request.{row['kind']}"))
        if "approve" in row:
            facts.append(self._labels("request.approved" if row["approve"] else "request.refused"))
        if row.get("answer"):
            facts.append(self._labels(f"answer.{row['answer']}"))
        found = ["  ".join(facts)] if facts else []
        return [*found, *([row["note"]] if row["note"] else [])]
