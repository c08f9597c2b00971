"""`wanmi report`: the papers of a county: the monthly return and handing it in, notices and letters of cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appliance.options import home_option, json_option, say, show

if TYPE_CHECKING:
    from appliance.cases.office import Office
    from appliance.people.actor import Actor
    from appliance.records.store import Records


PAGES = ("html", "pdf")


@click.group()
def report() -> None:
    """Papers: the monthly return due to the prefecture by the 10th, bulletins, notices and letters of cases.

    Pages are written as .html to print from a browser, or as .pdf. A county's own template of a notice or letter is
    papers/notice.html.j2 or papers/letter.html.j2 in the home.
    """


@report.command()
@click.argument("month")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--draft", is_flag=True, help="What would be handed in now, also where a return was handed in.")
@home_option
@json_option
def monthly(month: str, file: Path, draft: bool, home: Path, as_json: bool) -> None:
    """The monthly return as FILE.xlsx, FILE.csv or FILE.json: a row for each unit and a last row 合计.

    The newest return that was handed in, else the draft. 合计 is the platform's figure, not the sum of a column. The
    three formats hold the same cells; JSON has the unrounded values beside them. The columns are a template: copy
    the shipped monthly_return.csv to packs/ in the home and edit it there.

    \b
    Examples:
      wanmi report monthly 2026-10 return.xlsx
      wanmi report monthly 2026-10 return.json --draft
    """
    from appliance.papers.files import FORMATS, STATES
    from appliance.papers.filing import filed_or_draft
    from appliance.scoring.evaluation import Evaluation
    from appliance.scoring.periods import month_of

    written_as = _format(file, tuple(FORMATS))
    with _records(home) as records:
        evaluation = Evaluation(records)
        period = month_of(month, evaluation.settings.zone, records.clock.now())
        with records.read() as connection:
            document = filed_or_draft(connection, evaluation, evaluation.evaluate(connection, period), draft=draft)
    file.write_bytes(FORMATS[written_as](document))
    if as_json:
        told = ("period", "as_of", "pack", "template", "state", "revision", "signed_by", "signed_by_name", "signed_at")
        show({"file": str(file)} | {name: document[name] for name in told})
    else:
        say(f"{file}: {month} {STATES[document['state']]} / {document['state']}")


@report.command()
@click.argument("month")
@click.option("--by", "account", required=True, metavar="ACCOUNT", help="Who signs: an assessor, leader or admin.")
@home_option
@json_option
def submit(month: str, account: str, home: Path, as_json: bool) -> None:
    """Sign the return of a closed month and hand it in: the first time submitted, later revised.

    A revision needs something to have changed, such as the county's template; what was handed in before is kept.

    \b
    Example:
      wanmi report submit 2026-10 --by kaohe1
    """
    from appliance.papers import filing
    from appliance.papers.files import STATES
    from appliance.people.accounts import actor_of
    from appliance.scoring.evaluation import Evaluation

    with _records(home) as records:
        evaluation = Evaluation(records)
        with records.read() as connection:
            actor = actor_of(connection, account)
        filed: dict[str, Any] = records.write(lambda unit: filing.submit(unit, evaluation, actor, month))
    if as_json:
        show(filed)
    else:
        say(f"{month} {STATES[filed['state']]} ({filed['revision']}) {filed['signed_by_name']} / {filed['state']}")


@report.command()
@click.argument("number")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@home_option
def notice(number: str, file: Path, home: Path) -> None:
    """The rectification notice 整改通知 of a dispatched case, as FILE.html or FILE.pdf.

    \b
    Example:
      wanmi report notice 4110812026100800001 notice.pdf
    """
    from appliance.papers.case_papers import notice_facts

    _of_case(home, file, "notice", lambda connection, office, actor: notice_facts(connection, office, actor, number))


@report.command()
@click.argument("number")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--supervision", required=True, type=int, metavar="ID", help="Which supervision of the case.")
@home_option
def letter(number: str, file: Path, supervision: int, home: Path) -> None:
    """The supervision letter 督办函 of a supervised case, as FILE.html or FILE.pdf.

    \b
    Example:
      wanmi report letter 4110812026100800001 --supervision 3 letter.pdf
    """
    from appliance.papers.case_papers import letter_facts

    _of_case(
        home, file, "letter",
        lambda connection, office, actor: letter_facts(connection, office, actor, number, supervision),
    )  # fmt: skip


@report.command()
@click.argument("period")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@home_option
def bulletin(period: str, file: Path, home: Path) -> None:
    """The bulletin 专刊 of a day, week, month, quarter or year, as FILE.html or FILE.pdf.

    Key figures with their change, units ranked within groups of like duty, streets, sources, common classes, what is
    overdue, ledgers, patrols, satisfaction. A county's own template is papers/bulletin.html.j2 in the home.

    \b
    Examples:
      wanmi report bulletin 2026-10 bulletin.pdf
      wanmi report bulletin 2026-W41 week41.html
    """
    from appliance.cases.office import Office
    from appliance.papers.making import bulletin_page

    written_as = _format(file, PAGES)
    office = Office.open(home)
    try:
        page = bulletin_page(office, period)
    finally:
        office.close()
    _write_page(file, written_as, page)


def _of_case(home: Path, file: Path, template: str, facts: Callable[[Any, Office, Actor], dict[str, Any]]) -> None:
    """Write a paper that is filled from a case."""
    from appliance.cases.office import Office
    from appliance.papers.pages import page_of
    from appliance.people.actor import Actor

    written_as = _format(file, PAGES)
    office = Office.open(home)
    try:
        technician = Actor("technician", "技术员", frozenset(("technician",)))
        with office.records.read() as connection:
            page = page_of(home, template, facts(connection, office, technician))
    finally:
        office.close()
    _write_page(file, written_as, page)


def _write_page(file: Path, written_as: str, page: str) -> None:
    from appliance.papers.printing import pdf_of

    file.write_bytes(page.encode() if written_as == "html" else pdf_of(page))
    say(str(file))


@contextmanager
def _records(home: Path) -> Iterator[Records]:
    """The records of a home."""
    from appliance.records.store import Records

    records = Records.open(home)
    try:
        yield records
    finally:
        records.close()


def _format(file: Path, known: tuple[str, ...]) -> str:
    """The format that a file's ending names."""
    ending = file.suffix.lower().removeprefix(".")
    if ending not in known:
        raise click.BadParameter(
            f"{file.name}: 文件名须以 .{'、.'.join(known)} 结尾 / the name ends in .{', .'.join(known)}"
        )
    return ending
