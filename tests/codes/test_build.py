"""The shipped tables are what the gathered standards say, and can be built again."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.codes import build
from tests.shared import shared


def test_building_again_gives_the_shipped_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    standards = shared("standards/part_classes.csv").parent
    monkeypatch.setattr(build, "DATA", tmp_path)
    build.build(standards)
    shipped = Path(build.__file__).parent / "data"
    for made in tmp_path.rglob("*.csv"):
        assert made.read_bytes() == (shipped / made.relative_to(tmp_path)).read_bytes(), made.name


def test_initials_drop_punctuation() -> None:
    assert build.initials("污水井盖") == "wsjg"
    assert build.initials("输油（气）井盖") == "syqjg"
    assert build.initials("12345转办") == "12345zb"
