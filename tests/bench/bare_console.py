"""The bare side of the console's bench: a Textual app with one DataTable of a hundred rows and nothing else."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import DataTable

COLUMNS = ("灯", "案件号", "状态", "类别", "地点", "部门", "剩余")


class Bare(App[None]):
    """One table."""

    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns(*COLUMNS)
        for row in range(100):
            table.add_row("绿", f"1122-{row:05d}", "处置中", "污水井盖", "颍川街道药城路18号", "市政管理所", "1时59分")


if __name__ == "__main__":
    Bare().run()
