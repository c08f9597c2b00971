"""The run of the first visit: the list of steps, taken in any order at a terminal, or by a file of answers."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import Any

import click

from appliance.errors import Conflict, WanmiError
from appliance.settings import FILE
from provisioning.setup.facts import facts_of
from provisioning.setup.step import Back, Standing, Step
from provisioning.setup.tables import StepRow, steps
from provisioning.setup.talk import Answers, Talk, Terminal

LEAVE, SKIP = "q", "s"


class Visit:
    """One visit: the steps, and which were skipped in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.steps: list[tuple[StepRow, Step]] = [(row, row.made()) for row in steps()]
        self.skipped: set[str] = set()

    def standings(self) -> Iterator[tuple[StepRow, Step, Standing]]:
        """How every step stands now, read from the home."""
        facts = facts_of(self.home)
        for row, step in self.steps:
            yield row, step, step.standing(facts)

    def mark(self, row: StepRow, standing: Standing) -> str:
        """✓ done, - skipped in this visit, blank for what is left."""
        return "✓" if standing.done else ("-" if row.step in self.skipped else " ")

    def take(self, row: StepRow, step: Step, talk: Talk) -> None:
        """Take a step.

        Raises:
            Conflict: there is no county yet. WanmiError: refused. Back: turned back.
        """
        if row.step != "county" and not (self.home / FILE).exists():
            raise Conflict("还没有建县;请先做第 1 步。", "There is no county yet; take step 1 first.")
        step.run(self.home, talk)

    def as_list(self) -> list[dict[str, Any]]:
        """The steps for `--json`."""
        return [
            {"step": row.step, "done": standing.done, "zh": standing.zh, "en": standing.en}
            for row, _, standing in self.standings()
        ]


def visit_at_terminal(home: Path) -> None:
    """Show the list, take what is chosen, until the technician leaves."""
    visit = Visit(home)
    click.echo(f"万米 首次安装 First visit   家目录 home: {home}")
    while True:
        listed = list(visit.standings())
        show_list(visit, listed)
        following = next((number for number, (row, _, standing) in enumerate(listed, 1)
                          if not standing.done and row.step not in visit.skipped), None)  # fmt: skip
        chosen = _chosen(len(listed), following)
        if chosen == LEAVE:
            click.echo("已离开;再运行 wanmi setup 接着做 / left; run wanmi setup to go on")
            return
        if chosen == SKIP:
            if following is not None:
                visit.skipped.add(listed[following - 1][0].step)
            continue
        row, step, _ = listed[int(chosen) - 1]
        visit.skipped.discard(row.step)
        _take_in_peace(visit, row, step)


def show_list(visit: Visit, listed: list[tuple[StepRow, Step, Standing]]) -> None:
    """The list of steps, within 80 columns."""
    talk = Terminal(visit.home, "county")
    talk.rows(
        "",
        [
            (f"{number:2}", visit.mark(row, standing), f"{row.zh} {row.en}", standing.zh)
            for number, (row, _, standing) in enumerate(listed, 1)
        ],
    )


def _chosen(count: int, following: int | None) -> str:
    default = LEAVE if following is None else str(following)
    allowed = {str(number) for number in range(1, count + 1)} | {LEAVE, SKIP}
    while True:
        written = str(
            click.prompt("第几步? Step (回车 Enter = 下一步 next, s 跳过 skip, q 离开 leave)", default=default)
        ).strip().lower()  # fmt: skip
        if written in allowed:
            return written
        click.echo(f"请输入 1 到 {count}、s 或 q / type 1 to {count}, s or q")


def _take_in_peace(visit: Visit, row: StepRow, step: Step) -> None:
    """Take a step; a refusal is told and the list comes again."""
    click.echo(f"\n== {row.zh} {row.en}   (< 返回列表 back)")
    try:
        visit.take(row, step, Terminal(visit.home, row.step))
    except Back:
        click.echo("返回 / back")
    except WanmiError as refusal:
        click.echo(f"✗ {refusal.zh}\n  {refusal.en}")
    except OSError as error:
        click.echo(f"✗ {error.filename or ''}: {error.strerror}")
    except KeyboardInterrupt:
        take_back_cut_off_imports(visit.home)
        raise click.Abort from None


def take_back_cut_off_imports(home: Path) -> None:
    """An import that Ctrl-C cut off leaves nothing; one that another process runs is left alone."""
    from provisioning.commands import opened
    from provisioning.import_files.pipeline import one_import, take_back_cut_off

    with suppress(WanmiError), opened(home) as records, one_import(home):
        take_back_cut_off(records)


def visit_by_answers(home: Path, answers: Mapping[str, list[dict[str, Any]]], folder: Path) -> None:
    """Take the steps that have answers, in the order of a visit.

    Raises:
        WanmiError: the first refusal; what was done before stays, and the same answers again go on there.
    """
    visit = Visit(home)
    with redirect_stdout(sys.stderr):  # talk; data is what --json prints at the end
        for row, step in visit.steps:
            for given in answers.get(row.step, []):
                click.echo(f"== {row.zh} {row.en}")
                visit.take(row, step, Answers(home, row.step, given, folder))
