"""`wanmi score`: indicators and scores of any period, the cases behind each figure, closing, packs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appliance.options import existing_file, home_option, json_option, say, show
from appliance.scoring.countable import SCOPES

if TYPE_CHECKING:
    from appliance.scoring.evaluated import Evaluated
    from appliance.scoring.evaluation import Evaluation
    from appliance.scoring.pack import Indicator, Pack
    from appliance.scoring.scores import Scored

FIGURES_SHOWN = 6
period_option = click.option(
    "--period", metavar="PERIOD", help="2026-10-08, 2026-W41, 2026-10, 2026-Q4, 2026 or 2026-10-01..2026-10-15. "
    "[default: this month]",
)  # fmt: skip
scope_option = click.option("--scope", type=click.Choice(SCOPES), help="Whose scores. [default: all]")


@click.group(invoke_without_command=True)
@period_option
@scope_option
@click.option("--pack", metavar="ID", help="The pack of indicators. [default: the county's]")
@home_option
@json_option
@click.pass_context
def score(
    context: click.Context, period: str | None, scope: str | None, pack: str | None, home: Path, as_json: bool
) -> None:
    """Indicators and scores by the national formulas, or by the county's own pack.

    Everything is counted from the history rows before the end of the period, or before now while it runs; an ended
    period gives the same numbers whenever it is asked for. A closed one is read as it was frozen. A rate of nothing has
    no value (—). Cases that were imported without their history are told apart as left out.

    \b
    Examples:
      wanmi score --period 2026-10
      wanmi score --period 2026-W41 --scope department --json
      wanmi score cases 2026-10 department D01 close_rate
      wanmi score close 2026-10
    """
    if context.invoked_subcommand is not None:
        return
    with _evaluation(home) as evaluation:
        asked = evaluation.period(period or _this_month(evaluation))
        with evaluation.records.read() as connection:
            evaluated = evaluation.evaluate(connection, asked)
    chosen = evaluated.pack(pack)
    if as_json:
        show(evaluated.document(chosen, scope))
    else:
        _tell(evaluated, chosen, SCOPES if scope is None else (scope,))


@score.command()
@click.argument("period")
@click.argument("scope", type=click.Choice(SCOPES))
@click.argument("subject")
@click.argument("code")
@home_option
@json_option
def cases(period: str, scope: str, subject: str, code: str, home: Path, as_json: bool) -> None:
    """The cases behind a figure: of each fact that it is made of, the numbers of its cases.

    SUBJECT is an account, a unit's code, a street's 9-digit code or a source; `-` for the platform. CODE is an
    indicator of the pack, or a fact.

    \b
    Example:
      wanmi score cases 2026-10 department D01 close_rate
    """
    from appliance.scoring.countable import countables
    from appliance.scoring.figures import facts_of

    with _evaluation(home) as evaluation:
        asked = evaluation.period(period)
        with evaluation.records.read() as connection:
            facts = facts_of(evaluation.packs_of(connection, asked)[0], scope, code)
            found = evaluation.cases_behind(connection, asked, scope, "" if subject == "-" else subject, facts)
    if as_json:
        show({"period": period, "scope": scope, "subject": subject, "code": code, "facts": found})
        return
    for fact, numbers in found.items():
        known = countables()[scope][fact]
        click.echo(f"{known.chinese} / {known.english}: {len(numbers)}")
        for number in numbers:
            click.echo(f"  {number}")


@score.command()
@click.argument("period")
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
@json_option
def close(period: str, yes: bool, home: Path, as_json: bool) -> None:
    """Close a period that is over: its counts, staff, grids and packs are frozen and its scores are told above.

    The node closes days and weeks the next day, longer periods after `scoring.close_days`. A closed period stays
    closed; an approved appeal takes a case off a score, never off the counts.

    \b
    Example:
      wanmi score close 2026-10
    """
    if not yes and not as_json and sys.stdin.isatty():
        click.confirm(
            f"结账 {period}? 结账后不再重算。/ Close {period}? It is not counted again.", abort=True, err=True
        )
    with _evaluation(home) as evaluation:
        closed = evaluation.close(period, "technician")
    if as_json:
        show({"closed": closed.name})
    else:
        say(f"已结账 {closed.name} / closed")


@score.command()
@click.argument("file", required=False, callback=lambda c, p, v: v and existing_file(c, p, v))
@home_option
@json_option
def packs(file: Path | None, home: Path, as_json: bool) -> None:
    """The packs of indicators in force; with FILE, check a pack before it is put into `packs/`.

    A county's pack is a copy of the national one with other formulas; `wanmi.toml` names it as [scoring] pack, the
    prefecture's as upper_pack. A wrong pack is refused with line and reason.

    \b
    Examples:
      wanmi score packs
      wanmi score packs ./xuchang-2026.csv
    """
    from appliance.scoring.pack import load_pack
    from appliance.scoring.packs_in_force import packs_in_force
    from appliance.settings import load

    found = [load_pack(file)] if file is not None else packs_in_force(home, load(home).scoring)
    if as_json:
        show({"items": [_pack_told(pack) for pack in found]})
        return
    for pack in found:
        number = sum(len(own) for own in pack.indicators.values())
        click.echo(f"{pack.id}  {pack.sha256[:12]}  {number} 项指标 / indicators")


def _pack_told(pack: Pack) -> dict[str, Any]:
    from appliance.scoring.figures import indicator_told

    return {
        "id": pack.id, "sha256": pack.sha256,
        "indicators": [indicator_told(each) for own in pack.indicators.values() for each in own.values()],
    }  # fmt: skip


@contextmanager
def _evaluation(home: Path) -> Iterator[Evaluation]:
    """The evaluation of a home."""
    from appliance.records.store import Records
    from appliance.scoring.evaluation import Evaluation

    records = Records.open(home)
    try:
        yield Evaluation(records)
    finally:
        records.close()


def _this_month(evaluation: Evaluation) -> str:
    from appliance.clock import local

    return f"{local(evaluation.records.clock.now(), evaluation.settings.zone):%Y-%m}"


def _tell(evaluated: Evaluated, pack: Pack, scopes: Sequence[str]) -> None:
    from rich.console import Console

    from appliance.clock import rfc3339

    console = Console(width=None if sys.stdout.isatty() else 200)
    state = "已结账 / closed" if evaluated.closed_at is not None else "未结账 / open"
    console.print(f"{evaluated.period.name}  {rfc3339(evaluated.period.as_of)}  {pack.id} {pack.sha256[:12]}  {state}")
    for scope in scopes:
        console.print(_table(scope, pack, evaluated.scored(pack, scope)))
    if evaluated.left_out:
        console.print(
            f"{evaluated.left_out} 件没有完整历史,只按已知事实统计 / imported without history, counted where known"
        )


def _table(scope: str, pack: Pack, rows: Sequence[Scored]) -> Any:
    from rich.table import Table

    from appliance.scoring.figures import shown

    own = pack.indicators.get(scope, {})
    if scope == "platform":
        table = Table("指标", "", "code", title=scope, title_justify="left")
        for code, each in own.items():
            table.add_row(each.chinese, shown(each, rows[0].figures[code]), code)
        return table
    table = Table("名次", "名称", "代码", title=scope, title_justify="left")
    columns: list[Indicator] = list(own.values())
    for each in columns:
        table.add_column(each.chinese, justify="right")
    table.add_column("等级")
    for row in rows:
        figures = [shown(each, row.figures[each.code]) for each in columns]
        table.add_row("" if row.place is None else str(row.place), row.name, row.subject, *figures, row.grade or "")
    return table
