"""The assessor hands in the month: one table in three formats, signed once, revised only when something changed."""

from __future__ import annotations

import csv
import json
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from appliance.cli import wanmi
from appliance.errors import BadFile, Conflict, Forbidden
from appliance.papers import filing
from appliance.papers.files import csv_of, json_of, xlsx_of
from appliance.papers.monthly import return_document
from appliance.papers.template import SHIPPED, load_template
from appliance.records.store import Records
from appliance.scoring.evaluated import Evaluated
from appliance.scoring.evaluation import Evaluation
from appliance.scoring.pack import national
from appliance.scoring.periods import month_of
from appliance.scoring.scores import Named
from appliance.scoring.store import named_subjects
from tests.cases.desk import Desk
from tests.scoring import example
from tests.scoring.test_the_worked_example import LATER, counted

HEAD = (
    "单位,受理数,立案数,立案率,派遣数,派遣率,未派遣数,应结案数,"
    "结案数,结案率,按期结案数,按期结案率,返工数,返工率,延期数,延期率"
)


def october(records: Records) -> dict[str, Any]:
    """The draft of the worked example of indicator_definitions 11."""
    period = month_of("2026-10", example.ZONE, LATER)
    basis, found = example.basis(), counted(period)
    named: dict[str, dict[str, Named]] = {
        scope: named_subjects(found, basis, scope) for scope in ("department", "platform")
    }
    with records.read() as connection:
        evaluated = Evaluated(period, None, 0, named, (national(),))
        return return_document(connection, Evaluation(records), evaluated) | dict(filing.UNFILED)


def table(document: dict[str, Any]) -> dict[str, list[list[Any]]]:
    """The cells of the three formats."""
    names = [column["name"] for column in document["columns"]]
    sheet = load_workbook(BytesIO(xlsx_of(document))).worksheets[0]
    read = json.loads(json_of(document))
    return {
        "csv": list(csv.reader(StringIO(csv_of(document).decode("utf-8-sig")))),
        "xlsx": [["" if cell is None else cell for cell in row] for row in sheet.iter_rows(values_only=True)],
        "json": [names, *([row[name] for name in names] for row in read["rows"])],
    }


def test_the_name_of_a_unit_is_text_in_every_format(desk: Desk) -> None:
    """Somebody named a unit with a formula: no spreadsheet calculates it."""
    document = october(desk.office.records)
    formula = '=HYPERLINK("http://evil.example","x")'
    document["rows"][0]["单位"] = document["name"] = document["signed_by_name"] = formula
    book = load_workbook(BytesIO(xlsx_of(document)))
    types = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert "f" not in types, "the type of a formula"
    read = table(document)
    assert (read["xlsx"][1][0], read["json"][1][0], read["csv"][1][0]) == (formula, formula, f"'{formula}")


def test_the_worked_example_is_the_same_table_in_three_formats(desk: Desk) -> None:
    document = october(desk.office.records)
    cells = table(document)
    assert cells["xlsx"] == cells["json"]
    assert cells["csv"] == [[str(cell) for cell in row] for row in cells["json"]]
    head, first, second, total = (",".join(row) for row in cells["csv"])
    assert head == HEAD
    assert first.endswith(",,,,3,,,2,1,50.00%,1,50.00%,0,0.00%,0,0.00%"), first
    assert second.endswith(",,,,2,,,2,1,50.00%,0,0.00%,1,50.00%,0,0.00%"), second
    assert total == "合计,5,5,100.00%,4,80.00%,0,4,2,50.00%,1,25.00%,1,25.00%,0,0.00%"
    assert document["values"][-1]["dispatch_rate"] == 0.8
    assert document["pack"]["id"] == "national"
    assert len(document["pack"]["sha256"]) == 64
    again = october(desk.office.records)
    for written in (json_of, csv_of, xlsx_of):
        assert written(again) == written(document), "the same month, the same bytes"


def test_rates_are_rounded_half_up_and_nothing_is_neither_none_nor_all() -> None:
    columns = {column.code: column for column in load_template(SHIPPED).columns}
    rate = columns["close_rate"]
    assert rate.cell({"closed": 2, "should_close": 3}) == "66.67%"
    assert rate.cell({"closed": 1, "should_close": 800}) == "0.13%", "0.125 is half"
    assert rate.cell({"closed": 0, "should_close": 0}) == "—"
    assert rate.value({}) is None


