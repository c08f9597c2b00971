"""Whatever stands in a cell or a file, the answer is a record or a refusal, never a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from appliance.errors import Invalid, WanmiError
from appliance.records.store import Records
from provisioning.import_files.kinds import KINDS, Importer, importer
from provisioning.import_files.opening import open_table
from provisioning.import_files.pipeline import Options, context_of
from tests import homes
from tests.shared import shared

CELLS = some.one_of(
    some.none(),
    some.text(max_size=12),
    some.integers(-(10**12), 10**12),
    some.floats(),
    some.booleans(),
    some.sampled_from(
        ["411081001001033", "41108101002000001", "01002", "污水井盖", "完好", "街巷", "2026-10-08", "part"]
    ),
)
SHAPES = {
    "none": None,
    "point": shapely.Point(113.4, 34.1),
    "polygon": shapely.box(113.4, 34.1, 113.41, 34.11),
    "any": shapely.LineString([(113.4, 34.1), (113.5, 34.2)]),
}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Records]:
    opened = Records.open(homes.copy_home(tmp_path_factory.mktemp("cells") / "home"))
    yield opened
    opened.close()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "history"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=some.data())
def test_any_cell_gives_a_record_or_a_refusal(kind: str, data: some.DataObject, records: Records) -> None:
    chosen = prepared(records, kind, make_codes=data.draw(some.booleans()))
    names = sorted(chosen.fields)
    row: dict[str, Any] = {name: data.draw(CELLS, label=name) for name in names if data.draw(some.booleans())}
    row = {name: None if value == "" else value for name, value in row.items()}
    row |= {"geometry": SHAPES[chosen.geometry], "attributes": None, "row": 2}
    try:
        record = chosen.check(row)
    except Invalid as refusal:
        record = {"key": refusal.fields[0].field}
    assert isinstance(record["key"], str)


def prepared(records: Records, kind: str, make_codes: bool) -> Importer:
    chosen = importer(kind, context_of(records, Options(make_codes=make_codes)))
    with records.read() as connection:
        chosen.prepare(connection)
    return chosen


DAMAGED = (
    "derived/zip-two-layers.zip",
    "derived/utf8-bom.geojson",
    "mixed-mapshaper/chinese.dbf",
    "derived/cases-bom.csv",
)


@pytest.mark.parametrize("name", DAMAGED)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=some.data())
def test_any_damage_gives_a_table_or_a_refusal(name: str, data: some.DataObject, tmp_path: Path) -> None:
    content = bytearray(shared("data/messy/" + name).read_bytes())
    for _ in range(data.draw(some.integers(1, 8))):
        content[data.draw(some.integers(0, len(content) - 1))] = data.draw(some.integers(0, 255))
    path = tmp_path / Path(name).name
    path.write_bytes(bytes(content[: data.draw(some.integers(1, len(content)))]))
    try:
        assert len(open_table(path)) >= 0
    except WanmiError as refusal:
        path.unlink()
        assert_sentence(refusal)


def assert_sentence(refusal: WanmiError) -> None:
    assert refusal.zh.endswith("。")
    assert "\n" not in refusal.en
