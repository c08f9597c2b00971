"""What the prefecture makes of its counties: `rank`, `monthly`, `daily`; and `check`, which tests any county's port."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from appliance.options import json_option, say, show
from server.prefecture.command_line.comparing import show_comparison
from server.prefecture.command_line.shared import home_option, split_words

if TYPE_CHECKING:
    from appliance.scoring.monthly_return import Row
    from appliance.scoring.periods import Period
    from server.prefecture.store import Platform

key_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--month", metavar="YYYY-MM", help="[default: the present month]")
@click.option(
    "--by", multiple=True, metavar="CODE", help="Columns that decide, by commas. [default: return_columns.csv, ranks]"
)
@home_option
@json_option
def rank(month: str | None, by: tuple[str, ...], home: Path, as_json: bool) -> None:
    """Rank the counties, from the history rows of their replicas and by one rule for all.

    Counties with equal values share a place. One without a case to be judged by has none.

    \b
    Examples:
      wanmi prefecture rank --month 2026-10
      wanmi prefecture rank --by close_rate,rework_rate
    """
    from appliance.scoring.monthly_return import columns
    from appliance.scoring.return_files import shown
    from server.prefecture.monthly import ranking, ranking_columns
    from server.prefecture.store import opened

    with opened(home) as platform:
        period, rows = _table(platform, month)
    words = split_words(by)
    places = ranking(rows, words)
    if as_json:
        told = [
            {"place": each.place, "tied": each.tied, "county": each.row.county, "name": each.row.name,
             "values": each.row.values}
            for each in places
        ]  # fmt: skip
        show({"period": period.name, "places": told})
        return
    by_code = {column.code: column for column in columns()}
    deciding = [by_code[code] for code in words or ranking_columns()]
    for each in places:
        place = "—" if each.place is None else f"{each.place}{' 并列 (tied)' if each.tied else ''}"
        values = "\t".join(f"{column.chinese} {shown(column, each.row.values[column.code])}" for column in deciding)
        click.echo(f"{place}\t{each.row.county}\t{each.row.name}\t{values}")


@click.command()
@click.argument("month", metavar="YYYY-MM")
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path), help="A file .csv, .xlsx or .json.")
@click.option(
    "--from", "origin", type=click.Choice(["rows", "returns"]), default="rows", show_default=True,
    help="Count the history rows of the replicas, or fetch the counties' own returns and compare.",
)  # fmt: skip
@click.option("--strict", is_flag=True, help="Exit code 1 when a return differs from the county's rows.")
@home_option
@json_option
def monthly(month: str, out: Path | None, origin: str, strict: bool, home: Path, as_json: bool) -> None:
    """Make the prefecture's table of a month: a row for each county and a last one with the sums.

    The columns stand in appliance/scoring/return_columns.csv with what each is made of and where it comes from. With
    --from returns each county's own return is fetched, kept, and shown beside what its process rows give; what differs
    is marked. A county whose return cannot be had has a row that says why.

    \b
    Examples:
      wanmi prefecture monthly 2026-10
      wanmi prefecture monthly 2026-10 --out 2026-10.xlsx
      wanmi prefecture monthly 2026-10 --from returns --strict
    """
    from appliance.scoring.monthly_return import columns
    from appliance.scoring.return_files import head, shown
    from server.prefecture.monthly import as_document, check_suffix, written
    from server.prefecture.store import opened

    if out is not None:
        check_suffix(out.suffix.lower())
    if origin == "returns":
        show_comparison(month, out, strict, home, as_json)
        return
    with opened(home) as platform:
        period, rows = _table(platform, month)
    if out is not None:
        out.write_bytes(written(rows, period, out.suffix.lower()))
        say(f"{period.name}: {len(rows) - 1} 个县 (counties) → {out}")
    if as_json:
        show(as_document(rows, period))
    elif out is None:
        click.echo("\t".join(head()))
        for row in rows:
            values = (shown(column, row.values[column.code]) for column in columns())
            click.echo("\t".join([row.county, row.name, *values]))


@click.command()
@click.argument("day", metavar="YYYY-MM-DD")
@home_option
@json_option
def daily(day: str, home: Path, as_json: bool) -> None:
    """The counties' daily reports of a day: reports, filed and closed, and how many are open and overdue now.

    Each county that can be called is asked at once; one that calls by itself or sends files brings its report with its
    next call, and the last one that came is shown.

    \b
    Example:
      wanmi prefecture daily 2026-10-08
    """
    from server.prefecture.daily import daily_reports
    from server.prefecture.store import opened

    with opened(home) as platform:
        found = daily_reports(platform, day)
    if as_json:
        show({"day": day, "counties": [each.as_dict() for each in found]})
        return
    click.echo("代码\t县(市、区)\t上报\t立案\t结案\t现未结\t现超期")
    for each in found:
        if each.report is None:
            click.echo(f"{each.county}\t{each.name}\t{'' if each.trouble is None else each.trouble[0]}")
            continue
        facts, now = each.report["facts"], each.report["now"]
        figures = (facts["reports"], facts["filed"], facts["closed"], now["open"], now["overdue"])
        click.echo("\t".join([each.county, each.name, *map(str, figures)]))


@click.command()
@click.argument("url", metavar="URL")
@click.option("--cert", required=True, type=key_file, help="A client certificate that the county lists.")
@click.option("--key", required=True, type=key_file, help="Its key.")
@click.option("--ca", required=True, type=key_file, help="The CA that signed the county's certificate.")
@click.option("--write", is_flag=True, help="Also send a case down (twice, as one) and take it back.")
@click.option("--wait", default=2.0, show_default=True, type=click.FloatRange(0.1, 60), help="Seconds of a long poll.")
@json_option
def check(url: str, cert: Path, key: Path, ca: Path, write: bool, wait: float, as_json: bool) -> None:
    """Test the exchange port of any county node at URL (https://HOST:PORT) against the contract.

    A line for each rule: ok, failed or skipped, and what was seen. Nothing is changed without --write. Exit code 1 when
    a rule failed.

    \b
    Example:
      wanmi prefecture check https://10.0.0.2:8412 --ca /srv/xuchang/keys/ca.crt \\
          --cert /srv/xuchang/keys/prefecture.crt --key /srv/xuchang/keys/prefecture.key
    """
    from server.prefecture.conformance.run import run_checks

    results = run_checks(url, cert=cert, key=key, ca=ca, write=write, wait=wait)
    good = all(each.state != "failed" for each in results)
    if as_json:
        show({"ok": good, "url": url, "checks": [each.as_dict() for each in results]})
    else:
        for each in results:
            click.echo(f"{each.state}\t{each.check}\t{each.seen}")
    if not good:
        raise SystemExit(1)


def _table(platform: Platform, month: str | None) -> tuple[Period, list[Row]]:
    from appliance.clock import local
    from server.prefecture.monthly import table

    now, zone = platform.clock.now(), platform.settings.zone
    period = platform.month(month or local(now, zone).strftime("%Y-%m"))
    with platform.begin() as connection:
        return period, table(connection, period)
