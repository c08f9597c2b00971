"""`wanmi analysis`: what is odd or rising in a period, each with the cases behind it."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.options import home_option, json_option, show


@click.command()
@click.argument("period")
@click.option("--kind", metavar="KIND", help="One kind only; see `appliance/analysis/findings.csv`.")
@click.option("--numbers", is_flag=True, help="Also the numbers of the cases behind each finding.")
@home_option
@json_option
def analysis(period: str, kind: str | None, numbers: bool, home: Path, as_json: bool) -> None:
    """Patterns in a period: staged checks, units always at the limit, hot spots, parts that fail again, seasonal rise.

    Staged work: the same collector and unit too often, checks minutes after the handling, photos used before, answers
    without proof, positions that jump. Every finding opens to its cases. A finding is a question, not a verdict.

    \b
    Examples:
      wanmi analysis 2026-10
      wanmi analysis 2026-Q4 --kind pair --numbers
    """
    from appliance.analysis.analysing import analyse
    from appliance.analysis.values import check_kind
    from appliance.records.store import Records
    from appliance.scoring.periods import period_of

    if kind is not None:
        check_kind(kind)
    records = Records.open(home)
    try:
        found = analyse(records, period_of(period, records.settings.zone, records.clock.now()))
    finally:
        records.close()
    items = [each for each in found if kind in (None, each["kind"])]
    if as_json:
        show({"period": period, "items": items})
        return
    if not items:
        click.echo("没有发现 / nothing found")
    for each in items:
        against = "" if each["of"] is None else f" / {each['of']:g}"
        click.echo(f"{each['title']} ({each['kind']})  {each['name']}  {each['count']}{against}")
        if numbers:
            click.echo("  " + " ".join(each["numbers"]))
