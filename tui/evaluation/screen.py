"""The evaluation screen 考核评价: scores of any period as table, bars and trend; each figure opens to its cases."""

from __future__ import annotations

from typing import Any

from textual import on
from textual.binding import Binding
from textual.widgets import DataTable

from tui.evaluation import text as evaluation_text
from tui.evaluation.calls import DueRead, EvaluationCalls, FigureRead, ScoresRead, TrendRead
from tui.evaluation.text import KINDS, SCOPES
from tui.fields import Choice, Field, Form
from tui.screens.form import FormScreen
from tui.screens.paged import PagedScreen
from tui.show import clock_text
from tui.widgets.rows import Rows

Record = dict[str, Any]
CLOSERS = frozenset(("assessor", "admin", "technician"))
APPEALED = frozenset(("department", "sub_unit", "collector", "acceptor", "shift_leader", "dispatcher"))
"""Scopes whose scores somebody may appeal against; who may open a figure of them may."""
LETTERS = "123456789abcdefghijklmnopqrstuvwxyz"


class EvaluationScreen(EvaluationCalls, PagedScreen):
    """Scopes are pages; the lines below the table belong to the row under the cursor."""

    TITLE_KEY = "screen.evaluation"
    BINDINGS = [
        Binding("less_than_sign,comma", "period('previous')", "key.period_before", id="evaluation.before"),
        Binding("greater_than_sign,full_stop", "period('next')", "key.period_after", id="evaluation.after"),
        Binding("k", "kind", "key.kind", id="evaluation.kind"),
        Binding("p", "pack", "key.pack", id="evaluation.pack"),
        Binding("X", "close_period", "key.close_period", id="evaluation.close"),
        Binding("a", "appeal", "key.appeal", id="evaluation.appeal"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.scope, self.period, self.kind, self.pack_id = SCOPES[0], "", KINDS[0], ""
        self.scores: Record = {}
        self.packs: list[Record] = []
        self.trend: tuple[str, str, list[Record]] = ("", "", [])
        self.figure: Record | None = None
        self.due = (0, 0)

    @property
    def pack(self) -> Record:
        """The pack that is shown."""
        return next((pack for pack in self.packs if pack["id"] == self.pack_id), self.packs[0])

    @property
    def selected_row(self) -> Record | None:
        """The subject under the cursor; None on the platform's page, or where nothing was read."""
        if self.figure is not None or self.scope == "platform":
            return None
        return next((row for row in self.scores.get("rows", []) if row["id"] == self.rows.selected), None)

    # Drawing.

    def relabel(self) -> None:
        self._draw(keep=True)

    def _draw(self, *, keep: bool) -> None:
        self.draw_pages(SCOPES, self.scope, "scope")
        self.draw_title(self._period_text())
        if self.scores and self.scores.get("scope") == self.scope:
            self.rows.fill(*self._table(), keep=keep)
        self._draw_below()
        self._draw_keys()

    def _period_text(self) -> str:
        if not self.scores:
            return ""
        labels, scores = self.context.labels, self.scores
        state = labels("evaluation.closed" if scores["closed_at"] else "evaluation.open")
        return f"{scores['period']} {state} {clock_text(scores['as_of'])}  {scores['pack']['id']}"

    def _table(self) -> Any:
        labels = self.context.labels
        if self.figure is not None:
            return evaluation_text.case_rows(self.figure["facts"], labels)
        if self.scope == "platform":
            return evaluation_text.platform_rows(self.scores["platform"], self.pack, labels)
        return evaluation_text.score_rows(self.scores["rows"], self.pack, self.scope, labels, self.app.size.width)

    def _draw_below(self) -> None:
        self.draw_below(self._below())

    def _below(self) -> list[tuple[str, str]]:
        labels, row = self.context.labels, self.selected_row
        if self.figure is not None:
            return [
                (labels("evaluation.behind", name=self.figure["code"], subject=self.figure["subject"] or "-"), "dim")
            ]
        lines: list[tuple[str, str]] = []
        if self.due[0]:
            said = labels("evaluation.due", count=self.due[0], overdue=self.due[1])
            lines.append((said, "bold red" if self.due[1] else "yellow"))
        if self.scores.get("left_out"):
            lines.append((labels("evaluation.left_out", count=self.scores["left_out"]), "yellow"))
        if row is None:
            return lines
        group = f"  {row['group']} {row['place_in_group'] or '—'}" if row["group"] else ""
        lines.append((f"{row['name']} {row['id']}{group}", "bold"))
        lines += evaluation_text.bars(row, self.pack, self.scope, labels)
        if self.trend[:2] == (self.scope, row["id"]):
            lines.append((evaluation_text.trend_line(self.trend[2], labels), ""))
        return lines

    def _draw_keys(self) -> None:
        labels = self.context.labels
        if self.figure is not None:
            appeal = [("a", labels("key.appeal"))] if self._may_appeal else []
            self.draw_keys([("Enter", labels("key.open_case")), *appeal, ("Esc", labels("key.back"))])
            return
        keys = [("Enter", labels("key.cases_behind")), (",.", labels("key.periods")), ("k", labels("key.kind"))]
        if len(self.packs) > 1:
            keys.append(("p", labels("key.pack")))
        if self.context.roles & CLOSERS and self.scores and not self.scores["closed_at"]:
            keys.append(("X", labels("key.close_period")))
        self.draw_keys(keys)

    # What the node told.

    @on(ScoresRead)
    def _scores_read(self, event: ScoresRead) -> None:
        if event.scores["scope"] != self.scope:
            return
        if self.scores.get("closed_at") != event.scores["closed_at"]:
            self.trend = ("", "", [])
        self.scores, self.packs, self.period = event.scores, event.packs, event.scores["period"]
        self._draw(keep=True)
        self._ask_trend()

    @on(TrendRead)
    def _trend_read(self, event: TrendRead) -> None:
        self.trend = (event.scope, event.subject, event.items)
        self._draw_below()

    @on(DueRead)
    def _due_read(self, event: DueRead) -> None:
        self.due = (event.waiting, event.overdue)
        self._draw_below()

    @on(FigureRead)
    def _figure_read(self, event: FigureRead) -> None:
        self.figure = event.found
        self.say("")
        self._draw(keep=False)

    @on(Rows.Moved)
    def _moved(self) -> None:
        self._draw_below()
        self._ask_trend()

    def _ask_trend(self) -> None:
        row = self.selected_row
        if row is not None and self.trend[:2] != (self.scope, row["id"]):
            self.load_trend(self.scope, row["id"], self.kind)

    @on(DataTable.RowSelected)
    def _row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        if self.figure is not None:
            self.console.open_number(self.rows.selected)
        elif self.scope == "platform" and self.rows.selected:
            self.load_cases(self.period, self.scope, "", self.rows.selected)
        elif (row := self.selected_row) is not None:
            self._pick_figure(row)

    def _pick_figure(self, row: Record) -> None:
        """Which figure of the subject to open."""
        labels = self.context.labels
        own = evaluation_text.indicators_of(self.pack, self.scope)
        choices = [
            Choice(each["code"], f"{labels.pick(each['name'], each['english'])}  "
                   f"{evaluation_text.shown(row['values'][each['code']], each['unit'])}", letter)
            for each, letter in zip(own, LETTERS, strict=False)
        ]  # fmt: skip
        self.pick("evaluation.which", choices, lambda code: self.load_cases(self.period, self.scope, row["id"], code))

    # What the operator does.

    def action_page(self, step: int) -> None:
        self.scope = SCOPES[(SCOPES.index(self.scope) + step) % len(SCOPES)]
        self.figure = None
        self.say("")
        self.rows.fill([], [], keep=False)
        self._draw(keep=False)
        self.action_reload()

    def action_period(self, which: str) -> None:
        name = self.scores.get(which) if self.figure is None else None
        if name is not None:
            self.period = name
            self.action_reload()

    def action_kind(self) -> None:
        labels = self.context.labels
        choices = [Choice(kind, labels(f"period.{kind}"), str(at)) for at, kind in enumerate(KINDS, 1)]

        def chosen(kind: str) -> None:
            self.kind, self.period, self.trend = kind, self.scores["running"][kind], ("", "", [])
            self.action_reload()

        if self.scores:
            self.pick("key.kind", choices, chosen)

    def action_pack(self) -> None:
        ids = [pack["id"] for pack in self.packs]
        if len(ids) > 1:
            self.pack_id = ids[(ids.index(self.pack["id"]) + 1) % len(ids)]
            self.action_reload()

    def action_close_period(self) -> None:
        labels, period = self.context.labels, self.period
        if not self.context.roles & CLOSERS or not self.scores or self.scores["closed_at"]:
            return
        choices = [
            Choice("no", labels("evaluation.keep_open"), "n"),
            Choice("yes", labels("evaluation.close_it", period=period), "y"),
        ]

        def chosen(answer: str) -> None:
            if answer == "yes":
                self.close_period(period, self.scope, self.pack_id)

        self.pick("key.close_period", choices, chosen)

    @property
    def _may_appeal(self) -> bool:
        return self.figure is not None and self.figure["scope"] in APPEALED and bool(self.rows.selected)

    def action_appeal(self) -> None:
        """Ask that the case under the cursor does not count for whose figure is open."""
        labels, figure = self.context.labels, self.figure
        if figure is None or not self._may_appeal:
            self.say(labels("appeal.open_first"))
            return
        if not self.scores["closed_at"]:
            self.say(labels("appeal.not_closed", period=figure["period"]))
            return
        number = self.rows.selected
        about = f"{number}\n{figure['period']} {labels('scope.' + figure['scope'])} {figure['subject']}"
        fixed = (*((name, figure[name]) for name in ("period", "scope", "subject")), ("number", number))
        fields = (Field("reason", required=True),)
        form = Form(labels("key.appeal"), about, "/api/v1/appeals", fields, versioned=False, fixed=fixed)

        def asked(answer: Record | None) -> None:
            if answer is not None:
                self.say(labels("appeal.asked", number=number), good=True)

        self.say("")
        self.app.push_screen(FormScreen(self.context, form, None), asked)

    def come_back(self) -> None:
        if self.figure is None:
            self.action_reload()

    def action_reload(self) -> None:
        self.figure = None
        self.load(self.period, self.scope, self.pack_id)
        if "papers" in self.console.modes_open:
            self.load_due()

    async def action_leave(self) -> None:
        if self.figure is not None:
            self.figure = None
            self._draw(keep=False)
            return
        await super().action_leave()
