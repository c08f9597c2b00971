"""What `monthly --from returns` shows: the counties' own returns beside our count."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from appliance.options import say, show

if TYPE_CHECKING:
    from appliance.scoring.periods import Period
    from server.prefecture.comparison import Compared

DIFFERS = "≠"


def show_comparison(month: str, out: Path | None, strict: bool, home: Path, as_json: bool) -> None:
    """Fetch, compare, show or write; exit code 1 by `strict` when a return differs."""
    from server.prefecture.comparison import compare_month, comparison_document
    from server.prefecture.store import opened

    with opened(home) as platform:
        period = platform.month(month)
        found = compare_month(platform, period)
    if out is not None:
        out.write_bytes(_file(found, period, out.suffix.lower()))
        say(f"{period.name}: {sum(each.returned is not None for each in found)}/{len(found)} 个县 (counties) → {out}")
    if as_json:
        show(comparison_document(found, period))
    elif out is None:
        _show_table(found)
    if not as_json:
        _show_remarks(found)
    if strict and any(each.differences for each in found):
        raise SystemExit(1)


def _file(found: Sequence[Compared], month: Period, suffix: str) -> bytes:
    import msgspec

    from appliance.scoring.return_files import csv_of, xlsx_of
    from server.prefecture.comparison import both_rows, comparison_document

    if suffix == ".json":
        return msgspec.json.format(msgspec.json.encode(comparison_document(found, month)), indent=1)
    rows, marked = both_rows(found)
    return csv_of(rows, month) if suffix == ".csv" else xlsx_of(rows, month, marked)


def _show_table(found: Sequence[Compared]) -> None:
    from appliance.scoring.monthly_return import columns
    from appliance.scoring.return_files import head, shown
    from server.prefecture.comparison import both_rows

    rows, marked = both_rows(found)
    click.echo("\t".join(head()))
    for place, row in enumerate(rows):
        values = (
            shown(column, row.values.get(column.code)) + (DIFFERS if (place, column.code) in marked else "")
            for column in columns()
        )
        click.echo("\t".join([row.county, row.name, *values]))


def _show_remarks(found: Sequence[Compared]) -> None:
    """What differs, what could not be had, and what makes a difference worth less."""
    from appliance.clock import rfc3339
    from appliance.scoring.monthly_return import columns, rule
    from appliance.scoring.return_files import shown

    by_code = {column.code: column for column in columns()}
    for each in found:
        who = f"{each.county} {each.name}"
        for difference in each.differences:
            column = by_code[difference.code]
            theirs, ours = shown(column, difference.returned), shown(column, difference.counted)
            english = f"{column.english}: returned {theirs}, rows give {ours}"
            click.echo(f"{DIFFERS} {who}: {difference.chinese} 上报 {theirs},过程数据 {ours} ({english})")
        if each.trouble is not None:
            click.echo(f"! {who}: {each.trouble.zh} ({each.trouble.en})")
        if each.rule is not None and each.rule != rule():
            click.echo(f"! {who}: 按另一份栏目文件统计 {each.rule.id} (made by another file of columns)")
        if each.differences and (each.level_at is None or each.level_at < each.as_of):
            click.echo(f"! {who}: 副本只到 {rfc3339(each.level_at) or '—'} (the replica is not level with the return)")
