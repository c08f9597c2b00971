"""A return as a file: JSON, CSV or XLSX with the same cells. The same document gives the same bytes."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from datetime import datetime
from io import StringIO
from typing import Any

import msgspec

from appliance.cells import keep_text, safe_cell
from appliance.clock import micros
from appliance.scoring.return_files import packed

ABOUT = "说明"
STATES = {"draft": "草稿", "submitted": "已报送", "revised": "已更正"}
Document = Mapping[str, Any]


ROW_POINTS = 20


def json_of(document: Document) -> bytes:
    """The return for a machine."""
    return msgspec.json.format(msgspec.json.encode(document), indent=1)


def csv_of(document: Document) -> bytes:
    """The cells alone, UTF-8 with a mark for spreadsheets."""
    written = StringIO()
    csv.writer(written).writerows(map(safe_cell, row) for row in _cells(document))
    return written.getvalue().encode("utf-8-sig")


def xlsx_of(document: Document) -> bytes:
    """The cells on the first sheet; how they were made and who signed on the second."""
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Border, Font, Side

    book = Workbook()
    sheet = book.active
    sheet.title = document["period"]
    line = Side("thin")
    cells = _cells(document)
    for row in cells:
        sheet.append([None if cell == "" else cell for cell in row])
    for number, row in enumerate(sheet.iter_rows(), start=1):
        sheet.row_dimensions[number].height = ROW_POINTS
        for cell in row:
            keep_text(cell)
            cell.border = Border(line, line, line, line)
            cell.alignment = Alignment("left" if cell.column == 1 and number > 1 else "center", "center")
            cell.font = Font(bold=number in (1, len(cells)))
    for number, column in enumerate(zip(*cells, strict=True), start=1):
        sheet.column_dimensions[sheet.cell(1, number).column_letter].width = max(map(_width, column)) + 2
    sheet.freeze_panes = "B2"
    sheet.page_setup.orientation, sheet.page_setup.paperSize, sheet.page_setup.fitToHeight = "landscape", 9, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:1"
    sheet.oddHeader.center.text, sheet.oddHeader.center.size = heading(document), 16
    sheet.oddFooter.left.text = "填报单位: ____________  填表人: ________  签发人: ________"
    sheet.oddFooter.right.text = "第 &P 页 共 &N 页"
    about = book.create_sheet(ABOUT)
    for pair in about_lines(document):
        about.append(pair)
        for cell in about[about.max_row]:
            keep_text(cell)
    about.page_setup.fitToHeight, about.sheet_properties.pageSetUpPr.fitToPage = 0, True
    about.column_dimensions["A"].width, about.column_dimensions["B"].width = 14, 70
    return packed(book, micros(datetime.fromisoformat(document["as_of"])))


def heading(document: Document) -> str:
    """What stands over the printed return; the cells themselves are figures only, for whoever reads the file in."""
    year, month = document["period"].split("-")
    return f"{document['name']}数字化城市管理工作月报 {year}年{int(month)}月"


def about_lines(document: Document) -> list[tuple[str, str]]:
    """How a return was made, and how it stands."""
    return [
        ("县(市、区)", f"{document['name']} {document['county']}"), ("月份", document["period"]),
        ("统计截至", document["as_of"]),
        ("指标包", document["pack"]["id"]), ("指标包 SHA-256", document["pack"]["sha256"]),
        ("模板", document["template"]["id"]), ("模板 SHA-256", document["template"]["sha256"]),
        ("状态", STATES[document["state"]]), ("版次", str(document["revision"])),
        ("签发人", document["signed_by_name"] or ""), ("签发时间", document["signed_at"] or ""),
    ]  # fmt: skip


FORMATS: dict[str, Callable[[Document], bytes]] = {"json": json_of, "csv": csv_of, "xlsx": xlsx_of}
"""How a return is written, by the ending of the file."""


def _cells(document: Document) -> list[list[Any]]:
    names = [each["name"] for each in document["columns"]]
    return [names, *([row[name] for name in names] for row in document["rows"])]


def _width(cell: Any) -> int:
    """In columns of a screen: a Chinese sign is two wide."""
    return sum(2 if ord(sign) > 0x2E7F else 1 for sign in str(cell))
