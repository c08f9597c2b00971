"""The tables beside the drivers are checked when they are loaded: a wrong one names file, row and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.drivers.alpha import dimming_levels
from devices.drivers.am03127 import brightness_levels
from devices.drivers.csv_tables import HERE, TableError, read_table
from devices.drivers.novastar_tables import tables
from devices.drivers.onbon_card import commands, errors, model_name
from devices.drivers.onbon_text import marks


def table(folder: Path, text: str) -> Path:
    (folder / "table.csv").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name,code\na,1\n", "columns are"),
        ("name,code,provenance\na,1,\n", "row 2: provenance"),
        ("name,code,provenance\n,1,seen\n", "row 2: name"),
        ("name,code,provenance\na,1,seen\na,2,seen\n", "row 3, name: a stands twice"),
        ("name,code,provenance\na,1,seen,more\n", "row 2: more cells"),
    ],
)
def test_a_wrong_table_is_refused_by_row_and_column(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(TableError, match=told):
        read_table("table.csv", ("name", "code"), unique="name", folder=table(tmp_path, text))


def test_a_cell_out_of_its_range_is_refused(tmp_path: Path) -> None:
    folder = table(tmp_path, "name,code,provenance\na,0x1FF,seen\nb,many,seen\n")
    first, second = read_table("table.csv", ("name", "code"), unique="name", folder=folder)
    with pytest.raises(TableError, match=r"row 2, code: 511 is not 0 to 255"):
        first.number("code", 0, 255)
    with pytest.raises(TableError, match="row 3, code: 'many' is no number"):
        second.number("code", 0, 255)
    with pytest.raises(TableError, match="row 2, name: 'a' is none of x, y"):
        first.one_of("name", ("x", "y"))


def test_the_shipped_tables_are_sound_and_whole() -> None:
    found = tables()
    assert {family for model in found.models.values() for family in [model.family.name]} == {
        "card", "660pro", "vx4s", "prohd",
    }  # fmt: skip
    assert len(found.patterns) == 10
    assert [len(model.family.inputs) for model in found.models.values()] == [0, 0, 0, 6, 8, 6, 6]
    assert (len(commands()), sorted(errors())) == (7, list(range(1, 17)))
    assert (model_name(0x58), model_name(0x69), model_name(0xFE)) == ("5K2", "6K4", None)
    assert marks()["red"] is marks()["红"]
    assert len({mark.name for mark in marks().values()}) == 17
    assert (dimming_levels()[4], brightness_levels()[0]) == (44, (76, "A"))


def test_every_table_of_the_drivers_says_where_each_row_is_from() -> None:
    files = sorted(HERE.glob("*.csv"))
    assert len(files) >= 11
    for file in files:
        header = file.read_text(encoding="utf-8").splitlines()[0]
        assert header.endswith(",provenance"), file.name
