"""`wanmi personal`: what the county holds of a person, told to them and deleted on their request."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from appliance.options import home_option, json_option, say, show

if TYPE_CHECKING:
    from appliance.privacy.finding import Found
    from appliance.privacy.sought import Sought
    from appliance.records.store import Records

TECHNICIAN = "technician"


def person_options(function: Callable[..., None]) -> Callable[..., None]:
    """Exactly one way of saying who is meant."""
    for name, said in (
        ("account", "An account of the county's staff."),
        ("case", "The reporter of this case."),
        ("email", "The e-mail of a reporter."),
        ("phone", "The telephone of a reporter or caller."),
    ):
        function = click.option(f"--{name}", metavar=name.upper(), help=said)(function)
    return function


@click.group()
def personal() -> None:
    """Personal data of reporters, callers and staff: find, export, delete (个人信息保护法)."""


@personal.command()
@person_options
@click.option("--name", metavar="NAME", help="The exact name of a reporter; others may have it too.")
@home_option
@json_option
def find(home: Path, as_json: bool, **named: str | None) -> None:
    """Count where a person's data stands; of it numbers of cases are shown, paths of recordings, and papers."""
    with _person(home, named) as (_, found, who):
        told: dict[str, Any] = found.counts() | {"numbers": [row["number"] for row in found.reporters]}
        told |= _by_hand(home, found, who)
    if as_json:
        show(told)
        return
    counts = f"{told['cases']} 件案件, {told['calls']} 次来电, {told['texts']} 处文字, {told['accounts']} 个账号"
    click.echo(f"{counts} / cases, calls, texts, accounts")
    for number in told["numbers"]:
        click.echo(number)
    _tell_by_hand(told)


@personal.command()
@person_options
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@home_option
def export(file: Path, home: Path, **named: str | None) -> None:
    """Write everything of a person into FILE, as JSON that only its owner reads."""
    from appliance.exchange.links import write_private
    from appliance.privacy.finding import export as whole
    from appliance.records.acts import append_act

    with _person(home, named) as (records, found, _):
        with records.read() as connection:
            told = whole(connection, found)
        write_private(file, json.dumps(told, ensure_ascii=False, indent=1))
        counts = found.counts()
        records.write(lambda unit: append_act(unit, TECHNICIAN, "personal.export", "request", counts))
    say(f"已写 {file} / written; 交给本人后请删除 / delete it once the person has it")


@personal.command()
@person_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
@json_option
def delete(yes: bool, home: Path, as_json: bool, **named: str | None) -> None:
    """Blank a person's data. Cases stay, without who reported them; a restored backup deletes it again.

    History, scores and audit chains hold. Pictures are no longer handed on. This cannot be taken back. Recordings and
    papers that were made before are listed and left: somebody decides on each.
    """
    from appliance.privacy.copies import forget_copies, forget_stage, without_backup
    from appliance.privacy.deleting import delete as blank
    from appliance.privacy.deleting import refuse_in_use
    from appliance.privacy.deletions import note
    from appliance.privacy.sought import case_value, plain

    with _person(home, named) as (records, found, who):
        refuse_in_use(found, who)
        counts, left = found.counts(), _by_hand(home, found, who)
        if not yes:
            click.confirm(f"删除 / delete: {json.dumps(counts)}?", abort=True, err=True)
        (by, value), at = _named(named), records.clock.now()
        with without_backup(home):
            if by == "case":
                for row in found.reporters:
                    note(home, at, by, case_value(row["number"], row["reported_at"]))
            elif any(counts.values()):
                note(home, at, by, plain(by, value))
            if any(counts.values()):
                records.write(lambda unit: blank(unit, found, who, TECHNICIAN, "request"))
                forget_stage(home)
                if forget_copies(home):
                    say("升级前的数据库副本已删除 / the copy of the database before the last upgrade went, too")
    if as_json:
        show(counts | left)
    else:
        say(f"已删除 / deleted: {json.dumps(counts)}; 请随后备份 / back up next: wanmi backup now")
        _tell_by_hand(left)


def _by_hand(home: Path, found: Found, who: Sought) -> dict[str, Any]:
    """What no command deletes: recordings in the telephone system, papers that were made."""
    from appliance.privacy.papers import papers_of

    papers = papers_of(home, who, found)
    return {
        "recordings": sorted({row["recording"] for row in found.calls if row["recording"]}),
        "papers": list(papers.holding), "papers_unread": list(papers.unread),
    }  # fmt: skip


def _tell_by_hand(told: dict[str, Any]) -> None:
    for name, said in (
        ("recordings", "录音,请在电话系统中删除 / recordings, delete them in the telephone system"),
        ("papers", "写有此人的文书,请逐份决定 / papers that name the person, decide on each"),
        ("papers_unread", "无法自动查看的文书,请自行查看 / papers that cannot be read here, look at them"),
    ):
        if told[name]:
            click.echo(f"{said}:")
        for each in told[name]:
            click.echo(f"  {each}")


def _named(named: dict[str, str | None]) -> tuple[str, str]:
    given = [(by, value) for by, value in named.items() if value]
    if len(given) != 1:
        options = ", ".join(f"--{by}" for by in sorted(named))
        raise click.UsageError(f"请指定一项 / name exactly one of: {options}")
    return given[0]


@contextmanager
def _person(home: Path, named: dict[str, str | None]) -> Iterator[tuple[Records, Found, Sought]]:
    """The opened records, and what they hold of the person."""
    from appliance.privacy.finding import find as look
    from appliance.privacy.sought import sought
    from appliance.records.store import Records

    who = sought(*_named(named))
    records = Records.open(home)
    try:
        with records.read() as connection:
            found = look(connection, who)
        yield records, found, who
    finally:
        records.close()
