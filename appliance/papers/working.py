"""Makes the papers that are to be made, in a process of its own: `python -m appliance.papers.working HOME NOW`.

A paper that cannot be made does not keep the others from it. Prints as JSON what was made and what failed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import text

from appliance.cases.office import Office
from appliance.clock import ManualClock
from appliance.errors import Broken, WanmiError
from appliance.own_process import serve
from appliance.papers.files import FORMATS
from appliance.papers.filing import filed_or_draft
from appliance.papers.making import NICE, bulletin_page
from appliance.papers.pages import FOLDER
from appliance.papers.printing import pdf_of
from appliance.papers.recurring import RETURN, Due, due_papers, file_of
from appliance.records.writer import Unit
from appliance.scoring.evaluation import Evaluation

_KEEP = text(
    "INSERT INTO made_paper (paper, period, made_at, of_closed) VALUES (:paper, :period, :now, :closed) "
    "ON CONFLICT (paper, period) DO UPDATE SET made_at = :now, of_closed = :closed"
)


def make_due(office: Office) -> dict[str, Any]:
    """Make what is to be made; `made` names the files, `failed` says what went wrong by paper and period."""
    records, evaluation = office.records, Evaluation(office.records)
    with records.read() as connection:
        due = due_papers(connection, records.home, office.settings, records.clock.now())
    waiting = [each for each in due if each.to_make]
    made: list[str] = []
    failed: dict[str, str] = {}
    for each in reversed(waiting):
        try:
            made += _make(office, evaluation, each)
        except WanmiError as error:
            failed[f"{each.paper.paper} {each.period}"] = error.zh
    return {"made": made, "failed": failed}


def _make(office: Office, evaluation: Evaluation, due: Due) -> list[str]:
    """Write the files of a paper and note it; without a PDF where that cannot be made, and then told as failed."""
    home, problem = office.records.home, None
    files: dict[str, bytes] = {}
    if due.paper.maker == RETURN:
        with office.records.read() as connection:
            evaluated = evaluation.evaluate(connection, evaluation.period(due.period))
            document = filed_or_draft(connection, evaluation, evaluated)
        files = {ending: write(document) for ending, write in FORMATS.items()}
    else:
        page = bulletin_page(office, due.period)
        files["html"] = page.encode()
        try:
            files["pdf"] = pdf_of(page)
        except Broken as error:
            problem = error
    names = [_write(file_of(home, due.paper.maker, due.period, ending), body) for ending, body in files.items()]

    def keep(unit: Unit) -> None:
        values = {"paper": due.paper.paper, "period": due.period, "now": unit.now, "closed": due.is_closed}
        unit.connection.execute(_KEEP, values)

    if problem is not None:
        raise problem
    office.records.write(keep)
    return names


def _write(file: Path, body: bytes) -> str:
    """Write a file whole or not at all, for its owner only."""
    file.parent.mkdir(mode=0o700, exist_ok=True)
    temporary = file.with_name(f"{file.name}.new")
    temporary.touch(mode=0o600)
    temporary.write_bytes(body)
    temporary.replace(file)
    return f"{FOLDER}/{file.name}"


def main(home: Path, now: int) -> bytes:
    """Make them; returns what was made as JSON."""
    os.nice(NICE)
    office = Office.open(home, clock=ManualClock(now))
    try:
        told = make_due(office)
    finally:
        office.close()
    return msgspec.json.encode(told)


if __name__ == "__main__":
    serve(lambda: main(Path(sys.argv[1]), int(sys.argv[2])))
