"""A festival comes to town: its grids and parts form a layer, and cases there carry its flag."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.errors import Invalid, NotFound, UnknownCode
from appliance.places import layers
from tests.places.imports import imported, opened
from tests.places.test_imports import census

GRID, PART = "411081001001033", "41108101002000001"


def test_cases_in_the_festivals_grids_or_on_its_parts_carry_its_flag(home: Path, tmp_path: Path) -> None:
    with opened(home) as records:
        imported(records, "parts", census(tmp_path / "census.csv"))
        records.write(lambda unit: layers.save_layer(unit, "F1", "钧瓷文化节", "festival"))
        assert records.write(lambda unit: layers.add_members(unit, "F1", "grid", [GRID, GRID])) == 1
        assert records.write(lambda unit: layers.add_members(unit, "F1", "grid", [GRID])) == 0
        records.write(lambda unit: layers.add_members(unit, "F1", "part", [PART]))
        with records.read() as connection:
            assert layers.case_flags(connection, grid=GRID) == ("festival",)
            assert layers.case_flags(connection, part=PART, grid="411081001001001") == ("festival",)
            assert layers.case_flags(connection, grid="411081001001001") == ()
            assert layers.members(connection, "F1", "grid") == [GRID]
        records.write(lambda unit: layers.save_layer(unit, "F1", "钧瓷文化节", None))
        with records.read() as connection:
            assert layers.case_flags(connection, grid=GRID) == (), "a layer may only show"
            assert [layer.name for layer in layers.layers(connection)] == ["钧瓷文化节"]
        records.write(lambda unit: layers.remove_members(unit, "F1", "grid", [GRID]))
        records.write(lambda unit: layers.remove_layer(unit, "F1"))
        with records.read() as connection, pytest.raises(NotFound):
            layers.find_layer(connection, "F1")


def test_members_must_exist(home: Path) -> None:
    with opened(home) as records:
        records.write(lambda unit: layers.save_layer(unit, "F1", "钧瓷文化节"))
        with pytest.raises(UnknownCode, match="no grid"):
            records.write(lambda unit: layers.add_members(unit, "F1", "grid", ["411081001001999"]))
        with pytest.raises(Invalid, match="grid, part, case"):
            records.write(lambda unit: layers.add_members(unit, "F1", "tree", ["1"]))
        with pytest.raises(NotFound):
            records.write(lambda unit: layers.add_members(unit, "F2", "grid", [GRID]))
        with pytest.raises(Invalid, match="one word"):
            records.write(lambda unit: layers.save_layer(unit, "F1", "节", "two words"))
        with pytest.raises(Invalid, match="empty"):
            records.write(lambda unit: layers.save_layer(unit, "F1", " "))
