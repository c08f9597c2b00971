"""Cells of files that people open in a spreadsheet: what somebody wrote is text there, never a formula.

In CSV an apostrophe stands before a text that a spreadsheet would calculate; in XLSX the cell says that it is text.
"""

from __future__ import annotations

import re
from typing import Any

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
"""Where a spreadsheet begins to calculate; those with apostrophes before it too, so that guarding can be taken back."""
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?%?")
_GUARDED = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")


def safe_cell(cell: Any) -> Any:
    """A cell for CSV: a text that would be a formula is led by an apostrophe; numbers and everything else stay."""
    if isinstance(cell, str) and _FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def unguarded(cell: Any) -> Any:
    """The text that `safe_cell` guarded."""
    return cell[1:] if isinstance(cell, str) and _GUARDED.match(cell) else cell


def keep_text(cell: Any) -> None:
    """Make an openpyxl cell that holds a text tell so, a text that begins with = too."""
    if isinstance(cell.value, str):
        cell.data_type = "s"
        if _FORMULA.match(cell.value):
            cell.quotePrefix = True
