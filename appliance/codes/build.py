"""Builds the shipped tables of `appliance/codes/data` from a folder of gathered standards.

Run `python -m appliance.codes.build FOLDER` when a table there has changed. Editions are normalised to one header and
every name gets its pinyin initials here, so that loading a code book never imports pypinyin. The provenance column is
carried along unchanged.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

CLASS_SOURCES = {
    "2026": {"part": "part_classes_gbt47678.csv", "event": "event_classes_gbt47678.csv"},
    "2013": {"part": "part_classes.csv", "event": "event_classes.csv"},
    "2007": {"part": "part_classes_cjt214.csv", "event": "event_classes_cjt214.csv"},
}
CLASS_HEADER = ("kind", "code", "class_code", "class_name", "name", "english", "initials", "provenance")
COPIED = {
    "code_map_2013_2026.csv": "map_2013_2026.csv",
    "case_sources.csv": "sources.csv",
    "attribute_fields.csv": "attribute_fields.csv",
    "time_limits.csv": "limits/yuncheng.csv",
}
DATA = Path(__file__).parent / "data"


def initials(name: str) -> str:
    """Lower-case pinyin initials of a name, punctuation dropped: 污水井盖 → wsjg."""
    from pypinyin import Style, lazy_pinyin  # 0.1 s and 20 MB, needed only where tables are made

    letters = "".join(lazy_pinyin(name, style=Style.FIRST_LETTER, errors="default"))
    return "".join(letter for letter in letters.lower() if letter.isascii() and letter.isalnum())


def build(standards: Path) -> None:
    """Write all tables from the folder `standards`.

    Raises:
        FileNotFoundError: a table is missing in the folder.
    """
    (DATA / "limits").mkdir(parents=True, exist_ok=True)
    for edition, kinds in CLASS_SOURCES.items():
        rows = [
            {**row, "kind": kind, "initials": initials(row["name"])}
            for kind, name in kinds.items()
            for row in read_rows(standards / name)
        ]
        write_rows(DATA / f"classes_{edition}.csv", CLASS_HEADER, rows)
    for source, target in COPIED.items():
        rows = read_rows(standards / source)
        write_rows(DATA / target, tuple(rows[0]), rows)


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def write_rows(path: Path, header: tuple[str, ...], rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, header, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
