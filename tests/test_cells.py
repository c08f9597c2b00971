"""What somebody wrote is text in every spreadsheet; and a text is the same again when it was guarded and read."""

from __future__ import annotations

import pytest
from openpyxl import Workbook

from appliance.cells import keep_text, safe_cell, unguarded


@pytest.mark.parametrize("written", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1"])
def test_a_text_that_would_be_a_formula_is_guarded(written: str) -> None:
    assert safe_cell(written) == f"'{written}"
    assert unguarded(safe_cell(written)) == written


@pytest.mark.parametrize("written", ["井盖", "", "—", "-5", "+86", "-12.5%", "'quoted'", 3, -3.5, None, True])
def test_everything_else_stays(written: object) -> None:
    assert safe_cell(written) == written
    assert unguarded(written) == written


@pytest.mark.parametrize("written", ["'=1", "''=1", "'-5"])
def test_a_text_that_had_an_apostrophe_keeps_it(written: str) -> None:
    assert unguarded(safe_cell(written)) == written


def test_a_text_in_a_workbook_is_text() -> None:
    sheet = Workbook().active
    sheet.append(["=1+1", 2])
    for cell in sheet[1]:
        keep_text(cell)
    assert [(cell.value, cell.data_type) for cell in sheet[1]] == [("=1+1", "s"), (2, "n")]
