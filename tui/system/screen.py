"""The system screen 系统: what the doctor finds, what the node says of itself, and the jobs that can be run by hand."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Static

from tui.cells import wrap
from tui.client import Refused
from tui.fields import Choice
from tui.messages import Told
from tui.screens.base import SeatScreen
from tui.system.jobs import jobs_text
from tui.widgets.bars import Banner, KeyLine, TitleLine
from tui.work import careful, worker

Record = dict[str, Any]
STYLES = {"passed": "green", "warning": "yellow", "failed": "bold red", "error": "bold red", "skipped": "dim"}
WORST_FIRST = ("error", "failed", "warning", "skipped", "passed")
NAME_CELLS = 26
KEYS = "1234567890abcdefghijklmnopqrstuvwxyz"


class Examined(Message):
    """What the node and its doctor said; `findings` is None where the account may not ask."""

    def __init__(self, health: Record, findings: list[Record] | None, jobs: list[Record], why: str) -> None:
        super().__init__()
        self.health, self.findings, self.jobs, self.why = health, findings, jobs, why


class SystemScreen(SeatScreen):
    """Doctor and jobs."""

    TITLE_KEY = "screen.system"
    DEFAULT_CSS = "SystemScreen VerticalScroll { padding: 0 1; }"
    BINDINGS = [
        Binding("f5", "reload", "key.examine", id="system.reload"),
        Binding("j", "job", "key.run_job", id="system.job"),
        Binding("escape", "leave", "key.back", id="system.leave"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.told: Examined | None = None

    def compose(self) -> ComposeResult:
        yield TitleLine()
        with VerticalScroll():
            yield Static("", id="findings", markup=False)
        yield Banner()
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        self.relabel()
        self.action_reload()

    def relabel(self) -> None:
        super().relabel()
        labels = self.context.labels
        jobs = [("j", labels("key.run_job"))] if self.told and self.told.jobs else []
        self.draw_keys([("F5", labels("key.examine")), *jobs, ("Esc", labels("key.back"))])
        self._draw()

    def action_reload(self) -> None:
        self.query_one("#findings", Static).update(self.context.labels("system.examining"))
        worker(self, self._examine, "doctor")

    @careful
    async def _examine(self) -> None:
        client = self.context.client
        health = await client.get("/health")
        try:
            findings: list[Record] | None = (await client.patient("GET", "/api/v1/doctor"))["items"]
            jobs, why = (await client.get("/api/v1/jobs"))["items"], ""
        except Refused as error:
            if error.status != 403:
                raise
            findings, jobs, why = None, [], error.detail
        self.post_message(Examined(health, findings, jobs, why))

    @on(Examined)
    def _examined(self, event: Examined) -> None:
        self.told = event
        self.relabel()

    def _draw(self) -> None:
        if self.told is None:
            return
        labels, width = self.context.labels, max(self.app.size.width - 4, 40)
        text = Text()
        for name, value in self.told.health.items():
            text.append(f"{name:<{NAME_CELLS}}", "dim").append(f"{value}\n")
        if self.told.findings is None:
            text.append(f"\n{self.told.why}\n")
        else:
            text.append(self._findings(self.told.findings, width))
            text.append(jobs_text(self.told.jobs, labels, width))
        self.query_one("#findings", Static).update(text)
        counted = self._counted(self.told.findings or [])
        self.draw_title("  ".join(f"{labels(f'doctor.{result}')} {count}" for result, count in counted if count))

    @staticmethod
    def _counted(findings: list[Record]) -> list[tuple[str, int]]:
        return [(result, sum(item["result"] == result for item in findings)) for result in WORST_FIRST]

    def _findings(self, findings: list[Record], width: int) -> Text:
        labels, text = self.context.labels, Text("\n")
        for item in sorted(findings, key=lambda item: WORST_FIRST.index(item["result"])):
            text.append(f"{labels('doctor.' + item['result'])} ", STYLES[item["result"]])
            text.append(f"{item['check']}\n", "bold")
            for line in wrap(labels.pick(item["zh"], item["en"]), width - 4):
                text.append(f"    {line}\n")
        return text

    def action_job(self) -> None:
        labels, jobs = self.context.labels, self.told.jobs if self.told else []
        if not jobs:
            self.say(labels("system.no_jobs"))
            return
        choices = [
            Choice(job["name"], f"{job['name']}  {labels.pick(job['zh'], job['en'])}", key)
            for key, job in zip(KEYS, jobs, strict=False)
        ]
        self.pick("key.run_job", choices, lambda name: worker(self, self._run(name), "job"))

    @careful
    async def _run(self, name: str) -> None:
        labels = self.context.labels
        self.post_message(Told(labels("system.job_runs", name=name), good=True))
        answer = await self.context.client.patient("POST", f"/api/v1/jobs/{name}", {})
        facts = "  ".join(f"{key} {value}" for key, value in answer["result"].items())
        self.post_message(Told(labels("system.job_done", name=name, facts=facts), good=True))
        self.action_reload()

    async def action_leave(self) -> None:
        await self.console.action_go("desk")