def test_a_county_edits_its_template_and_a_wrong_one_is_refused_with_its_line(desk: Desk) -> None:
    own = desk.office.records.home / "packs" / "monthly_return.csv"
    own.parent.mkdir(exist_ok=True)
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    own.write_text(
        "\n".join([lines[0], lines[1], 'due,到期未结,Open and due,should_close - closed,,yes,"ours"', lines[8]])
    )
    assert table(october(desk.office.records))["csv"][-1] == ["合计", "2", "4"]
    for line, why in (
        ("x,幸福数,Happy,happiness,,,", "line 3.*no fact 'happiness'"),
        ("x,受理数,Accepted,accepted,,yes,", "line 3.*department has no fact 'accepted'"),
        ("unit,单位,Unit,unit_name,,yes,", "line 3.*given twice"),
        ("x,结案率,Rate,closed closed,,yes,", "line 3.*no sum"),
        ("x,结案率,Rate,,,yes,", "line 3.*no numerator"),
        ("x,结案率,Rate,closed,,perhaps,", "line 3.*yes or empty"),
    ):
        own.write_text("\n".join([lines[0], lines[1], line]), encoding="utf-8")
        with pytest.raises(BadFile, match=why):
            load_template(own)
    own.write_bytes(b"\xff\xfe")
    with pytest.raises(BadFile, match="cannot be read"):
        load_template(own)


def submit(desk: Desk, account: str, month: str = "2026-10") -> dict[str, Any]:
    actor, evaluation = desk.who(account), Evaluation(desk.office.records)
    return desk.office.records.write(lambda unit: filing.submit(unit, evaluation, actor, month))


def test_it_is_signed_when_the_month_is_closed_and_revised_only_when_it_changed(desk: Desk) -> None:
    desk.to_closed()
    desk.to_dispatched()
    desk.clock.advance(days=40)
    with pytest.raises(Conflict, match="wanmi score close 2026-10"):
        submit(desk, "k1")
    Evaluation(desk.office.records).close("2026-10", "k1")
    with pytest.raises(Forbidden):
        submit(desk, "s1")
    filed = submit(desk, "k1")
    assert (filed["state"], filed["revision"], filed["signed_by_name"]) == ("submitted", 1, "考核员一")
    with pytest.raises(Conflict, match="nothing in it has changed"):
        submit(desk, "b1")
    own = desk.office.records.home / "packs" / "monthly_return.csv"
    own.parent.mkdir(exist_ok=True)
    own.write_text(SHIPPED.read_text(encoding="utf-8").replace("结案率,Closing", "办结率,Closing"), encoding="utf-8")
    desk.clock.advance(hours=1)
    revised = submit(desk, "b1")
    assert (revised["state"], revised["revision"], revised["signed_by"]) == ("revised", 2, "b1")
    evaluation = Evaluation(desk.office.records)
    with desk.office.records.read() as connection:
        evaluated = evaluation.evaluate(connection, evaluation.period("2026-10"))
        shown = filing.filed_or_draft(connection, evaluation, evaluated)
        draft = filing.filed_or_draft(connection, evaluation, evaluated, draft=True)
        page = filing.filings_page(connection, before="9999", limit=5)
    assert (shown["state"], shown["rows"][-1]["办结率"], draft["state"]) == ("revised", "50.00%", "draft")
    assert [(row["period"], row["revision"]) for row in page] == [("2026-10", 2)]


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(wanmi, ["report", *words, "--home", str(home)])


def test_the_technician_writes_it_on_the_command_line(desk: Desk, tmp_path: Path) -> None:
    desk.to_closed()
    home = desk.office.records.home
    for ending in ("xlsx", "csv", "json"):
        done = run(home, "monthly", "2026-10", str(tmp_path / f"r.{ending}"))
        assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert (told["rows"][-1]["单位"], told["rows"][-1]["结案数"], told["state"]) == ("合计", 1, "draft")
    assert (tmp_path / "r.csv").read_text(encoding="utf-8-sig").startswith(HEAD)
    assert run(home, "monthly", "2026-10", str(tmp_path / "r.doc")).exit_code == 2
    signed = run(home, "submit", "2026-10", "--by", "k1", "--json")
    assert isinstance(signed.exception, Conflict), "October is not closed"
