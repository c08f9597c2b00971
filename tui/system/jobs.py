"""The jobs as the system screen lists them: how each went last, its plan, when it runs next."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from appliance.i18n.labels import Labels
from tui.cells import fit, wrap
from tui.show import clock_text

Record = dict[str, Any]
STYLES = {"well": "green", "failed": "bold red", "runs": "cyan", "never": "dim"}
NAME_CELLS, PLAN_CELLS, TIME_CELLS = 36, 18, 14


def jobs_text(jobs: list[Record], labels: Labels, width: int) -> Text:
    """A line a job; one that failed says why."""
    text = Text()
    if not jobs:
        return text
    text.append(f"\n{labels('system.jobs')}\n", "bold")
    for job in jobs:
        state, last = state_of(job), job["last"]
        text.append(f"{fit(labels('job.' + state), 8)} ", STYLES[state])
        text.append(fit(labels.pick(job["zh"], job["en"]), NAME_CELLS))
        text.append(f" {fit(job['plan'] or labels('job.by_hand'), PLAN_CELLS)} ", "dim")
        text.append(fit(clock_text(last["started_at"]) if last else "-", TIME_CELLS))
        text.append(f" → {clock_text(job['next_at']) if job['next_at'] else '-'}\n", "dim")
        if state == "failed":
            for line in wrap(labels.pick(last["zh"], last["en"]), width - 4):
                text.append(f"    {line}\n", "red")
    return text


def state_of(job: Record) -> str:
    """well, failed, runs or never."""
    if job["running"]:
        return "runs"
    if job["last"] is None:
        return "never"
    return "failed" if job["last"]["ok"] is False else "well"
